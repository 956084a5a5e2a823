# SPDX-License-Identifier: MIT
"""Arrays that have to be copied: no number changes, and the memory stays bounded."""

import array
import tracemalloc

import numpy as np
import pytest
from pictures import batch, formula_pair

import iqa
from iqa import _copies

FLOATS = ("float16", "float32", "float64")
INTEGERS = ("int8", "int32", "int64", "uint32", "uint64")


class Lazy:
    """Has __array__, a shape and slices alone, as the arrays of h5py and zarr; counts reads."""

    def __init__(self, source, largest=None):
        self._source = source
        self.shape = source.shape
        self.largest = largest if largest is not None else [0]

    def __getitem__(self, part):
        return Lazy(self._source[part], self.largest)

    def __array__(self, *_, **__):
        self.largest[0] = max(self.largest[0], self._source.size)
        return self._source


def unaligned(image):
    """The same numbers, a byte off."""
    memory = np.zeros(image.nbytes + 1, np.uint8)[1:]
    shown = memory.view(image.dtype).reshape(image.shape)
    shown[:] = image
    assert not shown.flags.aligned
    return shown


def between_bytes(image):
    """The same numbers in records of another size."""
    records = np.zeros(image.shape, np.dtype([("gap", "u1"), ("number", image.dtype)]))
    records["number"] = image
    return records["number"]


FORMS = {
    "big-endian": lambda image: image.astype(image.dtype.newbyteorder(">")),
    "unaligned": unaligned,
    "between bytes": between_bytes,
    "lazy": Lazy,
    "list": np.ndarray.tolist,
    "tuple": lambda image: tuple(map(tuple, image.tolist())),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", [iqa.ssim, iqa.psnr])
def test_images(form, kind):
    x, y = formula_pair(64)
    expected = kind(x, y, 255)
    assert kind(FORMS[form](x), y, 255) == expected
    assert kind(x, FORMS[form](y), 255) == expected
    assert kind(FORMS[form](x), FORMS[form](y), 255) == expected


def test_buffers_of_the_other_byte_order():
    x, y = formula_pair(64)
    swapped = array.array("d", x.ravel())
    swapped.byteswap()
    shown = np.frombuffer(swapped, ">f8").reshape(64, 64)
    assert iqa.psnr(memoryview(shown), y, 255) == iqa.psnr(x, y, 255)


@pytest.mark.parametrize("form", ["big-endian", "unaligned", "lazy"])
@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32"])
def test_types_of_the_library_stay(form, dtype):
    x, y = batch(1, dtype=dtype)
    peak = None if dtype != "float32" else 1.0
    assert iqa.ssim(FORMS[form](x), FORMS[form](y), peak, "NCHW") == iqa.ssim(x, y, peak, "NCHW")


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_are_measured_in_double(dtype):
    x, y = (image // 2 for image in formula_pair(64))
    assert iqa.ssim(x.astype(dtype), y.astype(dtype), 255, arithmetic="float64") == iqa.ssim(
        x, y, 255
    )
    assert iqa.psnr(x.astype(dtype), y.astype(dtype), 255) == iqa.psnr(x, y, 255)
    with pytest.raises(
        iqa.InvalidArgumentError, match=f"data_range is not stated, and that of {dtype} images"
    ):
        iqa.psnr(x.astype(dtype), y.astype(dtype))


def test_bool_pictures():
    x, y = (image > 100 for image in formula_pair(64))
    assert iqa.ssim(x, y, 1) == iqa.ssim(x.astype("u1"), y.astype("u1"), 1)
    with pytest.raises(iqa.InvalidArgumentError, match="that of bool images"):
        iqa.ssim(x, y)


@pytest.mark.parametrize("first", FLOATS)
@pytest.mark.parametrize("second", FLOATS)
def test_mixed_floats_are_compared_in_the_wider_one(first, second):
    x, y = (image.astype(kind) for image, kind in zip(formula_pair(64), (first, second)))
    wider = max(first, second, key=FLOATS.index)
    expected = iqa.ssim(x.astype(wider), y.astype(wider), 255)
    assert iqa.ssim(x, y, 255) == expected


def test_bfloat16_beside_others():
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    x, y = formula_pair(64)  # integers below 256, which bfloat16 holds
    expected = iqa.ssim(x.astype("f4"), y.astype("f4"), 255)
    assert iqa.ssim(x.astype(bfloat16), y.astype("f2"), 255) == expected
    assert iqa.ssim(x.astype("f4"), y.astype(bfloat16), 255) == expected
    assert iqa.ssim(x, y.astype(bfloat16), 255) == iqa.ssim(x, y, 255)


@pytest.mark.parametrize(
    ("first", "second", "wider"),
    [
        ("uint8", "uint16", "uint16"),
        ("int16", "uint8", "int16"),
        ("int8", "int16", "int16"),
        ("bool", "uint8", "uint8"),
        ("int64", "uint16", "float64"),
        ("int32", "int64", "float64"),
    ],
)
def test_mixed_integers(first, second, wider):
    x, y = (image // 2 for image in formula_pair(64))
    if "bool" in (first, second):
        x, y = x > 50, y > 50
    expected = iqa.ssim(x.astype(wider), y.astype(wider), 255)
    assert iqa.ssim(x.astype(first), y.astype(second), 255) == expected
    with pytest.raises(iqa.InvalidArgumentError, match=f"that of {first} beside {second} images"):
        iqa.ssim(x.astype(first), y.astype(second))


@pytest.mark.parametrize(
    ("first", "second"),
    [("uint8", "int8"), ("uint16", "int16"), ("uint8", "float32"), ("float64", "int32")],
)
def test_types_of_which_none_holds_the_other(first, second):
    x, y = formula_pair(64)
    with pytest.raises(
        iqa.DtypeError, match=f"candidate has element type {second} but reference has {first}"
    ):
        iqa.ssim(x.astype(first), (y // 2).astype(second), 255)


@pytest.mark.parametrize("value", [2**53 + 1, -(2**53) - 2, 2**63 - 1])
def test_integers_beyond_double(value):
    x = np.zeros((16, 16), np.int64)
    x[3, 4] = value
    for call in (
        lambda: iqa.psnr(x, x, 2.0**60),
        lambda: iqa.fid(x, x),
        lambda: iqa.kid(x, x, subsets=0),
        lambda: iqa.psnr(x // 2**62, x // 2**62, 1, weights=x),
    ):
        with pytest.raises(iqa.NumericError, match=f"has the number {value}, which float64 does"):
            call()
    x[3, 4] = 2**53
    assert iqa.psnr(x, x - x, 2.0**53) == pytest.approx(10 * np.log10(256), abs=1e-12)


@pytest.mark.parametrize(
    "dtype", ["complex64", "complex128", "longdouble", "object", "U3", "M8[s]"]
)
def test_what_is_no_number(dtype):
    x = np.ones((16, 16), "i8").astype(dtype)
    calls = {
        "reference": lambda: iqa.ssim(x, x, 1.0),
        "candidate": lambda: iqa.f1(np.ones((16, 16), int), x, 2, average="micro"),
        "weights": lambda: iqa.ssim(np.ones((16, 16)), np.ones((16, 16)), 1.0, weights=x),
    }
    for name, call in calls.items():
        with pytest.raises(iqa.DtypeError, match=f"{name} has element type"):
            call()
    with pytest.raises(iqa.DtypeError, match="reference has element type"):
        iqa.fid(x, x)


def test_lists_that_are_no_array():
    with pytest.raises(iqa.InvalidArgumentError, match="reference cannot be read as an array"):
        iqa.ssim([[1, 2], [3]], [[1, 2], [3]], 1.0)
    with pytest.raises(iqa.DtypeError, match="reference has element type"):
        iqa.ssim([["a"]], [["b"]], 1.0)


class TestLabels:
    TRUTH, GUESS = (image.astype(int) % 7 for image in formula_pair(64))

    @pytest.mark.parametrize(
        "dtype", ["uint8", "int8", "uint16", "int16", *INTEGERS, *FLOATS, ">i4", ">f8", "bool"]
    )
    def test_types(self, dtype):
        truth, guess = self.TRUTH, self.GUESS
        if dtype == "bool":
            truth, guess = ((image > 3).astype(int) for image in (truth, guess))
        options = {"average": "none", "empty": "zero"}
        expected = iqa.iou(truth, guess, 7, **options)
        assert (iqa.iou(truth.astype(dtype), guess, 7, **options) == expected).all()
        assert (iqa.iou(truth, guess.astype(dtype), 7, **options) == expected).all()

    @pytest.mark.parametrize("form", FORMS)
    def test_forms(self, form):
        expected = iqa.f1(self.TRUTH, self.GUESS, 7, average="macro")
        assert (
            iqa.f1(FORMS[form](self.TRUTH), FORMS[form](self.GUESS), 7, average="macro") == expected
        )

    @pytest.mark.parametrize("value", [1.5, np.nan, np.inf, -np.inf, 2.0**63])
    def test_what_is_no_label(self, value):
        guess = self.GUESS.astype(float)
        guess[3, 5] = value
        with pytest.raises(iqa.NumericError, match=r"candidate has the number .* at \[3, 5\]"):
            iqa.f1(self.TRUTH, guess, 7, average="macro")
        large = np.full((4, 4), 2**63, np.uint64)
        with pytest.raises(iqa.NumericError, match=r"reference at .*: 9223372036854775807 or more"):
            iqa.f1(large, large, 7, average="macro")

    def test_scores(self):
        scores = np.random.default_rng(0).random((64, 7, 64))
        how = {"candidate_labels": "argmax", "class_axis": 1, "average": "macro"}
        expected = iqa.f1(self.TRUTH, scores, 7, **how)
        assert iqa.f1(self.TRUTH.astype("u4"), FORMS["big-endian"](scores), 7, **how) == expected
        votes = (scores * 100).astype("u4")
        assert iqa.f1(self.TRUTH, votes, 7, **how) == iqa.f1(
            self.TRUTH, votes.astype("i8"), 7, **how
        )

    def test_weights(self):
        weights = np.arange(64 * 64).reshape(64, 64) % 3
        expected = iqa.f1(self.TRUTH, self.GUESS, 7, weights=weights.astype(float), average="macro")
        for kind in ("i8", "u1", "f2", ">f4"):
            found = iqa.f1(self.TRUTH, self.GUESS, 7, weights=weights.astype(kind), average="macro")
            assert found == expected

    def test_samples_in_pieces(self, monkeypatch):
        truth, guess = (
            np.stack([image, image[::-1], image.T]) for image in (self.TRUTH, self.GUESS)
        )
        options = {"batched": True, "keep_samples": True, "score": "iou", "average": "macro"}
        plain = iqa.ConfusionMatrix(7, **options)
        expected = plain.update(truth, guess, per_sample=True, per_class=True, counts=True)
        monkeypatch.setattr(_copies, "MOST", 64 * 64 + 5)
        copied = iqa.ConfusionMatrix(7, **options)
        given = np.zeros((3, 7))
        found = copied.update(
            truth.astype("u4"), Lazy(guess), per_sample=True, per_class=given, counts=True
        )
        assert found.per_class is given
        for one, other in zip(found, expected):
            np.testing.assert_array_equal(one, other)
        assert copied.to_bytes() == plain.to_bytes()


class TestPieces:
    """A batch is copied and measured piece by piece, as one update."""

    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch):
        monkeypatch.setattr(_copies, "MOST", 2 * 3 * 48 * 56)

    @pytest.mark.parametrize("kind", [iqa.SSIM, iqa.PSNR])
    def test_images(self, kind):
        x, y = batch(7, dtype=np.float64)
        mask = np.random.default_rng(3).random((7, 1, 48, 56)) < 0.7
        plain, copied = kind(1.0, "NCHW"), kind(1.0, "NCHW")
        outputs = {"per_image": True, "per_channel": True, "candidate_gradient": True}
        expected = plain.update(x, y, weights=mask, **outputs)
        source = Lazy(x)
        given = np.zeros((7, 3))
        found = copied.update(source, y, weights=mask, **{**outputs, "per_channel": given})
        assert source.largest[0] == 2 * 3 * 48 * 56
        assert found.per_channel is given
        for one, other in zip(found, expected):
            np.testing.assert_array_equal(one, other)
        assert copied.to_bytes() == plain.to_bytes()

    def test_a_failure_leaves_the_metric(self):
        x, y = batch(7, dtype=np.float64)
        metric = iqa.SSIM(1.0, "NCHW")
        metric.update(x, y)
        before = metric.to_bytes()
        y[6, 1, 2, 3] = np.nan
        with pytest.raises(iqa.NumericError, match=r"\[0, 1, 2, 3\].* from entry 6 of the batch"):
            metric.update(x.astype(">f8"), y)
        assert metric.to_bytes() == before
        with pytest.raises(iqa.ShapeError, match=r"candidate has shape \[6, 3, 48, 56\] but ref"):
            metric.update(x.astype(">f8"), y[:6])
        assert metric.to_bytes() == before

    def test_features(self):
        x, y = (np.random.default_rng(seed).random((90_000, 4)) for seed in (0, 1))
        expected = iqa.FID(4)
        expected.update(x, y[:50_000])
        copied = iqa.FID(4)
        copied.update(FORMS["big-endian"](x), Lazy(y[:50_000]))
        assert copied.to_bytes() == expected.to_bytes()
        one = iqa.FID(4)
        one.update(candidate=x.tolist())
        assert one.rows == (0, 90_000)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "int64", ">f4"])
def test_features_of_other_types(dtype):
    x, y = (image.astype(dtype) for image in formula_pair(64))
    wide = (x.astype("f8"), y.astype("f8"))
    options = {"fraction_bits": 16}
    assert iqa.fid(x, y, **options) == iqa.fid(*wide, **options)
    assert iqa.kid(x, y, subsets=0, degree=1).mean == pytest.approx(
        iqa.kid(*wide, subsets=0, degree=1).mean, rel=1e-12
    )
    assert iqa.inception_score(x, splits=1, shuffle=False).mean == pytest.approx(
        iqa.inception_score(wide[0], splits=1, shuffle=False).mean, rel=1e-12
    )


def test_statistics_of_other_types():
    x = np.random.default_rng(0).random((500, 4)).astype("f4")
    mean, covariance = x.mean(0), np.cov(x, rowvar=False).astype(">f4")
    found = iqa.fid_from_statistics((mean.tolist(), covariance), (mean, covariance.tolist()))
    assert found.value == 0


def peak(call):
    call()
    tracemalloc.start()
    call()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def test_the_peak_of_memory():
    """A batch of 256 MiB takes two pieces of 32 MiB and what their conversion needs."""
    batches = np.zeros((32, 1024, 1024), np.int64)
    metric = iqa.PSNR(255, "NHW")
    assert peak(lambda: metric.update(batches, batches)) < 160 * 2**20
    rows = np.zeros((2**20, 32), ">f8")
    features = iqa.FID(32)
    assert peak(lambda: features.update(rows)) < 96 * 2**20
    labels = np.zeros((64, 1024, 1024), np.float32)
    matrix = iqa.ConfusionMatrix(2, batched=True)
    assert peak(lambda: matrix.update(labels, labels)) < 224 * 2**20


@pytest.mark.parametrize("library", ["pandas", "xarray", "h5py", "zarr"])
def test_libraries(library, tmp_path):
    module = pytest.importorskip(library)
    x, y = formula_pair(64)

    def show(image, name):
        if library == "pandas":
            return module.DataFrame(image)
        if library == "xarray":
            return module.DataArray(image, attrs={"units": "K"})
        if library == "zarr":
            return module.array(image)
        return module.File(tmp_path / name, "w").create_dataset("image", data=image)

    shown = show(x, "x"), show(y, "y")
    assert iqa.ssim(*shown, data_range=255) == iqa.ssim(x, y, 255)
    assert iqa.fid(*shown, fraction_bits=16) == iqa.fid(x, y, fraction_bits=16)
    labels = show(x.astype("i8") % 5, "labels")
    assert iqa.f1(labels, y.astype(int) % 5, 5, average="macro") == iqa.f1(
        x.astype(int) % 5, y.astype(int) % 5, 5, average="macro"
    )
