# SPDX-License-Identifier: MIT
"""Threads of the caller, progress and cancelling."""

import gc
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from pictures import batch

import iqa


def test_one_metric_for_each_thread():
    x, y = batch(32, 100, 120)
    whole = iqa.SSIM(1.0, "NCHW")
    whole.update(x, y)

    def work(part):
        metric = iqa.SSIM(1.0, "CHW", context=iqa.Context(threads=1))
        for image in range(part, 32, 4):
            metric.update(x[image], y[image])
        return metric

    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(work, range(4))
    for other in others:
        first.merge(other)
    assert first.lanes().tolist() == whole.lanes().tolist()


def test_metrics_of_one_thread_used_by_others():
    x, y = batch(8, 200, 200)
    metrics = [iqa.PSNR(1.0, "NCHW") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda metric: [metric.update(x, y) for _ in range(20)], metrics))
    assert len({metric.to_bytes() for metric in metrics}) == 1


def test_functions_in_many_threads():
    pairs = [batch(1, 64, 64, 1, seed=seed) for seed in range(8)]
    expected = [iqa.ssim(x, y, 1.0, "NCHW") for x, y in pairs]

    def work(turn):
        x, y = pairs[turn % 8]
        return iqa.ssim(x, y, 1.0, "NCHW") == expected[turn % 8]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(400)))


def test_a_metric_in_use_by_another_thread():
    x, y = batch(1, 600, 600)
    found = []

    def use():
        try:
            metric.compute()
        except RuntimeError as problem:
            found.append(str(problem))

    def progress(done, total):
        if not found:
            other = threading.Thread(target=use)
            other.start()
            other.join()

    metric = iqa.SSIM(1.0, "NCHW", context=iqa.Context(1, progress=progress))
    metric.update(x, y)
    assert "in use by another thread: give each thread its own" in found[0]
    assert metric.images == 1


def test_progress_counts_up_to_its_total():
    calls = []
    context = iqa.Context(threads=1, progress=lambda done, total: calls.append((done, total)))
    iqa.ssim(*batch(4, 500, 500), 1.0, "NCHW", context=context)
    assert calls
    assert len({total for _, total in calls}) == 1
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
    assert all(0 <= done <= total for done, total in calls)


@pytest.mark.parametrize("kind", [iqa.SSIM, iqa.PSNR])
@pytest.mark.parametrize("problem", [iqa.CancelledError("enough"), KeyboardInterrupt(), OSError(5)])
def test_an_exception_of_progress_cancels(kind, problem):
    def progress(done, total):
        raise problem

    # With more threads a busy machine may leave no piece to the calling thread, which reports.
    metric = kind(1.0, "NCHW", context=iqa.Context(threads=1, progress=progress))
    before = metric.to_bytes()
    with pytest.raises(type(problem)) as caught:
        metric.update(*batch(2, 400, 400))
    assert caught.value is problem
    assert metric.to_bytes() == before


def test_what_progress_returns_does_not_matter():
    metric = iqa.SSIM(1.0, "NCHW", context=iqa.Context(progress=lambda done, total: True))
    metric.update(*batch(2, 400, 400))
    assert metric.images == 2


def test_a_signal_handler_that_measures():
    x, y = batch(1, 32, 32, 1, seed=1)
    other_x, other_y = batch(1, 32, 32, 1, seed=2)
    expected = iqa.ssim(x, y, 1.0, "NCHW")
    handled = []
    previous = signal.signal(
        signal.SIGALRM, lambda *_: handled.append(iqa.ssim(other_x, other_y, 1.0, "NCHW"))
    )
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0007)
    try:
        for _ in range(3000):
            assert iqa.ssim(x, y, 1.0, "NCHW") == expected
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert handled
    assert set(handled) == {iqa.ssim(other_x, other_y, 1.0, "NCHW")}


def test_metrics_outlive_their_context_and_die_in_any_thread():
    context = iqa.Context(threads=1)
    metrics = [iqa.SSIM(1.0, context=context) for _ in range(10)]
    del context
    x = np.zeros((20, 20))
    for metric in metrics:
        metric.update(x, x)
    thread = threading.Thread(target=metrics.clear)
    del metric
    thread.start()
    thread.join()
    gc.collect()


def test_context_properties(monkeypatch):
    assert iqa.Context(threads=3).threads == 3
    assert iqa.Context().threads == len(os.sched_getaffinity(0))
    assert iqa.Context(instruction_set="baseline").instruction_set == "baseline"
    assert repr(iqa.Context(1, "baseline")) == "<iqa.Context, 1 threads, baseline>"
    assert iqa.cuda_state().split(":")[0] in ("available", "unavailable")


def test_sixteen_kept_options():
    """More kinds of one-shot calls than a thread keeps metrics for."""
    x, y = batch(1, 24, 24, 1)
    values = [iqa.ssim(x, y, 1.0, "NCHW", k1=0.01 * k) for k in range(1, 17)]
    assert values == [iqa.ssim(x, y, 1.0, "NCHW", k1=0.01 * k) for k in range(1, 17)]
    assert len(set(values)) == 16
    assert iqa.ssim(x, y, [0, 1], "NCHW", sigma=[1.5, 1.5]) == iqa.ssim(x, y, 1.0, "NCHW")
