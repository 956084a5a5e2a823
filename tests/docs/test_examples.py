# SPDX-License-Identifier: MIT
"""Runs the examples and the notebook, and compares what they print with their page."""

import ast
import contextlib
import importlib.util
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
PAGE = (EXAMPLES / "README.md").read_text()
PRINTED = dict(
    re.findall(r"^```console\n\$ \S+ .*?examples/(\w+)\.py\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
)
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])")
LABELS = ROOT / "tests" / "data" / "labels"


def needs(*modules: str):
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def run(name: str, *arguments: object, launcher: tuple = ()) -> str:
    command = [sys.executable, *launcher, EXAMPLES / f"{name}.py", *arguments]
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=600, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "2"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def numbers(text: str) -> list:
    return [float(number) for number in NUMBER.findall(text)]


def test_each_example_is_on_the_page_and_says_how_to_run_it() -> None:
    programs = sorted(EXAMPLES.glob("*.py"))
    assert len(programs) >= 5
    for program in programs:
        assert f"| [{program.name}]({program.name}) |" in PAGE
        assert program.stem in PRINTED
        text = ast.get_docstring(ast.parse(program.read_text()))
        assert f"examples/{program.name}" in text
        assert "Needs" in text
    assert "[first_steps.ipynb](first_steps.ipynb)" in PAGE


def test_codec_comparison() -> None:
    output = run("codec_comparison")
    assert NUMBER.sub("#", output) == NUMBER.sub("#", PRINTED["codec_comparison"])
    found, printed = numbers(output), numbers(PRINTED["codec_comparison"])
    assert found == pytest.approx(printed, rel=0.02)  # encoders change a little with their releases


def test_segmentation_report() -> None:
    assert run("segmentation_report") == PRINTED["segmentation_report"]


def test_segmentation_report_of_folders_like_cityscapes(tmp_path: pathlib.Path) -> None:
    for side, folder, ending in (
        ("prediction", "results", "_leftImg8bit.png"),
        ("reference", "gtFine", "_gtFine_labelTrainIds.png"),
    ):
        for label_map in (LABELS / side).glob("*.png"):
            place = tmp_path / folder / label_map.stem
            place.mkdir(parents=True)
            shutil.copy(label_map, place / f"{label_map.stem}_000000_000019{ending}")
            if side == "reference":  # beside the label maps, as there
                shutil.copy(label_map, place / f"{label_map.stem}_000000_000019_gtFine_color.png")
    arguments = [
        tmp_path / "results", tmp_path / "gtFine", "--prediction-ending", "_leftImg8bit.png",
        "--truth-ending", "_gtFine_labelTrainIds.png",
    ]
    assert run("segmentation_report", *arguments) == PRINTED["segmentation_report"]
    for ending, row in (
        (".md", "| dark | 0.6868 | 0.8143 |"),
        (".tex", "dark & 0.6868 & 0.8143 &"),
        (".html", '>dark</th><td style="text-align: right">0.6868</td>'),
        (".csv", "dark,0.6867"),
    ):
        run("segmentation_report", *arguments, "--output", tmp_path / f"report{ending}")
        assert row in (tmp_path / f"report{ending}").read_text()

    (tmp_path / "results" / "camera" / "camera_000000_000019_leftImg8bit.png").unlink()
    with pytest.raises(AssertionError, match="has no prediction: camera_000000_000019_leftImg8bit.png"):
        run("segmentation_report", *arguments)


@needs("torch")
def test_train_with_ssim_loss() -> None:
    output = run("train_with_ssim_loss", "--steps", 40, "--backend", "aot_eager")
    before, *after = (numbers(line) for line in output.splitlines()[1:])
    assert before == numbers(PRINTED["train_with_ssim_loss"].splitlines()[1])
    assert len(after) == 4
    ssim, psnr, loss = after[-1][1:]
    assert ssim > before[0] + 0.1
    assert psnr > before[1] + 1
    assert loss < 0.2


@needs("lightning", "torchmetrics")
def test_lightning_module() -> None:
    lines = run("lightning_module", "--epochs", 2).splitlines()
    assert [line.split()[:2] for line in lines] == [["epoch", "0"], ["epoch", "1"]]
    ssim, psnr, val_ssim = numbers(lines[-1])[1:]
    assert ssim > 0.75
    assert psnr > 27
    assert val_ssim > 0.65


@needs("torch", "torchmetrics")
def test_ddp_evaluation() -> None:
    launcher = ("-m", "torch.distributed.run", "--nproc_per_node", "3")
    lines = run("ddp_evaluation", launcher=launcher).splitlines()
    assert sorted(lines) == sorted(PRINTED["ddp_evaluation"].splitlines())
    assert run("ddp_evaluation").splitlines()[1:] == PRINTED["ddp_evaluation"].splitlines()[3:]


def executed(cell: dict, names: dict) -> tuple:
    """What a cell prints, and the value of its last expression."""
    tree = ast.parse("".join(cell["source"]))
    last = ast.Expression(tree.body.pop().value) if isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "first_steps.ipynb", "exec"), names)
        value = eval(compile(last, "first_steps.ipynb", "eval"), names) if last else None
    return printed.getvalue(), value


def test_the_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES)
    cells = json.loads((EXAMPLES / "first_steps.ipynb").read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert len(code) >= 8
    names = {}
    for cell in code:
        printed, value = executed(cell, names)
        kept = {output["output_type"]: output for output in cell["outputs"]}
        assert printed == "".join(kept["stream"]["text"] if "stream" in kept else ())
        if value is not None:
            assert repr(value).startswith("<PIL.Image.Image image mode=L size=451x300")
            assert "image/png" in kept["execute_result"]["data"]
