# SPDX-License-Identifier: MIT
"""Objects that say more than their memory: each is taken for what it means, or refused in words.

The right value is always that of the plain array which the object stands for, made by hand.
"""

import numpy as np
import pytest
from pictures import batch, formula_pair
from PIL import Image

import iqa

GREY = [image.astype(np.uint8) for image in formula_pair(64)]
COLOUR = [np.ascontiguousarray(image[0].transpose(1, 2, 0)) for image in batch(1, dtype=np.uint8)]


def palette_picture(indices, colours):
    """A Pillow image of mode P; colours are rows of RGB."""
    picture = Image.frombytes("P", indices.shape[::-1], indices.tobytes())
    picture.putpalette(np.asarray(colours, np.uint8).tobytes())
    return picture


class TestPillow:
    def test_palettes_are_colours(self):
        """Other indices of the same colours are the same picture."""
        colours = np.random.default_rng(0).integers(0, 256, (256, 3), dtype=np.uint8)
        order = np.random.default_rng(1).permutation(256)
        shuffled = np.argsort(order).astype(np.uint8)[GREY[0]]
        x, y = palette_picture(GREY[0], colours), palette_picture(shuffled, colours[order])
        assert iqa.psnr(x, y, layout="HWC") == np.inf
        other = palette_picture(GREY[1], colours)
        expected = iqa.ssim(colours[GREY[0]], colours[GREY[1]], layout="HWC")
        assert iqa.ssim(x, other, layout="HWC") == expected

    @pytest.mark.parametrize(("plain", "mode"), [("RGB", "RGBA"), ("RGB", "RGBa"), ("L", "LA")])
    def test_an_opaque_alpha_is_no_channel(self, plain, mode):
        images = GREY if plain == "L" else COLOUR
        layout = "HW" if plain == "L" else "HWC"
        x, y = (Image.fromarray(image).convert("RGBA").convert(mode) for image in images)
        assert x.mode == mode
        assert iqa.psnr(x, y, layout=layout) == iqa.psnr(*images, layout=layout)

    def test_transparent_pixels_are_refused(self):
        x = Image.fromarray(COLOUR[0]).convert("RGBA")
        y = x.copy()
        y.putpixel((3, 5), (1, 2, 3, 254))
        with pytest.raises(iqa.InvalidArgumentError, match=r"candidate is .*transparent.*'RGB'"):
            iqa.psnr(x, y, layout="HWC")
        palette = palette_picture(GREY[0], np.zeros((256, 3)))
        palette.info["transparency"] = 101
        with pytest.raises(iqa.InvalidArgumentError, match=r"reference is .*transparent"):
            iqa.psnr(palette, palette, layout="HWC")

    def test_black_and_white_is_0_and_255(self):
        x, y = (Image.fromarray(image > 100) for image in GREY)
        assert x.mode == "1"
        assert iqa.psnr(x, y) == iqa.psnr(*(np.uint8(255) * (image > 100) for image in GREY))

    def test_ycbcr_becomes_rgb(self):
        x, y = (Image.fromarray(image).convert("YCbCr") for image in COLOUR)
        expected = iqa.psnr(*(np.asarray(image.convert("RGB")) for image in (x, y)), layout="HWC")
        assert iqa.psnr(x, y, layout="HWC") == expected

    @pytest.mark.parametrize("mode", ["CMYK", "LAB", "HSV"])
    def test_other_colours_are_refused(self, mode):
        x = Image.new(mode, (16, 16))
        with pytest.raises(iqa.DtypeError, match=rf"reference is .* mode '{mode}'.*convert\('RGB'"):
            iqa.ssim(x, x, layout="HWC")

    @pytest.mark.parametrize("mode", ["I;16", "I;16L", "I;16B"])
    def test_16_bits(self, mode):
        deep = [(image.astype(np.uint16) * 257) for image in GREY]
        bits = [image.astype(">u2" if mode == "I;16B" else "<u2").tobytes() for image in deep]
        x, y = (Image.frombytes(mode, (64, 64), one) for one in bits)
        assert iqa.psnr(x, y) == iqa.psnr(*deep)

    def test_32_bits(self):
        x, y = (Image.fromarray(image.astype(np.int32)) for image in GREY)
        assert x.mode == "I"
        assert iqa.psnr(x, y, 255) == iqa.psnr(*GREY)
        x, y = (Image.fromarray(image.astype(np.float32)) for image in GREY)
        assert iqa.psnr(x, y, 255) == iqa.psnr(*GREY)

    def test_masks(self):
        mask = GREY[0] > 100
        expected = iqa.ssim(*GREY, weights=mask)
        assert iqa.ssim(*GREY, weights=Image.fromarray(mask)) == expected

    def test_label_maps(self):
        """Indices of palettes and levels of grey, as for the program."""
        truth, guess = (image % 3 for image in GREY)
        expected = iqa.iou(truth, guess, 3, average="none")
        grey = [Image.fromarray(image) for image in (truth, guess)]
        colours = [[9, 9, 9], [0, 0, 0], [0, 0, 0]]  # equal colours are different labels
        maps = [palette_picture(image, colours) for image in (truth, guess)]
        for pair in (grey, maps, (maps[0], guess)):
            assert (iqa.iou(*pair, 3, average="none") == expected).all()
        bits = [Image.fromarray(image > 0) for image in (truth, guess)]
        assert iqa.iou(*bits, 2, average="macro") == iqa.iou(
            truth > 0, guess > 0, 2, average="macro"
        )
        with pytest.raises(
            iqa.DtypeError, match=r"candidate is .* mode 'RGB', whose colours are no"
        ):
            iqa.iou(truth, Image.fromarray(COLOUR[0]), 3, average="macro")


class TestMasked:
    """numpy.ma: nothing masked is plain data, anything masked has to be said otherwise."""

    CALLS = (
        ("reference", lambda a: iqa.ssim(a, np.asarray(a), 255.0)),
        ("candidate", lambda a: iqa.psnr(np.asarray(a), a, 255.0)),
        ("weights", lambda a: iqa.ssim(np.asarray(a), np.asarray(a), 255.0, weights=a / 255)),
        ("reference", lambda a: iqa.fid(a, np.asarray(a), fraction_bits=16)),
        ("candidate", lambda a: iqa.kid(np.asarray(a), a, subsets=0)),
        ("scores", lambda a: iqa.inception_score(a, splits=1)),
        ("reference", lambda a: iqa.f1(a.astype(int), np.asarray(a, int), 256, average="micro")),
        ("candidate", lambda a: iqa.f1(np.asarray(a, int), a.astype(int), 256, average="micro")),
    )

    @pytest.mark.parametrize(("name", "call"), CALLS)
    def test_refused(self, name, call):
        gaps = np.ma.masked_equal(formula_pair(64)[0], 101)
        with pytest.raises(iqa.InvalidArgumentError, match=f"{name} is a masked array, of which"):
            call(gaps)

    @pytest.mark.parametrize(("name", "call"), CALLS)
    def test_taken_where_nothing_is_masked(self, name, call):
        whole = np.ma.asarray(formula_pair(64)[0])
        assert call(whole) is not None
        image = GREY[0]
        assert iqa.psnr(np.ma.asarray(image), GREY[1]) == iqa.psnr(*GREY)

    def test_as_outputs(self):
        with pytest.raises(iqa.InvalidArgumentError, match="map is more than the memory"):
            iqa.ssim(*GREY, map=np.ma.zeros((54, 54)))


class Quantity:
    """As pint's and astropy's look: numbers, and a unit beside them."""

    def __init__(self, magnitude, units):
        self._magnitude, self._units = magnitude, units

    def __array__(self, *_, **__):
        return self._magnitude

    @property
    def magnitude(self):
        return self._magnitude

    @property
    def units(self):
        return self._units


def test_units():
    x, y = formula_pair(64)
    plain = [Quantity(image, "dimensionless") for image in (x, y)]
    assert iqa.ssim(*plain, data_range=255) == iqa.ssim(x, y, 255)
    with pytest.raises(
        iqa.InvalidArgumentError, match=r"candidate has the unit 'kelvin'.*magnitude"
    ):
        iqa.ssim(x, Quantity(y, "kelvin"), 255)
    with pytest.raises(iqa.InvalidArgumentError, match="reference has the unit 'm'"):
        iqa.fid(Quantity(x, "m"), y, fraction_bits=16)


def test_pint():
    pint = pytest.importorskip("pint")
    x, y = formula_pair(64)
    units = pint.UnitRegistry()
    with pytest.raises(iqa.InvalidArgumentError, match="reference has the unit 'kelvin'"):
        iqa.ssim(x * units.kelvin, y * units.kelvin, 255)
    assert iqa.psnr(x * units.dimensionless, y, 255) == iqa.psnr(x, y, 255)


class TestTorch:
    """Tensors whose memory awaits an operation, or that belong to a graph."""

    @pytest.fixture(autouse=True)
    def _library(self):
        self.torch = pytest.importorskip("torch")
        self.x, self.y = (self.torch.from_numpy(image) for image in formula_pair(64))

    def test_the_negative_bit(self):
        parts = self.torch.complex(self.x, self.y).conj().imag
        assert parts.is_neg()
        assert iqa.ssim(-self.y, parts, (-255, 0)) == 1.0
        assert iqa.psnr(-self.y, parts, 255) == np.inf
        assert iqa.fid(-self.y, parts, fraction_bits=16) == 0
        labels = self.torch.complex(self.x * 0, -(self.y % 5)).conj().imag
        assert iqa.f1(self.y.int() % 5, labels, 5, average="micro") == 1.0
        mask = self.torch.complex(self.x, -(self.x > 99).double()).conj().imag
        expected = iqa.ssim(self.x, self.y, 255, weights=self.x > 99)
        assert iqa.ssim(self.x, self.y, 255, weights=mask) == expected

    def test_as_outputs(self):
        shown = self.torch.zeros(54, 54, dtype=self.torch.complex128).conj().imag
        with pytest.raises(iqa.InvalidArgumentError, match="map is more than the memory"):
            iqa.ssim(self.x, self.y, 255, map=shown)

    def test_the_conjugate_bit(self):
        conjugate = self.torch.complex(self.x, self.y).conj()
        with pytest.raises(iqa.DtypeError, match="reference has element type complex128"):
            iqa.ssim(conjugate, conjugate, 255)
        assert iqa.ssim(conjugate.real, self.y, 255) == iqa.ssim(self.x, self.y, 255)

    def test_gradients_are_left_behind(self):
        y = self.y.clone().requires_grad_()
        metric = iqa.SSIM(255)
        metric.update(self.x, y)
        assert metric.compute() == iqa.ssim(self.x, self.y, 255)
        assert iqa.fid(self.x, y * 1, fraction_bits=16) == iqa.fid(self.x, self.y, fraction_bits=16)

    @pytest.mark.filterwarnings("ignore:.*quantized tensor creation:UserWarning")
    def test_quantized(self):
        coarse = self.torch.quantize_per_tensor(self.x.float(), 4.0, 3, self.torch.quint8)
        assert iqa.psnr(self.x.float(), coarse, 255) == iqa.psnr(
            self.x.float(), coarse.dequantize(), 255
        )

    def test_sparse(self):
        with pytest.raises(iqa.Error, match="reference cannot be borrowed"):
            iqa.ssim(self.x.to_sparse(), self.y, 255)
