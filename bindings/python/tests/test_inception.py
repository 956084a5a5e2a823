# SPDX-License-Identifier: MIT
"""Features of pictures: the same whatever holds the pictures, and Pillow's resizing."""

import subprocess
import sys

import numpy as np
import pytest
from conftest import REPOSITORY

import iqa
from iqa import weights

Image = pytest.importorskip("PIL.Image")

PICTURES = sorted((REPOSITORY / "tests" / "data" / "reference").glob("*.png"))[:3]


@pytest.fixture(scope="module")
def tensors():
    return weights.random(3)


@pytest.fixture(scope="module")
def network(tensors):
    return iqa.Inception(tensors)


@pytest.fixture(scope="module")
def photographs():
    return np.stack([np.asarray(Image.open(path).convert("RGB"))[:96, :112] for path in PICTURES])


def test_layers_come_in_one_pass(network, photographs):
    together = network(photographs, ["64", "logits"])
    assert [f.shape for f in together] == [(len(photographs), 64), (len(photographs), 1008)]
    assert np.array_equal(together[0], network(photographs, 64))
    assert np.array_equal(together[1], network(photographs, "logits"))
    assert len(np.unique(together[0], axis=0)) == len(photographs)


def test_what_holds_the_pictures_makes_no_difference(network, photographs, tmp_path):
    expected = network(photographs, 192)
    planar = np.ascontiguousarray(photographs.transpose(0, 3, 1, 2))
    assert np.array_equal(network(planar, 192, layout="NCHW"), expected)
    flipped = photographs[:, ::-1]
    assert np.array_equal(network(flipped, 192), network(flipped.copy(), 192))
    assert np.array_equal(network(photographs[0], 192, layout="HWC"), expected[:1])
    assert np.array_equal(network(list(photographs), 192, layout="HWC"), expected)
    images = [Image.fromarray(photo) for photo in photographs]
    assert np.array_equal(network(images, 192), expected)
    paths = [tmp_path / f"{i}.png" for i in range(len(images))]
    for image, path in zip(images, paths):
        image.save(path)
    assert np.array_equal(network([paths[0], str(paths[1])], 192), expected[:2])
    grey = np.asarray(images[0].convert("L"))
    assert np.array_equal(network([images[0].convert("L")], 64), network(grey, 64))


def test_random_weights_are_the_same_everywhere(network):
    assert network.digest == "648e8eb2b687a548"


def test_weights_from_a_file(network, tensors, tmp_path):
    save = pytest.importorskip("safetensors.numpy").save_file
    path = tmp_path / "random.safetensors"
    save(tensors, path)
    assert iqa.Inception(path).digest == network.digest
    with pytest.raises(iqa.InvalidArgumentError, match=r"expected a \.safetensors file"):
        iqa.Inception(tmp_path / "w.pth")
    command = [sys.executable, "-m", "iqa.weights", "random", "--seed", "3", str(tmp_path / "r")]
    assert network.digest in subprocess.check_output(command, text=True)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (lambda w: w.pop("fc.bias"), iqa.InvalidArgumentError, "tensors lacks fc.bias"),
        (lambda w: w.update(x=w["fc.bias"]), iqa.InvalidArgumentError, "does not have"),
        (lambda w: w.update({"fc.bias": np.zeros(3, "f4")}), iqa.ShapeError, r"expected \[1008\]"),
    ],
)
def test_wrong_weights(tensors, change, error, text):
    wrong = dict(tensors)
    change(wrong)
    with pytest.raises(error, match=text):
        iqa.Inception(wrong)


def test_wrong_pictures(network, photographs):
    with pytest.raises(iqa.ShapeError, match="the layout is HWC"):
        network(photographs, layout="HWC")
    never = r"axes are is never guessed: expected layout='HWC' or layout='CHW' or layout='NHW'"
    for some in (photographs[0], list(photographs)):
        with pytest.raises(iqa.ShapeError, match=never):
            network(some)
    with pytest.raises(iqa.ShapeError, match="never guessed"):
        iqa.fid_of_images([photographs[0]], photographs, network)
    with pytest.raises(iqa.InvalidArgumentError, match="layer is '65'"):
        network(photographs, 65)
    with pytest.raises(iqa.InvalidArgumentError, match="pictures is empty"):
        network([])
    with pytest.raises(iqa.ShapeError, match="take the alpha channel off"):
        network(np.zeros((1, 8, 8, 4), "u1"))
    with pytest.raises(iqa.InvalidArgumentError, match="closed"):
        closed = iqa.Inception(weights.random(1))
        closed.close()
        closed(photographs)


def test_fid_of_images(network, photographs):
    assert iqa.fid_of_images(photographs, photographs, network) == 0.0
    other = 255 - photographs
    value = iqa.fid_of_images(photographs, other, network)
    assert value > 0
    assert iqa.fid_of_images(photographs, [other[:1], other[1:]], network) == value
    metric = iqa.FID()
    metric.update(network(photographs), network(other))
    assert metric.compute() == value


def test_the_origin_stays_with_the_features(network, tensors, photographs, tmp_path):
    metric = iqa.FID(**network.origin(64))
    assert metric.origin == {"weights": network.digest, "layer": "64", "resize": "tensorflow"}
    metric.update(network(photographs, 64), network(255 - photographs, 64))
    assert iqa.FID.from_bytes(metric.to_bytes()).origin == metric.origin
    clean = iqa.FID(**iqa.Inception(tensors, resize="clean").origin(64))
    expected = (
        f"of this metric come from weights {network.digest}, layer 64, resize tensorflow; those of"
        f" the other from weights {network.digest}, layer 64, resize clean"
    )
    with pytest.raises(iqa.IncompatibleError, match=expected):
        metric.merge(clean)
    plain = iqa.FID(64)
    assert plain.origin is None
    assert iqa.FID.from_bytes(plain.to_bytes()).origin is None
    with pytest.raises(iqa.IncompatibleError, match="from a network that is not stated"):
        metric.merge(plain)
    with pytest.raises(iqa.IncompatibleError, match="of other options"):
        metric.add_lanes(clean.lanes(), fingerprint=clean.fingerprint)


def test_statistics_state_their_origin(network, photographs, tmp_path):
    features = network(photographs, 64)
    paths = {name: tmp_path / f"{name}.npz" for name in ("plain", "mine", "other")}
    origins = {
        "plain": {},
        "mine": network.origin(64),
        "other": {**network.origin(64), "weights": 7},
    }
    for name, path in paths.items():
        metric = iqa.FID(**{"features": 64, **origins[name]})
        metric.update(features)
        metric.save_statistics(path, "reference")
    assert iqa.fid_from_statistics(paths["mine"], paths["mine"]).value == 0
    assert iqa.fid_from_statistics(paths["plain"], paths["mine"]).value == 0
    expected = f"the reference features come from weights {network.digest}, layer 64, .*0007, layer"
    with pytest.raises(iqa.IncompatibleError, match=expected):
        iqa.fid_from_statistics(paths["mine"], paths["other"])
    arrays = dict(np.load(paths["mine"]))
    np.savez(tmp_path / "bad.npz", **{**arrays, "origin": np.zeros(3, np.uint8)})
    with pytest.raises(iqa.CorruptError, match="array origin is no JSON object"):
        iqa.fid_from_statistics(tmp_path / "bad.npz", paths["mine"])


def resized_by_pillow(picture):
    """Pillow's resizing of each channel as floats, which clean-fid takes."""
    channels = [
        Image.fromarray(picture[..., i].astype(np.float32), mode="F").resize(
            (299, 299), resample=Image.BICUBIC
        )
        for i in range(3)
    ]
    return np.stack([np.asarray(channel).clip(0, 255) for channel in channels], axis=-1)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_clean_resizing_is_pillows(tensors, photographs):
    """The network on what Pillow resized, and on what the library did: by the first layer."""
    random = np.random.default_rng(5)
    resize = iqa.Inception(tensors, resize="clean")
    none = iqa.Inception(tensors, resize="none", data_range=255.0)
    for height, width in ((40, 50), (299, 299), (301, 280), (700, 900)):
        noise = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        smooth = np.asarray(Image.fromarray(photographs[0]).resize((width, height)))
        for picture in (noise, smooth):
            mine = resize(picture[None], 64)
            theirs = none(resized_by_pillow(picture)[None], 64)
            assert np.abs(mine - theirs).max() <= 1e-5 * np.abs(theirs).max()
