# SPDX-License-Identifier: MIT
"""Features and FID of pictures beside the live networks of torch-fidelity and pytorch-fid.

All have the same random weights. Distances are the largest difference of a layer's features over
the largest of them.
"""

import inception_peers as peers
import numpy as np
import pytest
from conftest import REPOSITORY

import iqa
from iqa import weights

Image = pytest.importorskip("PIL.Image")
torch = pytest.importorskip("torch")

PHOTOGRAPHS = sorted((REPOSITORY / "tests" / "data" / "reference").glob("*.png"))
ALLOWED = {"float32": 3e-6, "float64": 2e-6}

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def tensors():
    return weights.random(3)


def photographs(height, width):
    """Crops of two shipped photographs, one of them the other way up."""
    crops = [np.asarray(Image.open(path).convert("RGB")) for path in PHOTOGRAPHS[:2]]
    return np.stack([crops[0][:height, :width], crops[1][::-1][:height, :width]])


def pictures_of_every_kind():
    """Photographs up and down, noise, constants, extremes; odd sizes."""
    random = np.random.default_rng(6)
    checks = np.indices((64, 65)).sum(0) % 2 * 255
    return {
        "photographs, larger": photographs(111, 87),
        "photographs": np.stack(
            [np.asarray(Image.fromarray(p).resize((299, 299))) for p in photographs(128, 128)]
        ),
        "photographs, smaller": np.stack(
            [np.asarray(Image.fromarray(p).resize((641, 403))) for p in photographs(128, 128)]
        ),
        "noise": random.integers(0, 256, (2, 310, 299, 3), dtype=np.uint8),
        "black": np.zeros((1, 30, 40, 3), np.uint8),
        "white": np.full((1, 30, 40, 3), 255, np.uint8),
        "checks": np.repeat(checks[None, ..., None], 3, axis=-1).astype(np.uint8),
    }


@pytest.mark.parametrize("dtype", ALLOWED)
@pytest.mark.parametrize("peer", peers.LAYERS)
def test_features_are_the_peers(peer, dtype, tensors):
    if not peers.present(peer):
        pytest.skip(f"{peer} is not installed")
    theirs = peers.network(peer, tensors, dtype)
    mine = iqa.Inception(tensors, resize=peers.RESIZES[peer])
    for kind, pictures in pictures_of_every_kind().items():
        expected = theirs(pictures)
        for layer, features in zip(expected, mine(pictures, list(expected)), strict=True):
            distance = np.abs(features - expected[layer]).max() / np.abs(expected[layer]).max()
            assert distance <= ALLOWED[dtype], (kind, layer)


@pytest.mark.parametrize("peer", peers.LAYERS)
def test_fid_of_crops_is_the_peers(peer, tensors):
    """By the layer of 64 features, of which few pictures make a matrix of full rank."""
    if not peers.present(peer):
        pytest.skip(f"{peer} is not installed")
    score = pytest.importorskip("pytorch_fid.fid_score")
    theirs = peers.network(peer, tensors)
    mine = iqa.Inception(tensors, resize=peers.RESIZES[peer])
    sets = []
    for path in PHOTOGRAPHS[:2]:
        picture = np.asarray(Image.open(path).convert("RGB"))
        sets.append(np.stack([picture[i % 8 * 7 :, i // 8 * 5 :][:64, :64] for i in range(80)]))
    moments = []
    for pictures in sets:
        features = theirs(pictures)["64"].astype(np.float64)
        moments += [features.mean(axis=0), np.cov(features, rowvar=False)]
    expected = score.calculate_frechet_distance(*moments)
    with iqa.FID(features=64) as metric:
        metric.update(mine(sets[0], "64"), mine(sets[1], "64"))
        assert metric.compute() == pytest.approx(expected, rel=1e-5)


def test_clean_resizing_is_clean_fids(tensors):
    """The network on what clean-fid resized, and on what the library did: by the first layer."""
    resizing = pytest.importorskip("cleanfid.resize")
    resized = resizing.build_resizer("clean")
    clean = iqa.Inception(tensors, resize="clean")
    none = iqa.Inception(tensors, resize="none", data_range=255.0)
    for kind, pictures in pictures_of_every_kind().items():
        mine = clean(pictures, "64")
        theirs = none(np.stack([resized(picture) for picture in pictures]), "64")
        assert np.abs(mine - theirs).max() <= 1e-5 * np.abs(theirs).max(), kind
