# SPDX-License-Identifier: MIT
"""State as bytes, as pickles, as copies and as lanes."""

import copy
import gc
import pickle
import random
import struct
from array import array

import numpy as np
import pytest
from pictures import batch

import iqa

KINDS = [
    (iqa.SSIM, {}),
    (iqa.SSIM, {"border": "zero", "size": (3, 5), "sigma": 0.8, "arithmetic": "float64"}),
    (iqa.PSNR, {"aggregate": "mean_of_psnr", "cap": 80.0}),
    (iqa.MeanErrors, {"measure": "nrmse_mean", "shave": 1}),
]

pytestmark = pytest.mark.parametrize(("kind", "options"), KINDS)


def filled(kind, options, context=None):
    metric = kind(1.0, "NCHW", context=context, **options)
    metric.update(*batch(3))
    return metric


@pytest.mark.parametrize(
    "send",
    [
        lambda metric: type(metric).from_bytes(metric.to_bytes()),
        lambda metric: type(metric).from_bytes(bytearray(metric.to_bytes())),
        lambda metric: pickle.loads(pickle.dumps(metric)),
        lambda metric: pickle.loads(pickle.dumps(metric, protocol=0)),
        copy.copy,
        copy.deepcopy,
        lambda metric: metric.copy(),
    ],
    ids=["bytes", "bytearray", "pickle", "pickle0", "copy", "deepcopy", "method"],
)
def test_round_trips(kind, options, send):
    metric = filled(kind, options)
    twin = send(metric)
    assert type(twin) is kind
    assert twin.to_bytes() == metric.to_bytes()
    assert twin.compute() == metric.compute()
    before = metric.to_bytes()
    more = batch(2, seed=9)
    found = twin.update(*more, per_image=True, per_channel=True, map=kind is iqa.SSIM)
    assert metric.to_bytes() == before
    expected = metric.update(*more, per_image=True, per_channel=True, map=kind is iqa.SSIM)
    assert twin.to_bytes() == metric.to_bytes()
    for one, other in zip(found, expected):
        np.testing.assert_array_equal(one, other)


def test_copies_keep_the_context_of_the_caller(kind, options):
    context = iqa.Context(threads=1)
    assert filled(kind, options, context).copy()._context is context
    own = filled(kind, options)
    assert own.copy()._context is not own._context


def test_reset(kind, options):
    metric = filled(kind, options)
    empty = kind(1.0, "NCHW", **options).to_bytes()
    metric.reset()
    assert metric.images == 0
    assert metric.to_bytes() == empty


def test_another_kind_of_metric(kind, options):
    other = iqa.PSNR if kind is iqa.SSIM else iqa.SSIM
    with pytest.raises(iqa.IncompatibleError, match=f"another metric than {other.__name__}"):
        other.from_bytes(filled(kind, options).to_bytes())


def test_damaged_bytes(kind, options):
    state = filled(kind, options).to_bytes()
    for size in range(len(state)):
        with pytest.raises(iqa.CorruptError):
            kind.from_bytes(state[:size])
    chance = random.Random(0)
    for _ in range(200):
        damaged = bytearray(state)
        damaged[chance.randrange(len(state))] ^= 1 << chance.randrange(8)
        with pytest.raises((iqa.CorruptError, iqa.IncompatibleError)):
            kind.from_bytes(damaged)


def test_lanes(kind, options):
    metric = filled(kind, options)
    lanes = metric.lanes()
    assert lanes.dtype == np.int64
    assert lanes.ndim == 1
    for form in (lanes, lanes.tolist(), array("q", lanes), memoryview(lanes), lanes[::-1][::-1]):
        twin = kind(1.0, "NCHW", **options)
        twin.add_lanes(form)
        assert twin.to_bytes() == metric.to_bytes()
    empty = kind(1.0, "NCHW", **options)
    assert not empty.lanes().any()
    with pytest.raises(iqa.ArgumentTypeError):
        empty.add_lanes(lanes.astype(float))
    with pytest.raises(iqa.ArgumentTypeError):
        empty.add_lanes([2**63] * len(lanes))
    with pytest.raises(iqa.IncompatibleError):
        empty.add_lanes(lanes[1:])
    with pytest.raises(iqa.IncompatibleError):
        empty.add_lanes(-lanes)
    assert not empty.lanes().any()


def test_fingerprints(kind, options):
    metric = filled(kind, options)
    twin = kind(1.0, "NCHW", **options)
    assert twin.fingerprint == metric.fingerprint
    assert -(2**63) <= twin.fingerprint < 2**63
    assert pickle.loads(pickle.dumps(metric)).fingerprint == twin.fingerprint
    for form in (metric.fingerprint, metric.fingerprint % 2**64, np.int64(metric.fingerprint)):
        twin.reset()
        twin.add_lanes(metric.lanes(), fingerprint=form)
        assert twin.to_bytes() == metric.to_bytes()
    others = [kind(2.0, "NCHW", **options), kind(1.0, "NHWC", **options)]
    for other in others:
        assert other.fingerprint != metric.fingerprint
        with pytest.raises(iqa.IncompatibleError, match=r"fingerprint is .*, but this metric's is"):
            other.add_lanes(metric.lanes(), fingerprint=metric.fingerprint)
        assert other.images == 0
    with pytest.raises(iqa.InvalidArgumentError, match="fingerprint is 'x', expected an integer"):
        twin.add_lanes(metric.lanes(), fingerprint="x")


def test_the_fingerprint_is_that_of_the_state_file(kind, options):
    """FNV-1a as docs/reference/abi.md has it: format version, kind and the bytes of the options."""
    state = filled(kind, options).to_bytes()
    _, _, _, size, _ = struct.unpack_from("<4sHHII", state)
    value = 0xCBF29CE484222325
    for byte in state[4:8] + state[16 : 16 + size]:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    assert kind(1.0, "NCHW", **options).fingerprint % 2**64 == value


def test_merging_with_itself_doubles(kind, options):
    metric = filled(kind, options)
    value = metric.compute()
    metric.merge(metric)
    assert metric.images == 6
    assert metric.compute() == value


def test_subclasses_come_back_as_such(kind, options):
    class Own(kind):
        pass

    Own.__qualname__ = Own.__name__
    assert type(Own.from_bytes(filled(kind, options).to_bytes())) is Own


def test_finalizers_of_a_cycle(kind, options):
    """The collector runs them in any order: one may use a metric that was finalized before."""
    found = []

    class Last:
        def __init__(self):
            self.metric = filled(kind, options)
            self.cycle = self

        def __del__(self):
            try:
                found.append(self.metric.compute())
            except iqa.InvalidArgumentError as problem:
                found.append(str(problem))

    for _ in range(3):
        Last()
    gc.collect()
    assert len(found) == 3
    assert set(found) <= {"the metric is closed", filled(kind, options).compute()}
