# SPDX-License-Identifier: MIT
"""The programs that compare.py compares, and the process in which one of them runs.

A peer is a function (metric, data, threads) that gives a function without arguments, which measures
once and returns what was measured; or None where it cannot, as on several threads if it has none.
What a user would do once for a data set, such as another arrangement of the axes, is done outside
of it; what every pair needs, such as a conversion of its type, inside. Orders for the process come
as lines of JSON, and so do answers.
"""

import itertools
import json
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

IGNORED = {"uint8": 255, "int64": -1}
"""The label that confusion matrices leave out."""


class Data(NamedTuple):
    """A pair: images, label maps (layout "labels"), or rows of features (layout "rows")."""

    x: Any
    y: Any
    layout: str
    data_range: float = 0
    classes: int = 0

    @property
    def ignored(self):
        return IGNORED[str(self.x.dtype)]

    @property
    def channels_last(self):
        """Pairs of images, as OpenCV and scikit-image have them."""
        if self.layout != "NCHW":
            return [(self.x, self.y)]
        moved = (np.moveaxis(side, 1, -1) for side in (self.x, self.y))
        return list(zip(*map(np.ascontiguousarray, moved)))

    @property
    def table(self):
        """The images in rows of at most 65536 samples."""
        rows = np.prod(self.x.shape[:-2], dtype=int) if self.layout != "HW" else self.x.shape[0]
        return self.x.reshape(rows, -1), self.y.reshape(rows, -1)


SUBSETS = {"subsets": 100}
"""Of KID, as many as all programs have by default."""


def _rows_of_subset(x):
    """1000, their default, of 5000 rows."""
    return len(x) // 5


def _values(metric):
    """The metric whose values come with a gradient, or the metric itself."""
    return metric.removesuffix(" and gradient")


def iqa(metric, data, threads, **options):
    import iqa

    context = iqa.Context(threads)
    x, y = data.x, data.y
    if metric.startswith("KID"):
        some = {"subsets": 0} if metric == "KID" else SUBSETS | {"subset_size": _rows_of_subset(x)}
        return lambda: iqa.kid(x, y, **some, context=context, **options).mean
    if metric == "Inception Score":
        return lambda: iqa.inception_score(x, splits=1, shuffle=False, context=context).mean
    extras = {}
    if metric in ("FID", "moments"):
        accumulator = iqa.FID(x.shape[1], context=context)
    elif metric == "confusion":
        accumulator = iqa.ConfusionMatrix(data.classes, ignore=data.ignored, context=context)
    elif metric == "Dice":
        macro = {"score": "dice", "average": "macro"}
        accumulator = iqa.ConfusionMatrix(data.classes, **macro, **options, context=context)
    else:
        kinds = {"MS-SSIM": iqa.MS_SSIM, "PSNR": iqa.PSNR, "MSE": iqa.MeanErrors}
        kind = {**kinds, "MAE": iqa.MeanErrors}.get(_values(metric), iqa.SSIM)
        measures = {"MSE": "mean_squared_error", "MAE": "mean_absolute_error"}
        if metric in measures:
            options |= {"measure": measures[metric], "alone": True}
        accumulator = kind(data.data_range, data.layout, context=context, **options)
        if metric != _values(metric):
            extras["candidate_gradient"] = np.empty(x.shape, np.promote_types(x.dtype, np.float32))

    def run():
        accumulator.reset()
        if metric == "moments":
            accumulator.update(reference=x)
            return accumulator.statistics("reference")[1]
        accumulator.update(x, y, **extras)
        if metric == "confusion":
            return accumulator.matrix
        return extras["candidate_gradient"] if extras else accumulator.compute()

    return run


def plain_cpp(metric, data, threads):
    """What bench/plain_ssim.cpp has."""
    from plain_ssim import mean_ssim

    if threads > 1 or data.layout == "DHW" or data.x.dtype not in (np.uint8, np.float32):
        return None
    return lambda: mean_ssim(data.x, data.y, data.layout, data.data_range)


def _limit_blas(threads):
    """The matrix products of NumPy and SciPy, once these are imported."""
    import threadpoolctl

    threadpoolctl.threadpool_limits(threads, user_api="blas")


def numpy(metric, data, threads):
    """The lines that evaluation scripts share."""
    x, y, classes = data.x, data.y, data.classes
    if metric == "moments":
        _limit_blas(threads)
        return lambda: (np.mean(x, axis=0), np.cov(x, rowvar=False))[1]
    if threads > 1:
        return None

    def counted(truth, prediction):
        cells = classes * truth.astype(np.int64) + prediction
        return np.bincount(cells, minlength=classes**2).reshape(classes, classes)

    def confusion():
        kept = x != data.ignored
        return counted(x[kept], y[kept])

    def dice():
        matrix = counted(x.ravel(), y.ravel())
        return np.mean(2 * np.diag(matrix) / (matrix.sum(axis=0) + matrix.sum(axis=1)))

    return confusion if metric == "confusion" else dice


def scikit_learn(metric, data, threads):
    """With the list of labels, without which it looks for them first."""
    from sklearn.metrics import confusion_matrix, f1_score

    if threads > 1:
        return None
    labels = np.arange(data.classes)
    x, y = data.x.ravel(), data.y.ravel()
    if metric == "confusion":
        return lambda: confusion_matrix(x, y, labels=labels)
    return lambda: f1_score(x, y, labels=labels, average="macro")


def scikit_image(metric, data, threads):
    from skimage import metrics

    if threads > 1:
        return None
    x, y = data.x, data.y
    if metric == "MSE":
        return lambda: metrics.mean_squared_error(x, y)
    if metric == "PSNR":
        return lambda: metrics.peak_signal_noise_ratio(x, y, data_range=data.data_range)
    gradient = metric == "SSIM and gradient"

    def ssim(x, y, channel_axis):
        found = metrics.structural_similarity(
            x,
            y,
            data_range=data.data_range,
            channel_axis=channel_axis,
            gaussian_weights=True,
            use_sample_covariance=False,
            gradient=gradient,
        )
        return found[0] if gradient else found

    if data.layout == "NCHW":
        return _mean(lambda a, b: ssim(a, b, 0), list(zip(x, y)))
    return lambda: ssim(x, y, -1 if data.layout == "HWC" else None)


def _mean(function, pairs):
    """Over pairs, without what NumPy's mean costs a single one."""
    return lambda: sum(function(a, b) for a, b in pairs) / len(pairs)


def opencv(metric, data, threads):
    """cv2.PSNR, cv2.norm, and for SSIM the five Gaussian blurs of OpenCV's own sample."""
    import cv2

    if data.layout == "DHW":
        return None
    cv2.setNumThreads(threads)
    if metric in ("MSE", "MAE"):
        x, y = data.table
        kind = cv2.NORM_L2SQR if metric == "MSE" else cv2.NORM_L1
        return lambda: cv2.norm(x, y, kind) / x.size
    pairs = data.channels_last
    if metric == "PSNR":
        return _mean(lambda a, b: cv2.PSNR(a, b, data.data_range), pairs)
    c1, c2 = (0.01 * data.data_range) ** 2, (0.03 * data.data_range) ** 2
    kind = np.float64 if data.x.dtype == np.float64 else np.float32

    def blur(image):
        return cv2.GaussianBlur(image, (11, 11), 1.5)

    def ssim(x, y):
        x, y = x.astype(kind, copy=False), y.astype(kind, copy=False)
        mean_x, mean_y = blur(x), blur(y)
        mean_xx, mean_yy, mean_xy = mean_x * mean_x, mean_y * mean_y, mean_x * mean_y
        xx, yy, xy = blur(x * x) - mean_xx, blur(y * y) - mean_yy, blur(x * y) - mean_xy
        upper = (2 * mean_xy + c1) * (2 * xy + c2)
        return (upper / ((mean_xx + mean_yy + c1) * (xx + yy + c2))).mean()

    return _mean(ssim, pairs)


def opencv_quality(metric, data, threads):
    """The quality module, whose SSIM has the constants of a range of 255."""
    import cv2

    if data.layout == "DHW" or data.data_range != 255:
        return None
    cv2.setNumThreads(threads)
    pairs = data.channels_last
    channels = 1 if data.layout == "HW" else pairs[0][0].shape[2]
    ssim = cv2.quality.QualitySSIM_compute
    return _mean(lambda a, b: sum(ssim(a, b)[0][:channels]) / channels, pairs)


def numkong(metric, data, threads):
    """A sum for each row: its sum of bytes has 32 bits, which 66052 squares can pass."""
    import numkong

    if threads > 1 or data.x.dtype not in (np.uint8, np.float32):
        return None
    x, y = data.table
    return lambda: np.sum(numkong.sqeuclidean(x, y)) / x.size


def _tensors(data, threads):
    """A function that gives the pair as torch's metrics of images take it: N, C and the axes of
    space, floating-point; and one that arranges a tensor like the images."""
    import torch

    torch.set_num_threads(threads)

    def arranged(image):
        tensor = torch.from_numpy(image)
        if data.layout == "NCHW":
            return tensor
        return (tensor.permute(2, 0, 1) if data.layout == "HWC" else tensor[None])[
            None
        ].contiguous()

    x, y = arranged(data.x), arranged(data.y)
    if x.is_floating_point():
        return lambda: (x, y)
    return lambda: (x.float(), y.float())


def _of_images(function, metric, data, threads):
    """A call of a function (candidate, reference) of torch, or of its gradient."""
    import torch

    tensors = _tensors(data, threads)

    def run():
        x, y = tensors()
        return float(function(y, x))

    def gradient():
        x, y = tensors()
        y = y.detach().requires_grad_()
        function(y, x).backward(torch.tensor(float(len(y))))  # each image's own, as iqa has it
        back = (0, 2, 3, 1) if data.layout == "HWC" else tuple(range(y.ndim))
        return y.grad.permute(back).numpy().reshape(data.x.shape)

    return gradient if metric != _values(metric) else run


def torchmetrics(metric, data, threads):
    import torch
    from torchmetrics import functional, image

    if data.layout in ("labels", "rows"):
        torch.set_num_threads(threads)
        x, y = torch.from_numpy(data.x), torch.from_numpy(data.y)
    if data.layout == "labels":
        of = functional.classification
        if metric == "Dice":
            return lambda: of.multiclass_f1_score(
                y, x, data.classes, average="macro", validate_args=False
            )
        return lambda: of.multiclass_confusion_matrix(
            y, x, data.classes, ignore_index=data.ignored, validate_args=False
        )
    if data.layout == "rows":
        network = torch.nn.Identity()  # what it is given are features already
        network.num_features = x.shape[1]

        def run():
            if metric == "Inception Score":
                one = image.inception.InceptionScore(network, splits=1)
                one.update(x)
                return one.compute()[0]
            if metric == "KID":
                one = image.kid.KernelInceptionDistance(network, subsets=1, subset_size=len(x))
            elif metric == "KID of subsets":
                size = _rows_of_subset(x)
                one = image.kid.KernelInceptionDistance(network, **SUBSETS, subset_size=size)
            else:
                one = image.fid.FrechetInceptionDistance(network)
            one.update(x, real=True)
            one.update(y, real=False)
            return one.compute()[0] if metric.startswith("KID") else one.compute()

        return run
    if metric in ("MSE", "MAE"):
        kinds = {"MSE": functional.mean_squared_error, "MAE": functional.mean_absolute_error}
        return _of_images(kinds[metric], metric, data, threads)
    functions = {
        "PSNR": functional.image.peak_signal_noise_ratio,
        "MS-SSIM": functional.image.multiscale_structural_similarity_index_measure,
    }
    function = functions.get(_values(metric), functional.image.structural_similarity_index_measure)
    return _of_images(partial(function, data_range=data.data_range), metric, data, threads)


def pytorch_msssim(metric, data, threads):
    from pytorch_msssim import ms_ssim, ssim

    function = ms_ssim if _values(metric) == "MS-SSIM" else ssim
    return _of_images(partial(function, data_range=data.data_range), metric, data, threads)


def piq(metric, data, threads):
    import piq

    if data.layout == "DHW":
        return None
    functions = {"PSNR": piq.psnr, "MS-SSIM": piq.multi_scale_ssim}
    function = functions.get(_values(metric), partial(piq.ssim, downsample=False))
    return _of_images(partial(function, data_range=data.data_range), metric, data, threads)


def pyiqa(metric, data, threads):
    """All channels, and not their luma; its classes take samples in 0 ... 1."""
    from pyiqa.archs import psnr_arch, ssim_arch

    if data.layout == "DHW":
        return None
    kinds = {"PSNR": psnr_arch.PSNR, "MS-SSIM": ssim_arch.MS_SSIM}
    module = kinds.get(metric, ssim_arch.SSIM)(test_y_channel=False)

    def mean(y, x):
        if data.data_range != 1:
            x, y = x / data.data_range, y / data.data_range
        return module(y, x).mean()

    return _of_images(mean, metric, data, threads)


def monai(metric, data, threads):
    import monai.metrics
    import torch

    if metric == "Dice":
        torch.set_num_threads(threads)
        x, y = (torch.from_numpy(side)[None, None] for side in (data.x, data.y))
        dice = monai.metrics.DiceMetric(num_classes=data.classes)
        return lambda: dice(y, x).nanmean()
    space = 3 if data.layout == "DHW" else 2
    if metric == "PSNR":
        module = monai.metrics.PSNRMetric(data.data_range)
    else:
        kinds = {"MS-SSIM": monai.metrics.MultiScaleSSIMMetric}
        kind = kinds.get(metric, monai.metrics.SSIMMetric)
        module = kind(space, data_range=data.data_range)
    return _of_images(lambda y, x: module(y, x).mean(), metric, data, threads)


def pytorch_fid(metric, data, threads):
    """The distance of pytorch-fid, and NumPy's moments before it, as there."""
    from pytorch_fid.fid_score import calculate_frechet_distance

    _limit_blas(threads)

    def run():
        sides = ((side.mean(axis=0), np.cov(side, rowvar=False)) for side in (data.x, data.y))
        return calculate_frechet_distance(*itertools.chain(*sides))

    return run


def torch_fidelity(metric, data, threads):
    import torch
    from torch_fidelity import metric_fid, metric_isc, metric_kid

    _limit_blas(threads)
    torch.set_num_threads(threads)
    x, y = torch.from_numpy(data.x), torch.from_numpy(data.y)
    if metric == "FID":

        def run():
            sides = map(metric_fid.fid_features_to_statistics, (x, y))
            return metric_fid.fid_statistics_to_metric(*sides, verbose=False)

    elif metric.startswith("KID"):
        count, size = (1, len(x)) if metric == "KID" else (SUBSETS["subsets"], _rows_of_subset(x))
        some = {"kid_subsets": count, "kid_subset_size": size, "verbose": False}
        run = partial(metric_kid.kid_features_to_metric, x, y, **some)
    else:
        run = partial(metric_isc.isc_features_to_metric, x, splits=1, shuffle=False)
    return lambda: next(iter(run().values()))


class Convention(NamedTuple):
    """Options of iqa with which it measures what a peer measures, and how far both may differ: the
    norm of the difference beside the norm. Peers in float32 have most of it."""

    options: dict = {}
    within: float = 1e-6


ANOTHER = Convention(within=np.inf)
"""What a peer measures by a rule that iqa does not have: its time alone is shown."""


class Peer(NamedTuple):
    """A peer, the module without which it cannot run, and its metrics."""

    make: Callable
    module: str
    metrics: dict


def _ssim(preset, within=1e-4, **options):
    return Convention({"preset": preset, **options}, within)


_MEAN_OF_IMAGES = Convention({"aggregate": "mean_of_psnr"}, 1e-4)  # piq, pyiqa: 1e-8 to the error
_SINGLE = Convention(within=1e-5)
_KID = Convention(within=1e-4)  # a difference of sums that peers have in float32
_SUBSETS = Convention(within=0.25)  # each draws others
_NO_LUMA = {"luma": "none", "luma_rounded": False}

PEERS = {
    "iqa": Peer(
        iqa,
        "iqa",
        dict.fromkeys(
            ("SSIM", "MS-SSIM", "SSIM and gradient", "MS-SSIM and gradient", "PSNR", "MSE", "MAE")
            + ("confusion", "Dice", "moments", "FID", "KID", "KID of subsets", "Inception Score"),
            Convention(),
        ),
    ),
    "plain C++": Peer(plain_cpp, "plain_ssim", {"SSIM": _ssim("wang2004")}),
    "scikit-image": Peer(
        scikit_image,
        "skimage",
        {
            "SSIM": _ssim("skimage_gaussian"),
            "SSIM and gradient": ANOTHER,
            "PSNR": Convention(),
            "MSE": Convention(),
        },
    ),
    "OpenCV": Peer(
        opencv,
        "cv2",
        {
            "SSIM": _ssim("torchmetrics"),
            "PSNR": _MEAN_OF_IMAGES,
            "MSE": _SINGLE,
            "MAE": _SINGLE,
        },
    ),
    "cv2.quality": Peer(opencv_quality, "cv2.quality", {"SSIM": _ssim("opencv")}),
    "NumKong": Peer(numkong, "numkong", {"MSE": Convention()}),
    "TorchMetrics": Peer(
        torchmetrics,
        "torchmetrics",
        {
            "SSIM": _ssim("torchmetrics"),
            "MS-SSIM": _ssim("ms_ssim_torchmetrics"),
            "SSIM and gradient": _ssim("torchmetrics", 1e-2),
            "MS-SSIM and gradient": _ssim("ms_ssim_torchmetrics", 1e-2),
            "PSNR": _SINGLE,
            "MSE": _SINGLE,
            "MAE": _SINGLE,
            "confusion": Convention(within=0),
            "Dice": Convention(),
            "FID": Convention(),
            "KID": _KID,
            "KID of subsets": _SUBSETS,
            "Inception Score": Convention(within=1e-4),
        },
    ),
    "pytorch-msssim": Peer(
        pytorch_msssim,
        "pytorch_msssim",
        {
            "SSIM": _ssim("pytorch_msssim"),
            "MS-SSIM": _ssim("ms_ssim_pytorch_msssim"),
            "SSIM and gradient": _ssim("pytorch_msssim", 1e-2),
            "MS-SSIM and gradient": _ssim("ms_ssim_pytorch_msssim", 1e-2),
        },
    ),
    "piq": Peer(
        piq,
        "piq",
        {
            "SSIM": _ssim("wang2004"),
            "MS-SSIM": _ssim("ms_ssim_piq"),
            "SSIM and gradient": _ssim("wang2004", 1e-2),
            "MS-SSIM and gradient": _ssim("ms_ssim_piq", 1e-2),
            "PSNR": _MEAN_OF_IMAGES,
        },
    ),
    "pyiqa": Peer(
        pyiqa,
        "pyiqa",
        {
            "SSIM": _ssim("pyiqa", **_NO_LUMA),
            "MS-SSIM": _ssim("ms_ssim_pyiqa", **_NO_LUMA),
            "SSIM and gradient": _ssim("pyiqa", 1e-2, **_NO_LUMA),
            "PSNR": _MEAN_OF_IMAGES,
        },
    ),
    "MONAI": Peer(
        monai,
        "monai",
        {
            "SSIM": _ssim("monai"),
            "MS-SSIM": _ssim("ms_ssim_monai"),
            "PSNR": _MEAN_OF_IMAGES,
            "Dice": Convention({"empty": "skip_unreferenced"}),
        },
    ),
    "NumPy": Peer(
        numpy,
        "numpy",
        {"confusion": Convention(within=0), "Dice": Convention(), "moments": Convention()},
    ),
    "scikit-learn": Peer(
        scikit_learn, "sklearn", {"confusion": Convention(within=0), "Dice": Convention()}
    ),
    "pytorch-fid": Peer(pytorch_fid, "pytorch_fid", {"FID": Convention()}),
    "torch-fidelity": Peer(
        torch_fidelity,
        "torch_fidelity",
        {
            "FID": Convention(),
            "KID": _KID,
            "KID of subsets": _SUBSETS,
            "Inception Score": Convention(),
        },
    ),
}
"""In the order of columns."""


def version(name):
    """The version of a peer, or None where it is not installed."""
    import importlib
    from importlib.metadata import packages_distributions, version

    module, *parts = PEERS[name].module.split(".")
    try:
        found = importlib.import_module(module)
        for part in parts:
            getattr(found, part)
    except (ImportError, AttributeError):
        return None
    if hasattr(found, "__version__"):
        return found.__version__
    return version(packages_distributions()[module][0])


def _kilobytes(name):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name))


class Process:
    """Carries out orders."""

    def __init__(self, name):
        self.make = PEERS[name].make
        self.runs = itertools.repeat(None)
        self.repeats = 1
        self.clock = time.perf_counter

    def instruction_set(self):
        """Of the library."""
        import iqa

        return iqa.Context().instruction_set

    def value(self, metric, threads, x, y, save, options, **facts):
        """Measures once with these options, into a file."""
        data = Data(np.load(x), np.load(y), **facts)
        np.save(save, np.asarray(self.make(metric, data, threads, **options)(), np.float64))

    def prepare(self, metric, threads, x, y, copies, save, **facts):
        """Loads copies of the data, which take turns, measures once, into a file, and finds how
        many calls to time at once. The seconds of the first, or None where the peer cannot."""
        x, y = np.load(x), np.load(y)
        pairs = [Data(x.copy(), y.copy(), **facts) for _ in range(copies)]
        runs = [self.make(metric, data, threads) for data in pairs]
        if runs[0] is None:
            return None
        self.runs = itertools.cycle(runs)
        # Neighbours cost a thread caches and clock but no turns by its processor time.
        self.clock = time.process_time if threads == 1 else time.perf_counter
        start = self.clock()
        found = next(self.runs)()
        first = self.clock() - start
        np.save(save, np.asarray(found, np.float64))
        self.repeats = 1
        if first < 0.1:
            self.repeats = max(1, int(0.05 / max(self.time(), 1e-7)))
        return first

    def time(self):
        """Seconds of one call."""
        start = self.clock()
        for _ in range(self.repeats):
            next(self.runs)()
        return (self.clock() - start) / self.repeats

    def memory(self, metric, threads, x, y, **facts):
        """Kilobytes that one call takes at its peak, in a process that has done a small one."""
        data = Data(np.load(x), np.load(y), **facts)
        index = tuple(slice(0, 200) for _ in data.x.shape)
        small = [np.ascontiguousarray(side[index]) for side in (data.x, data.y)]
        self.make(metric, Data(*small, **facts), threads)()
        run = self.make(metric, data, threads)
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # the peak starts at what is used now
        before = _kilobytes("VmRSS:")
        run()
        return _kilobytes("VmHWM:") - before


def main():
    process = Process(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print(json.dumps(version(sys.argv[1])), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = {"answer": getattr(process, order.pop("do"))(**order)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
