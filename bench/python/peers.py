# SPDX-License-Identifier: MIT
"""The programs that compare.py compares, and the process in which one of them runs.

A peer is a function (metric, x, y, layout, data_range, threads) that gives a function without
arguments, which measures once and returns the value. What a user would do once for a data set,
such as another arrangement of the axes, is done outside of it; what every picture needs, such as
a conversion of its type, inside. Orders for the process come as lines of JSON, and so do answers.
"""

import json
import resource
import sys
import time

import numpy as np


def masked(x, layout):
    """The same mask for every peer that has masks: the right two thirds."""
    mask = np.ones(x.shape[:2] if layout == "HWC" else x.shape, np.uint8)
    mask[:, : mask.shape[1] // 3] = 0
    return mask


def iqa(metric, x, y, layout, data_range, threads):
    import iqa

    if metric in ("ms_ssim", "gradient", "mask"):
        kind = iqa.MS_SSIM if metric == "ms_ssim" else iqa.SSIM
        accumulator = kind(data_range, layout, context=iqa.Context(threads))
        extras = {}
        if metric == "mask":
            extras["weights"] = masked(x, layout)
        if metric == "gradient":
            extras["candidate_gradient"] = np.empty(x.shape, np.promote_types(x.dtype, np.float32))

        def run():
            accumulator.reset()
            accumulator.update(x, y, **extras)
            return accumulator.compute()

        return run
    kind = iqa.SSIM if metric == "ssim" else iqa.PSNR
    measure = iqa.ssim if metric == "ssim" else iqa.psnr
    if x.size <= 16 * 16:  # the cost of a call: what a user writes for one pair
        return lambda: measure(x, y, data_range, layout)
    accumulator = kind(data_range, layout, context=iqa.Context(threads))

    def run():
        accumulator.reset()
        accumulator.update(x, y)
        return accumulator.compute()

    return run


def scikit_image(metric, x, y, layout, data_range, threads):
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    if threads > 1 or metric in ("ms_ssim", "mask"):
        return None
    if metric == "psnr":
        return lambda: peak_signal_noise_ratio(x, y, data_range=data_range)

    def first(found):  # it gives the gradient beside the value
        return found[0] if metric == "gradient" else found

    def one(a, b, channel_axis):
        return structural_similarity(
            a,
            b,
            data_range=data_range,
            channel_axis=channel_axis,
            gaussian_weights=True,
            use_sample_covariance=False,
            gradient=metric == "gradient",
        )

    if layout == "NCHW":
        return lambda: np.mean([first(one(a, b, 0)) for a, b in zip(x, y)])
    return lambda: first(one(x, y, -1 if layout == "HWC" else None))


def _channels_last(x, layout):
    """A list of images as OpenCV has them."""
    if layout == "NCHW":
        return [np.ascontiguousarray(np.moveaxis(image, 0, -1)) for image in x]
    return [x]


def _opencv(metric, x, y, layout, data_range, threads, ssim):
    import cv2

    if metric not in ("ssim", "psnr") or layout == "DHW":
        return None
    cv2.setNumThreads(threads)
    pairs = list(zip(_channels_last(x, layout), _channels_last(y, layout)))
    if metric == "psnr":
        return lambda: np.mean([cv2.PSNR(a, b, data_range) for a, b in pairs])
    return lambda: np.mean([ssim(cv2, a, b) for a, b in pairs])


def opencv_recipe(metric, x, y, layout, data_range, threads):
    """The five Gaussian blurs that tutorials show."""
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    double = x.dtype == np.float64

    def ssim(cv2, x, y):
        def blur(image):
            return cv2.GaussianBlur(image, (11, 11), 1.5)

        kind = np.float64 if double else np.float32
        x, y = x.astype(kind, copy=False), y.astype(kind, copy=False)
        mean_x, mean_y = blur(x), blur(y)
        mean_xx, mean_yy, mean_xy = mean_x * mean_x, mean_y * mean_y, mean_x * mean_y
        xx, yy, xy = blur(x * x) - mean_xx, blur(y * y) - mean_yy, blur(x * y) - mean_xy
        upper = (2 * mean_xy + c1) * (2 * xy + c2)
        return (upper / ((mean_xx + mean_yy + c1) * (xx + yy + c2))).mean()

    return _opencv(metric, x, y, layout, data_range, threads, ssim)


def opencv_quality(metric, x, y, layout, data_range, threads):
    """The quality module, whose constants are those of a range of 255."""
    if metric == "psnr" or data_range != 255:
        return None

    def ssim(cv2, x, y):
        channels = 1 if x.ndim == 2 else x.shape[2]
        return np.mean(cv2.quality.QualitySSIM_compute(x, y)[0][:channels])

    return _opencv(metric, x, y, layout, data_range, threads, ssim)


def _tensors(x, layout, threads):
    """The images as torch's metrics take them: NCHW; and how a call makes them floating-point."""
    import torch

    torch.set_num_threads(threads)
    x = torch.from_numpy(np.ascontiguousarray(x))
    if layout in ("HW", "DHW"):
        x = x[None, None]
    elif layout == "HWC":
        x = x.permute(2, 0, 1)[None].contiguous()
    return x, (lambda image: image if image.is_floating_point() else image.float())


def _differentiated(function, y, x):
    """The value, after its gradient with respect to the candidate was computed."""
    y = y.detach().requires_grad_()
    value = function(y, x)
    value.backward()
    return float(value)


def torchmetrics(metric, x, y, layout, data_range, threads):
    from functools import partial

    from torchmetrics.functional import image

    functions = {
        "psnr": image.peak_signal_noise_ratio,
        "ssim": image.structural_similarity_index_measure,
        "gradient": image.structural_similarity_index_measure,
        "ms_ssim": image.multiscale_structural_similarity_index_measure,
    }
    if metric not in functions:
        return None
    x, floating = _tensors(x, layout, threads)
    y, _ = _tensors(y, layout, threads)
    function = partial(functions[metric], data_range=data_range)
    if metric == "gradient":
        return lambda: _differentiated(function, floating(y), floating(x))
    return lambda: float(function(floating(y), floating(x)))


def pytorch_msssim(metric, x, y, layout, data_range, threads):
    from functools import partial

    from pytorch_msssim import ms_ssim, ssim

    functions = {"ssim": ssim, "gradient": ssim, "ms_ssim": ms_ssim}
    if metric not in functions:
        return None
    x, floating = _tensors(x, layout, threads)
    y, _ = _tensors(y, layout, threads)
    function = partial(functions[metric], data_range=data_range)
    if metric == "gradient":
        return lambda: _differentiated(function, floating(y), floating(x))
    return lambda: float(function(floating(y), floating(x)))


def piq(metric, x, y, layout, data_range, threads):
    import piq

    if metric not in ("ssim", "psnr") or layout == "DHW":
        return None
    x, floating = _tensors(x, layout, threads)
    y, _ = _tensors(y, layout, threads)
    if metric == "psnr":
        return lambda: float(piq.psnr(floating(y), floating(x), data_range=data_range))
    return lambda: float(
        piq.ssim(floating(y), floating(x), data_range=data_range, downsample=False)
    )


def plain_cpp(metric, x, y, layout, data_range, threads):
    """What bench/plain_ssim.cpp has."""
    from plain_ssim import mean_ssim

    if metric != "ssim" or threads > 1 or layout == "DHW" or x.dtype not in (np.uint8, np.float32):
        return None
    return lambda: mean_ssim(x, y, layout, data_range)


PEERS = {
    "iqa": (iqa, "iqa"),
    "plain C++": (plain_cpp, "plain_ssim"),
    "scikit-image": (scikit_image, "skimage"),
    "OpenCV recipe": (opencv_recipe, "cv2"),
    "OpenCV quality": (opencv_quality, "cv2.quality"),
    "TorchMetrics": (torchmetrics, "torchmetrics"),
    "pytorch-msssim": (pytorch_msssim, "pytorch_msssim"),
    "piq": (piq, "piq"),
}
"""Functions, and the module without which they cannot run."""


def version(name):
    """The version of a peer, or None where it is not installed."""
    import importlib
    from importlib.metadata import version as version_of

    module = PEERS[name][1]
    try:
        found = importlib.import_module(module.split(".")[0])
        for part in module.split(".")[1:]:
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return None
    if hasattr(found, "__version__"):
        return found.__version__
    try:
        return version_of(module.split(".")[0].replace("cv2", "opencv-contrib-python-headless"))
    except ImportError:
        return "?"


def _kilobytes(name):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name))


class Process:
    """Carries out orders."""

    def __init__(self, peer):
        self.peer = peer
        self.run = None
        self.repeats = 1

    def prepare(self, metric, x, y, layout, data_range, threads):
        """Loads the images, measures once and finds how many calls fill a measurement."""
        arrays = np.load(x), np.load(y)
        self.run = PEERS[self.peer][0](metric, *arrays, layout, data_range, threads)
        if self.run is None:
            return None
        value = float(self.run())
        start = time.perf_counter()
        self.run()
        seconds = time.perf_counter() - start
        self.repeats = max(1, int(0.05 / max(seconds, 1e-7)))
        return {"value": value, "seconds": seconds}

    def time(self):
        """Seconds of one call."""
        start = time.perf_counter()
        for _ in range(self.repeats):
            self.run()
        return (time.perf_counter() - start) / self.repeats

    def memory(self, metric, x, y, layout, data_range, threads):
        """Kilobytes that one call takes at its peak, in a process that has done a small one."""
        arrays = np.load(x), np.load(y)
        side = 200 if metric == "ms_ssim" else 64
        index = tuple(slice(0, side) for _ in arrays[0].shape)
        small = [np.ascontiguousarray(image[index]) for image in arrays]
        warm = PEERS[self.peer][0](metric, *small, layout, data_range, threads)
        if warm is None:
            return None
        warm()
        run = PEERS[self.peer][0](metric, *arrays, layout, data_range, threads)
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # the peak starts at what is used now
        before = _kilobytes("VmRSS:")
        run()
        return _kilobytes("VmHWM:") - before


def main():
    process = Process(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print(json.dumps(version(process.peer)), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        answer = getattr(process, order.pop("do"))(**order)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
