# SPDX-License-Identifier: MIT
"""Paths: the pictures in files. Right is what the arrays give that the files were made of."""

import pathlib
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from pictures import batch, formula_pair
from PIL import Image

import iqa

GREY = [image.astype(np.uint8) for image in formula_pair(64)]
COLOUR = [np.ascontiguousarray(image[0].transpose(1, 2, 0)) for image in batch(1, dtype=np.uint8)]


def saved(folder, images, ending="png", **options):
    paths = [folder / f"{number}.{ending}" for number in range(len(images))]
    for path, image in zip(paths, images):
        picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
        picture.save(path, **options)
    return paths


def png(path, samples, colour_type):
    """A PNG of 16 bits, which Pillow writes for grey only."""
    height, width = samples.shape[:2]
    rows = samples.astype(">u2").reshape(height, -1)
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)),
        (b"IDAT", zlib.compress(data)),
        (b"IEND", b""),
    )
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for name, content in chunks:
            checksum = struct.pack(">I", zlib.crc32(name + content))
            file.write(struct.pack(">I", len(content)) + name + content + checksum)


@pytest.mark.parametrize("of", [str, pathlib.Path])
def test_grey_and_colour(tmp_path, of):
    x, y = map(of, saved(tmp_path, GREY))
    assert iqa.ssim(x, y) == iqa.ssim(*GREY)
    assert iqa.psnr(x, GREY[1]) == iqa.psnr(*GREY)
    assert iqa.mae(GREY[0], y) == iqa.mae(*GREY)
    x, y = map(of, saved(tmp_path, COLOUR))
    assert iqa.ssim(x, y) == iqa.ssim(*COLOUR, layout="HWC")
    assert iqa.psnr(x, COLOUR[1]) == iqa.psnr(*COLOUR, layout="HWC")
    assert iqa.psnr(COLOUR[0], y) == iqa.psnr(*COLOUR, layout="HWC")
    assert iqa.rmse(x, y) == iqa.rmse(*COLOUR, layout="HWC")
    assert iqa.ssim(x, y, map=True).map.shape[2] == 3
    assert iqa.ssim_all(x, y)["matlab"] == iqa.ssim(*COLOUR, layout="HWC", preset="matlab")


def test_metrics_and_weights(tmp_path):
    paths = saved(tmp_path, COLOUR)
    mask = (GREY[0] > 99)[: COLOUR[0].shape[0], : COLOUR[0].shape[1]]
    metric = iqa.PSNR()
    metric.update(*paths)
    metric.update(*reversed(paths), weights=mask)
    expected = iqa.PSNR(layout="HWC")
    expected.update(*COLOUR)
    expected.update(*reversed(COLOUR), weights=mask)
    assert metric.to_bytes() == expected.to_bytes()


def test_labels(tmp_path):
    truth, guess = (image % 3 for image in GREY)
    expected = iqa.f1(truth, guess, 3, average="none")
    assert (iqa.f1(*saved(tmp_path, [truth, guess]), 3, average="none") == expected).all()
    indexed = []
    for labels in (truth, guess):
        picture = Image.frombytes("P", labels.shape[::-1], labels.tobytes())
        picture.putpalette([9, 9, 9] * 256)
        indexed.append(picture)
    x, y = saved(tmp_path, indexed)
    assert (iqa.f1(x, str(y), 3, average="none") == expected).all()
    matrix = iqa.ConfusionMatrix(3)
    matrix.update(x, guess)
    assert (matrix.f1(average="none") == expected).all()


def test_lists(tmp_path):
    """Of pictures of any sizes: as one after the other, or none."""
    colours = [image[:, :w] for w in (40, 56, 48) for image in COLOUR]
    paths = saved(tmp_path, colours)
    x, y = paths[::2], paths[1::2]
    expected = iqa.SSIM(layout="HWC")
    values = [expected(*colours[k : k + 2], per_image=True).per_image[0] for k in (0, 2, 4)]
    metric = iqa.SSIM()
    found = metric.update(list(map(str, x)), tuple(map(Image.open, y)), per_image=True)
    assert found.per_image.tolist() == values
    assert found.map is None
    assert metric.to_bytes() == expected.to_bytes()
    assert iqa.ssim(x, y) == expected.compute()
    assert iqa.ssim(*saved(tmp_path, GREY)) == iqa.ssim(*GREY)  # no metric kept a layout
    paths = saved(tmp_path, colours)
    assert iqa.psnr(x[:1], y[:1]) == iqa.psnr(*colours[:2], layout="HWC")
    into = np.zeros(3)
    metric.update(x, y, per_image=into)
    assert into.tolist() == values
    collection = iqa.MetricCollection([iqa.SSIM(), iqa.PSNR()])
    collection.update(x, y)
    assert collection.compute() == {"SSIM": iqa.ssim(x, y), "PSNR": iqa.psnr(x, y)}

    before = metric.to_bytes()
    for wrong in ((x, [y[0], y[1], x[1]]), (x, y[:2]), (x, colours[1]), ([*x, ""], [*y, ""])):
        with pytest.raises((iqa.Error, FileNotFoundError)):
            metric.update(*wrong)
        assert metric.to_bytes() == before
    with pytest.raises(iqa.InvalidArgumentError, match="map is of one pair"):
        metric.update(x, y, map=True)


def test_lists_of_labels(tmp_path):
    maps = [image[:, :w] % 3 for w in (40, 64, 20) for image in GREY]
    paths = saved(tmp_path, maps)
    matrix = iqa.ConfusionMatrix(3, score="iou", average="macro", keep_samples=True)
    found = matrix.update(paths[::2], paths[1::2], per_sample=True, counts=True)
    expected = matrix.copy()
    expected.reset()
    values = [expected.update(*maps[k : k + 2], per_sample=True).per_sample[0] for k in (0, 2, 4)]
    assert found.per_sample.tolist() == values
    assert found.counts.shape == (3, 3, 4)
    assert matrix.to_bytes() == expected.to_bytes()
    assert iqa.f1(paths[::2], paths[1::2], 3, average="micro") == expected.f1(average="micro")


def test_16_bits_of_grey(tmp_path):
    deep = [image.astype(np.uint16) * 257 + 3 for image in GREY]
    expected = iqa.psnr(*deep)
    assert iqa.psnr(*saved(tmp_path, deep)) == expected
    assert iqa.psnr(*saved(tmp_path, deep, "tiff")) == expected
    x = tmp_path / "deep.png"
    png(x, deep[0], 0)
    assert iqa.psnr(x, deep[1]) == expected


@pytest.mark.parametrize(("colour_type", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_16_bits_that_pillow_halves(tmp_path, colour_type, channels):
    path = tmp_path / "deep.png"
    samples = np.full((32, 32, channels), 65535, np.uint16)
    samples[..., 0] = np.arange(32)
    png(path, samples, colour_type)
    with pytest.raises(iqa.DtypeError, match=r"candidate is a picture of .* 8 of 16 bits"):
        iqa.psnr(np.zeros((32, 32, 3), np.uint8), str(path), layout="HWC")
    with Image.open(path) as picture, pytest.raises(iqa.DtypeError, match="8 of 16 bits"):
        iqa.psnr(picture, picture)


def test_16_bits_of_netpbm(tmp_path):
    path = tmp_path / "deep.ppm"
    path.write_bytes(b"P6 16 16 65535\n" + bytes(range(256)) * 6)
    with pytest.raises(iqa.DtypeError, match="8 of 16 bits"):
        iqa.ssim(path, path)
    path.write_bytes(b"P6 16 16 255\n" + bytes(range(256)) * 3)
    assert iqa.ssim(path, path) == 1.0


def test_alpha_and_palettes(tmp_path):
    opaque = [Image.fromarray(image).convert("RGBA") for image in COLOUR]
    assert iqa.psnr(*saved(tmp_path, opaque)) == iqa.psnr(*COLOUR, layout="HWC")
    glass = opaque[0].copy()
    glass.putalpha(100)
    x, y = saved(tmp_path, [glass, opaque[1]])
    with pytest.raises(iqa.InvalidArgumentError, match=r"reference is .* with transparent pixels"):
        iqa.psnr(x, y)
    few = [picture.convert("RGB").quantize(16) for picture in opaque]
    colours = [np.asarray(picture.convert("RGB")) for picture in few]
    for ending in ("png", "gif"):
        assert iqa.psnr(*saved(tmp_path, few, ending)) == iqa.psnr(*colours, layout="HWC")


def test_films_are_refused(tmp_path):
    film = tmp_path / "film.gif"
    frames = [Image.fromarray(image) for image in GREY]
    frames[0].save(film, save_all=True, append_images=frames[1:])
    with pytest.raises(iqa.InvalidArgumentError, match=r"film.gif', which has 2 pictures"):
        iqa.ssim(film, film)


def test_what_is_no_picture(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.png"):
        iqa.ssim("nothing.png", GREY[1])
    with pytest.raises(IsADirectoryError):
        iqa.ssim(tmp_path, GREY[1])
    with pytest.raises(iqa.CorruptError, match=r"reference is .*test_files.py.*, which Pillow"):
        iqa.ssim(__file__, GREY[1])
    (path,) = saved(tmp_path, COLOUR[:1])
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(iqa.CorruptError, match=r"candidate is .*0.png', which Pillow refuses"):
        iqa.ssim(COLOUR[0], path, layout="HWC")
    for call in (lambda: iqa.fid("a.png", "b.png"), lambda: iqa.inception_score("a.png")):
        with pytest.raises(iqa.DtypeError, match=r"builtins\.str, expected an array"):
            call()


def test_files_are_closed(tmp_path):
    """Warnings of unclosed files are errors here, and the pictures stay after their files."""
    x, y = saved(tmp_path, GREY)
    metric = iqa.SSIM()
    metric.update(x, y)
    x.unlink()
    y.unlink()
    assert metric.compute() == iqa.ssim(*GREY)


def test_without_pillow(tmp_path):
    x, y = saved(tmp_path, GREY)
    code = (
        "import sys; sys.modules['PIL'] = None\nimport iqa\n"
        f"try: iqa.ssim({str(x)!r}, {str(y)!r})\n"
        "except iqa.UnavailableError as problem: print(problem)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert "read by Pillow, which is not installed" in done.stdout


class TestLayout:
    """Taken from what an array is, where that leaves no choice."""

    def test_pillow_pictures(self):
        x, y = map(Image.fromarray, COLOUR)
        assert iqa.ssim(x, y) == iqa.ssim(*COLOUR, layout="HWC")
        metric = iqa.SSIM()
        assert metric(x, y) == iqa.ssim(x, y)
        with pytest.raises(iqa.ShapeError):
            metric.update(*map(Image.fromarray, GREY))
        with pytest.raises(iqa.ShapeError):
            iqa.ssim(x, y, layout="HW")

    def test_an_array_says_nothing(self):
        for shape in ((2, 3, 32, 32), (3, 32, 32)):
            x = np.zeros(shape, np.uint8)
            with pytest.raises(iqa.ShapeError, match="never guessed"):
                iqa.ssim(x, x)

    def test_tensors(self):
        torch = pytest.importorskip("torch")
        x, y = (torch.from_numpy(images) for images in batch(3))
        expected = iqa.ssim(x, y, 1.0, "NCHW")
        assert iqa.ssim(x, y, 1.0) == expected
        last = (images.to(memory_format=torch.channels_last) for images in (x, y))
        assert iqa.ssim(*last, 1.0) == expected
        assert iqa.mae(x, y) == iqa.mae(x, y, "NCHW")
        metric = iqa.SSIM(1.0)
        assert metric(x, y) == expected
        assert metric.fingerprint == iqa.SSIM(1.0, "NCHW").fingerprint
        assert iqa.SSIM(1.0)(x.numpy(), y) == expected

    def test_a_call_takes_no_layout_that_the_metric_cannot(self):
        """And neither does a collection: what is refused leaves no trace."""
        torch = pytest.importorskip("torch")
        x, y = (torch.from_numpy(images) for images in batch(2))
        grey = (x[0, 0], y[0, 0])
        collection = iqa.MetricCollection(
            {
                "mean": iqa.PSNR(1.0),
                "of means": iqa.PSNR(1.0, aggregate="mean_of_psnr"),
                "ssim": iqa.SSIM(1.0),
            }
        )
        for metric in (iqa.PSNR(1.0), collection):
            first = metric(*grey)
            for _ in range(2):
                with pytest.raises(iqa.ShapeError, match="never guessed"):
                    metric(x, y)
                assert metric(*grey) == first
            assert iqa.merge([metric])(*grey) == first
        metric = iqa.PSNR(1.0)
        metric(*grey)
        metric.reset()
        metric.update(x, y)
        assert metric(x, y) == iqa.psnr(x, y, 1.0)
        collection.update(*grey)
        with pytest.raises(iqa.ShapeError, match="never guessed"):
            collection.update(x, y)
        assert [metric.images for metric in collection.values()] == [4, 4, 4]
        fresh = iqa.MetricCollection([iqa.PSNR(1.0), iqa.SSIM(1.0)])
        with pytest.raises(iqa.ShapeError):
            fresh(x[..., :8], y[..., :8])
        assert fresh(*grey)["SSIM"] == iqa.ssim(*grey, 1.0)

    def test_tensors_that_leave_a_choice(self):
        torch = pytest.importorskip("torch")
        x = torch.zeros(3, 32, 32)
        with pytest.raises(iqa.ShapeError, match="layout='HWC' or layout='CHW' or layout='NHW'"):
            iqa.ssim(x, x, 1.0)
        x = torch.zeros(2, 3, 16, 32, 32)
        with pytest.raises(iqa.ShapeError, match="layout='NCDHW'"):
            iqa.ssim(x, x, 1.0)
        x = torch.zeros(2, 32, 32, 3)
        with pytest.raises(iqa.ShapeError, match="looks like NHWC"):
            iqa.ssim(x, x, 1.0)
        assert iqa.ssim(x, x, 1.0, "NHWC") == 1.0
        with pytest.raises(iqa.ShapeError):
            iqa.SSIM(1.0, "HW").update(x[:, 0], x[:, 0])

    def test_metrics_without_images_take_part(self):
        """As in a process of many that was dealt none."""
        torch = pytest.importorskip("torch")
        x, y = (torch.from_numpy(images) for images in batch(3))
        full = iqa.PSNR(1.0)
        full.update(x, y)
        state = full.to_bytes()
        assert (full + iqa.PSNR(1.0)).to_bytes() == state
        assert (iqa.PSNR(1.0) + full).to_bytes() == state
        assert iqa.merge([iqa.PSNR(1.0), full, iqa.PSNR(1.0)]).to_bytes() == state
        empty = iqa.PSNR(1.0)
        empty.add_lanes(full.lanes(), fingerprint=full.fingerprint)
        assert empty.to_bytes() == state
        for other in (iqa.PSNR(1.0, "HW"), iqa.PSNR(1.0, shave=1)):
            with pytest.raises(iqa.IncompatibleError):
                other.add_lanes(full.lanes(), fingerprint=full.fingerprint)
        with pytest.raises(iqa.IncompatibleError):
            full + iqa.PSNR(2.0)
        grey = iqa.PSNR(1.0)
        grey.update(x[0, 0], y[0, 0])
        with pytest.raises(iqa.ShapeError, match="never guessed"):
            grey.update(x, y)
        with pytest.raises(iqa.IncompatibleError):
            grey + full
