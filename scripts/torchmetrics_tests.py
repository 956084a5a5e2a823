#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs TorchMetrics' own unit tests against the classes of iqa.torchmetrics.

    scripts/torchmetrics_tests.py CHECKOUT [--every N] [arguments of pytest]

CHECKOUT is a clone of https://github.com/Lightning-AI/torchmetrics at the tag of the installed
version. Its classes are replaced by ours of the same name before its tests are imported; a test
counts where it made one of ours, or had one measured in other processes. Tests of functions are
left out. What fails is run once more with TorchMetrics' own classes, for some tests fail there too.
Where PyTorch's folder of downloads has no weights of the Inception network, both sides get random
ones. With --every only each N-th test runs; all of them take hours. Needs torch, torchmetrics and
what those tests import, of the versions that TorchMetrics names. Exit status 1 where a test fails
that is not among the exceptions of docs/guide/torchmetrics.md, which stand here too, with reasons.
"""

from __future__ import annotations

import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile

FILES = (
    *(
        f"classification/test_{name}.py"
        for name in (
            *("accuracy", "cohen_kappa", "confusion_matrix", "f_beta", "jaccard"),
            *("matthews_corrcoef", "precision_recall", "specificity"),
        )
    ),
    *(f"image/test_{name}.py" for name in ("fid", "inception", "kid", "ms_ssim", "psnr", "ssim")),
    "regression/test_mean_error.py",
    *(f"segmentation/test_{name}.py" for name in ("dice", "generalized_dice_score", "mean_iou")),
    *(f"bases/test_{name}.py" for name in ("collections", "composition", "ddp", "hashing")),
    *(
        f"wrappers/test_{name}.py"
        for name in ("bootstrapping", "classwise", "minmax", "multioutput", "running", "tracker")
    ),
)

WEIGHTS = "weights-inception-2015-12-05-6726825d.pth"

EXCEPTIONS: tuple[tuple[str, str], ...] = (
    (
        r"(fbeta_score|precision_recall)\[1-.*(macro|weighted)-samplewise",
        "zero_division=1 and a sample of which nothing is left, or no element of the class:"
        " TorchMetrics gives 0, we what zero_division says, or the mean of the classes",
    ),
    (r"differentiability", "results have no gradient; iqa.torch has losses"),
    (
        r"test_mean_error\.py::test_error_on_(different_shape|wrong_extra_args)\[Mean"
        r"|test_mean_iou_class\[.*-preds5-target5-index-None\]"
        r"|test_(fid|kid|is)_raises_errors_and_warnings|test_kid_extra_parameters"
        r"|test_fid\.py::test_(normalize_arg\[False\]|not_enough_samples)"
        r"|test_(kid|inception)\.py::test_normalize_arg_false",
        "texts of errors and warnings are ours",
    ),
    (
        r"test_check_compute_groups_\w+\[.*"
        r"(two_metrics_from_different_classes|multi_group_multi_metric|complex_example)",
        "a collection finds larger groups: all scores of one task share their counts",
    ),
    (
        r"test_dice_score_metric_collection",
        "scores whose axis of classes is not num_classes long are refused",
    ),
    (
        r"test_fid_same_input|test_fid\.py::test_reset_real_features_arg",
        "FID's state is lanes: real_features_sum and the other sums are no attributes",
    ),
    (
        r"test_dtype_transfer_to_submodule",
        "the network's features are float32 whatever set_dtype says",
    ),
)
"""What may fail: a regular expression of the test's name, and the reason."""


def own_metrics() -> tuple[type, ...]:
    """Our classes that are metrics."""
    import torchmetrics

    import iqa.torchmetrics as ours

    kinds = (getattr(ours, name) for name in ours.__all__)
    return tuple(kind for kind in kinds if issubclass(kind, torchmetrics.Metric))


class Replacing:
    """The plugin of pytest: puts our classes in place, and sees which tests use them."""

    def __init__(self, every: int) -> None:
        self.every = every
        self.used = False
        self.outcomes: dict[str, str] = {}

    def pytest_configure(self, config: object) -> None:
        """Replaces the classes in all modules of TorchMetrics."""
        import torchmetrics.image.fid
        import torchmetrics.image.inception
        import torchmetrics.image.kid
        import torchmetrics.segmentation  # noqa: F401
        import torchmetrics.wrappers  # noqa: F401

        import iqa.torchmetrics as ours

        for name in ours.__all__:
            ours_of_name = getattr(ours, name)
            for module_name, module in list(sys.modules.items()):
                if module_name.partition(".")[0] == "torchmetrics" and name in vars(module):
                    setattr(module, name, ours_of_name)
        begin, kinds, plugin = torchmetrics.Metric.__init__, own_metrics(), self

        def __init__(metric: object, *args: object, **kwargs: object) -> None:
            plugin.used |= isinstance(metric, kinds)
            begin(metric, *args, **kwargs)

        torchmetrics.Metric.__init__ = __init__

    def pytest_collection_modifyitems(self, items: list[object]) -> None:
        """Leaves out tests of functions, and takes each N-th of the others."""
        items[:] = [item for item in items if "functional" not in item.name][:: self.every]

    def pytest_collection_finish(self) -> None:
        """Sees what is measured in other processes."""
        from unittests._helpers.testers import MetricTester

        run, kinds, plugin = MetricTester.run_class_metric_test, own_metrics(), self

        def run_class_metric_test(self: object, *args: object, **kwargs: object) -> object:
            given = kwargs.get("metric_class", args[3] if len(args) > 3 else None)
            kind = getattr(given, "func", given)
            plugin.used |= isinstance(kind, type) and issubclass(kind, kinds)
            return run(self, *args, **kwargs)

        MetricTester.run_class_metric_test = run_class_metric_test

    def pytest_runtest_setup(self, item: object) -> None:
        """Before each test, some of which are given metrics that were made for them."""
        import torch

        kinds = own_metrics()

        def holds(value: object) -> bool:
            if isinstance(value, torch.nn.Module):
                return any(isinstance(part, kinds) for part in value.modules())
            if isinstance(value, dict):
                value = list(value.values())
            return isinstance(value, (list, tuple)) and any(map(holds, value))

        self.used = holds(getattr(getattr(item, "callspec", None), "params", None))

    def pytest_runtest_logreport(self, report: object) -> None:
        """After each part of a test."""
        if report.when == "call" and (self.used or report.failed):
            self.outcomes[report.nodeid] = report.outcome if self.used else "not ours"
        elif report.when == "setup" and report.failed:
            self.outcomes[report.nodeid] = "failed"


def fail_with_theirs(failed: list[str]) -> set[str]:
    """Which of the tests fail with TorchMetrics' own classes too."""
    if not failed:
        return set()
    command = [sys.executable, "-m", "pytest", "-q", "-rfE", "--tb=no", "-p", "no:cacheprovider"]
    command += ["--color=no", "--rootdir", os.getcwd(), *failed]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = result.stdout.splitlines()
    told = [line.partition(" ")[2] for line in lines if line.startswith(("FAILED ", "ERROR "))]
    return {test for test in failed if any(line.startswith(test) for line in told)}


def summary(outcomes: dict[str, str]) -> int:
    """Prints the figures; the number of failures that are no exceptions."""
    failed = [test for test, outcome in outcomes.items() if outcome == "failed"]
    for test in fail_with_theirs(failed):
        outcomes[test] = "theirs too"
    files: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    unknown, reasons = [], collections.Counter()
    for test, outcome in outcomes.items():
        if outcome == "failed":
            reason = next((why for what, why in EXCEPTIONS if re.search(what, test)), None)
            outcome = "failed" if reason is None else "excepted"
            unknown += [test] if reason is None else []
            reasons[reason] += reason is not None
        files[test.partition("::")[0]][outcome] += 1
    words = ("passed", "theirs too", "excepted", "failed", "skipped")
    print(f"\n{'tests that measure with our classes':52}" + "".join(f"{w:>12}" for w in words))
    total: collections.Counter[str] = collections.Counter()
    for name, counts in sorted(files.items()):
        if sum(counts[word] for word in words):
            print(f"{name:52}" + "".join(f"{counts[word]:12}" for word in words))
            total += counts
    print(f"{'all':52}" + "".join(f"{total[word]:12}" for word in words))
    for reason, count in reasons.items():
        if reason:
            print(f"{count:5} excepted: {reason}")
    for test in unknown:
        print(f"FAILED {test}")
    return len(unknown)


def random_weights(folder: str) -> None:
    """Puts weights where torch-fidelity and iqa.torchmetrics look for downloaded ones."""
    import torch

    import iqa.weights

    checkpoints = pathlib.Path(folder, "hub", "checkpoints")
    checkpoints.mkdir(parents=True)
    tensors = {name: torch.from_numpy(tensor) for name, tensor in iqa.weights.random().items()}
    torch.save(tensors, checkpoints / WEIGHTS)
    os.environ["TORCH_HOME"] = folder


def main() -> int:
    """Runs the tests in the folder that they expect."""
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    checkout = pathlib.Path(sys.argv[1]).resolve()
    tests = checkout / "tests"
    if os.environ.get("IQA_TORCHMETRICS_TESTS") != str(tests):
        # Again, where the processes of the tests find their modules and ours.
        root = pathlib.Path(__file__).resolve().parent.parent
        paths = (tests, root / "bindings" / "python" / "src", os.environ.get("PYTHONPATH", ""))
        environment = {
            **os.environ,
            "IQA_TORCHMETRICS_TESTS": str(tests),
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "USE_PYTEST_POOL": "1",
        }
        command = [sys.executable, __file__, str(checkout), *sys.argv[2:]]
        return subprocess.run(command, env=environment, check=False).returncode
    import pytest
    import torch

    given, every = sys.argv[2:], 1
    if "--every" in given:
        position = given.index("--every")
        every = int(given[position + 1])
        del given[position : position + 2]
    plugin = Replacing(every)
    files = [str(tests / "unittests" / name) for name in FILES]
    named = [argument for argument in given if "unittests" in argument]
    options = ["-q", "--tb=line", "-p", "no:cacheprovider", "--rootdir", str(tests)]
    os.chdir(tests)
    with tempfile.TemporaryDirectory() as folder:
        if not pathlib.Path(torch.hub.get_dir(), "checkpoints", WEIGHTS).is_file():
            random_weights(folder)
        status = pytest.main([*options, *given, *([] if named else files)], plugins=[plugin])
        failed = bool(summary(plugin.outcomes))
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        print(f"pytest did not run all tests: {status!r}")
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
