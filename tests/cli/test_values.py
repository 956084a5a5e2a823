# SPDX-License-Identifier: MIT
"""The numbers: against scikit-image and against the library called directly."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from c_api import Library
from conftest import DATA, Program
from numpy.typing import NDArray
from PIL import Image
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity
from writers import read_png_16bit

DISTORTIONS = ("jpeg_q10", "jpeg_q30", "jpeg_q50", "jpeg_q75", "jpeg_q90", "blur", "noise")
WANG = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


@pytest.fixture(scope="session")
def library(iqa: Program) -> Library:
    """The library of the program."""
    if iqa.is_sanitized:
        pytest.skip("Python cannot load a library with AddressSanitizer")
    return Library(iqa.path)


def distorted(folder: str, name: str) -> Path:
    """The file of a distortion."""
    (path,) = (DATA / folder).glob(f"{name}.*")
    return path


def load(path: Path) -> NDArray[np.generic]:
    """The samples of a shipped picture."""
    return read_png_16bit(path) if "16bit" in str(path) else np.asarray(Image.open(path))


def pictures() -> list[tuple[Path, Path]]:
    """Every shipped pair."""
    pairs = [
        (DATA / "reference" / f"{name}.png", distorted(folder, name))
        for name in ("camera", "chelsea")
        for folder in DISTORTIONS
    ]
    return pairs + [
        (DATA / "reference_16bit" / "coffee.png", DATA / folder / "coffee.png")
        for folder in ("blur_16bit", "noise_16bit")
    ]


@pytest.mark.parametrize(
    "reference, test", pictures(), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_shipped_pictures_agree_with_scikit_image(
    iqa: Program, tmp_path: Path, reference: Path, test: Path
) -> None:
    x, y = load(reference), load(test)
    peak = float(np.iinfo(x.dtype).max)
    channel_axis = None if x.ndim == 2 else 2
    wanted = structural_similarity(
        x.astype(float), y.astype(float), data_range=peak, channel_axis=channel_axis, **WANG
    )
    from_files = iqa.compare(reference, test)
    assert from_files["ssim"] == pytest.approx(wanted, abs=2e-7)
    assert from_files["mse"] == pytest.approx(mean_squared_error(x, y), rel=1e-14)
    assert from_files["psnr"] == pytest.approx(
        peak_signal_noise_ratio(x, y, data_range=peak), rel=1e-13
    )

    np.save(tmp_path / "x.npy", x.astype(float))
    np.save(tmp_path / "y.npy", y.astype(float))
    layout = ("--layout", "hw" if x.ndim == 2 else "hwc")
    from_arrays = iqa.compare(tmp_path / "x.npy", tmp_path / "y.npy", "--data-range", peak, *layout)
    assert from_arrays["ssim"] == pytest.approx(wanted, abs=1e-10)
    in_double = iqa.compare(reference, test, "--arithmetic", "float64")
    assert in_double["ssim"] == from_arrays["ssim"]


def test_default_window_of_scikit_image(
    iqa: Program, chelsea: NDArray, noisy_chelsea: NDArray
) -> None:
    wanted = structural_similarity(
        chelsea.astype(float), noisy_chelsea.astype(float), data_range=255, channel_axis=2
    )
    found = iqa.compare(
        *(DATA / folder / "chelsea.png" for folder in ("reference", "noise")),
        *("--window", "uniform", "--size", 7, "--covariance", "sample", "--arithmetic", "float64"),
    )
    assert found["ssim"] == pytest.approx(wanted, abs=1e-10)


def test_channels_are_pictures_of_their_own(
    iqa: Program, chelsea: NDArray, noisy_chelsea: NDArray
) -> None:
    found = iqa.compare(DATA / "reference" / "chelsea.png", DATA / "noise" / "chelsea.png")
    assert len(found["channels"]) == 3
    for channel, values in enumerate(found["channels"]):
        x, y = (np.ascontiguousarray(picture[..., channel]) for picture in (chelsea, noisy_chelsea))
        wanted = structural_similarity(x.astype(float), y.astype(float), data_range=255, **WANG)
        assert values["ssim"] == pytest.approx(wanted, abs=2e-7)
        assert values["mse"] == pytest.approx(mean_squared_error(x, y), rel=1e-14)
        assert values["psnr"] == pytest.approx(peak_signal_noise_ratio(x, y), rel=1e-13)
    mean = np.mean([values["ssim"] for values in found["channels"]])
    assert found["ssim"] == pytest.approx(mean, abs=1e-12)


SSIM_CASES = [
    ([], {}),
    (["--window", "uniform", "--size", "9"], {"window": 1, "size_y": 9, "size_x": 9}),
    (["--size-y", "5", "--size-x", "13"], {"size_y": 5, "size_x": 13}),
    (["--size-y", "5", "--size-x", "auto"], {"size_y": 5, "size_x": -1}),
    (["--sigma", "2.5"], {"sigma_y": 2.5, "sigma_x": 2.5}),
    (["--sigma-y", "0.8", "--sigma-x", "3"], {"sigma_y": 0.8, "sigma_x": 3.0}),
    (["--truncate", "4"], {"truncate": 4.0}),
    (["--k1", "0.02"], {"k1": 0.02}),
    (["--k2", "0"], {"k2": 0.0}),
    (["--covariance", "sample"], {"covariance": 1}),
    (["--arithmetic", "float64"], {"arithmetic": 1}),
    (["--data-range", "200"], {"data_low": 0.0, "data_high": 200.0}),
    (["--data-low", "-20", "--data-high", "300.5"], {"data_low": -20.0, "data_high": 300.5}),
    (["--data-high", "100"], {"data_low": 0.0, "data_high": 100.0}),
    (["--border", "REFLECT"], {"border": 1}),
    (["--border", "symmetric"], {"border": 2}),
    (["--border", "replicate"], {"border": 3}),
    (["--border", "zero"], {"border": 4}),
]


@pytest.mark.parametrize("arguments, fields", SSIM_CASES, ids=lambda case: " ".join(map(str, case)))
def test_every_ssim_option_reaches_the_library(
    iqa: Program,
    library: Library,
    camera: NDArray,
    noisy_camera: NDArray,
    arguments: list[str],
    fields: dict[str, float],
) -> None:
    found = iqa.compare(
        DATA / "reference" / "camera.png", DATA / "noise" / "camera.png", *arguments
    )
    assert found["ssim"] == library.ssim(camera, noisy_camera, **fields)
    if fields:
        assert found["ssim"] != library.ssim(camera, noisy_camera)


PSNR_CASES = [
    ([], {}),
    (["--log-base", "2"], {"log_base": 2.0}),
    (["--cap", "20.5"], {"cap": 20.5}),
    (["--data-low", "-20", "--data-high", "300.5"], {"data_low": -20.0, "data_high": 300.5}),
]


@pytest.mark.parametrize("arguments, fields", PSNR_CASES, ids=lambda case: " ".join(map(str, case)))
def test_every_psnr_option_reaches_the_library(
    iqa: Program,
    library: Library,
    camera: NDArray,
    noisy_camera: NDArray,
    arguments: list[str],
    fields: dict[str, float],
) -> None:
    found = iqa.compare(
        DATA / "reference" / "camera.png", DATA / "noise" / "camera.png", *arguments
    )
    assert found["psnr"] == library.psnr(camera, noisy_camera, **fields)
    if fields:
        assert found["psnr"] != library.psnr(camera, noisy_camera)


def test_aggregate_and_per_image_values(
    iqa: Program, library: Library, tmp_path: Path, camera: NDArray, noisy_camera: NDArray
) -> None:
    x = np.stack([camera, camera])
    y = np.stack([noisy_camera, np.roll(camera, 3, axis=1)])
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    for name, number in (("psnr-of-mean-mse", 0), ("mean-of-psnr", 1)):
        found = iqa.compare(
            tmp_path / "x.npy", tmp_path / "y.npy", "--layout", "nhw", "--aggregate", name
        )
        assert found["psnr"] == library.psnr(x, y, layout=3, aggregate=number)
        assert found["ssim"] == library.ssim(x, y, layout=3)
        assert found["ssim_per_image"] == [library.ssim(x[i], y[i]) for i in range(2)]
        assert found["psnr_per_image"] == [library.psnr(x[i], y[i]) for i in range(2)]


def test_options_are_reported(iqa: Program) -> None:
    found = iqa.compare(
        *(DATA / folder / "camera.png" for folder in ("reference", "noise")),
        *(
            "--size-y",
            5,
            "--sigma-x",
            2,
            "--cap",
            80,
            "--data-range",
            255,
            "--k1",
            0.1,
            "--nonfinite",
            "propagate",
        ),
    )
    assert found["options"] == {
        "data_range": [0, 255],
        "nonfinite": "propagate",
        "alpha": "opaque",
        "orientation": None,
        "page": None,
        "luma": "none",
        "luma_rounded": False,
        "shave": 0,
        "roi": None,
        "mask": None,
        "ssim": {
            "window": "gaussian",
            "border": "valid",
            "size_y": 5,
            "size_x": "auto",
            "sigma_y": 1.5,
            "sigma_x": 2,
            "truncate": 3.5,
            "k1": 0.1,
            "k2": 0.03,
            "covariance": "population",
            "arithmetic": "auto",
            "shrink": "symmetric",
            "product": "channel",
            "negative": "keep",
            "contrast_border": "valid",
            "mask_mode": "convolution",
            "coverage": 0,
            "parts": False,
            "downsample": 1,
            "scale_weights": [1],
        },
        "psnr": {"log_base": 10, "cap": 80, "aggregate": "psnr-of-mean-mse"},
    }


def test_threads_and_instruction_sets_give_the_same_bits(iqa: Program) -> None:
    files = (DATA / "reference" / "chelsea.png", DATA / "jpeg_q30" / "chelsea.jpg")
    outputs = set()
    for arguments in (
        ("--threads", 1),
        ("--threads", 5),
        ("--threads", "all"),
        ("--instruction-set", "baseline"),
        ("--instruction-set", "avx2"),
    ):
        found = iqa.compare(*files, *arguments)
        del found["library"]
        outputs.add(json.dumps(found))
    assert len(outputs) == 1


def test_context_options_are_used(iqa: Program) -> None:
    files = (DATA / "reference" / "camera.png", DATA / "noise" / "camera.png")
    found = iqa.compare(*files, "--threads", 1, "--instruction-set", "baseline")["library"]
    assert (found["threads"], found["instruction_set"]) == (1, "baseline")


def test_json_numbers_are_the_shortest_that_read_back(iqa: Program) -> None:
    text = iqa.fine(
        "compare", "--json", DATA / "reference" / "chelsea.png", DATA / "noise" / "chelsea.png"
    )
    numbers = re.findall(r"(?<=[ \[])-?\d+\.\d+(?:e[-+]\d+)?", text)
    assert len(numbers) > 10
    for number in numbers:
        assert number == repr(float(number)), number


def test_equal_pictures(iqa: Program) -> None:
    picture = DATA / "reference" / "chelsea.png"
    found = iqa.compare(picture, picture)
    assert (found["ssim"], found["psnr"], found["mse"]) == (1, "inf", 0)
    assert "PSNR  inf dB" in iqa.fine("compare", picture, picture)
    assert iqa.compare(picture, picture, "--cap", 100)["psnr"] == 100


def test_text_output(iqa: Program) -> None:
    files = (DATA / "reference" / "chelsea.png", DATA / "noise" / "chelsea.png")
    found = iqa.compare(*files)
    plain = iqa.fine("compare", *files)
    assert plain.splitlines() == [
        f"SSIM  {found['ssim']:.6f}",
        f"PSNR  {found['psnr']:.4f} dB",
        f"MSE   {found['mse']:.6f}",
    ]
    verbose = iqa.fine("compare", "-v", *files)
    for values in (found, *found["channels"]):
        assert re.search(
            rf"{values['ssim']:.6f} +{values['psnr']:.4f} +{values['mse']:.6f}", verbose
        )
    assert "3 channels, uint8" in verbose


def test_samples_outside_the_range_are_counted(iqa: Program, camera: NDArray) -> None:
    picture = DATA / "reference" / "camera.png"
    found = iqa.compare(picture, picture, "--data-range", 200)
    assert found["out_of_range"] == 2 * np.count_nonzero(camera > 200)
    assert "outside the data range" in iqa.fine("compare", picture, picture, "--data-range", 200)


def test_nonfinite_samples(iqa: Program, tmp_path: Path) -> None:
    x = np.zeros((32, 32))
    x[3, 4] = np.nan
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", np.zeros((32, 32)))
    files = (tmp_path / "x.npy", tmp_path / "y.npy", "--data-range", 1)
    assert "finite" in iqa.error("compare", *files)
    found = iqa.compare(*files, "--nonfinite", "propagate")
    assert (found["ssim"], found["psnr"], found["nonfinite"]) == ("nan", "nan", 1)
    assert (
        iqa("compare", *files, "--nonfinite", "propagate", "--fail-under", "ssim=-1").returncode
        == 1
    )


def test_fail_under(iqa: Program) -> None:
    files = ("compare", DATA / "reference" / "camera.png", DATA / "noise" / "camera.png")
    found = json.loads(iqa.fine(*files, "--json"))
    assert iqa(*files, "--fail-under", f"ssim={found['ssim']!r}").returncode == 0
    above = float(np.nextafter(found["ssim"], 2))
    done = iqa(*files, "--fail-under", f"SSIM={above!r}")
    assert done.returncode == 1
    assert done.stderr == f"iqa: {files[2]}: ssim {found['ssim']!r} is below {above!r}\n"
    both = ("--fail-under", "ssim=0.1", "--fail-under", "psnr=99")
    done = iqa(*files, *both)
    assert (done.returncode, " psnr " in done.stderr, " ssim " in done.stderr) == (1, True, False)
    assert iqa(*files, "--fail-under", "ssim=0.1", "--fail-under", "psnr=1").returncode == 0
    for wrong in ("ssim", "ssim=", "ssim=x", "mse=3", "=1"):
        assert "--fail-under" in iqa.error(*files, "--fail-under", wrong)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--size", "8"], "size"),
        (["--size", "x"], "--size"),
        (["--sigma", "0"], "sigma"),
        (["--sigma", "1,5"], "--sigma"),
        (["--window", "round"], "gaussian|uniform"),
        (["--data-low", "1"], "--data-high"),
        (["--data-range", "1", "--data-high", "2"], "--data"),
        (["--data-low", "3", "--data-high", "3"], "data"),
        (["--log-base", "1"], "--log-base"),
        (["--threads", "0"], "--threads"),
        (["--threads", "-3"], "--threads"),
        (["--max-pixels", "0"], "--max-pixels"),
        (["--unknown"], "--unknown"),
        (["--map", "x.jpg"], ".png"),
        (["--side-by-side", "x.npy"], ".png"),
        (["--map-low", "1"], "--map-low"),
        (["third"], "third"),
    ],
)
def test_wrong_arguments(iqa: Program, arguments: list[str], words: str) -> None:
    files = (DATA / "reference" / "camera.png", DATA / "noise" / "camera.png")
    assert words in iqa.error("compare", *files, *arguments)


def test_missing_arguments(iqa: Program) -> None:
    for arguments in ((), ("nonsense",)):
        assert "compare, batch, " in iqa.error(*arguments)
    assert "TEST" in iqa.error("compare", DATA / "reference" / "camera.png")


def test_version_help_and_info(iqa: Program) -> None:
    assert re.fullmatch(r"iqa \d+\.\d+\.\d+\n", iqa.fine("--version"))
    for command in ("compare", "batch", "info"):
        assert command in iqa.fine("--help")
        assert "--threads" in iqa.fine(command, "--help")
    text = iqa.fine("info")
    found = json.loads(iqa.fine("info", "--json"))
    assert (
        found["instruction_set"] in ("baseline", "avx2", "avx512")
        and found["instruction_set"] in text
    )
    assert found["threads"] >= 1 and found["cuda"] in text
    assert found["cuda"].startswith(("available", "unavailable"))
    assert set(found["formats"]) == {"PNG", "JPEG", "TIFF", "PNM", "PFM", "NPY"}
    assert json.loads(iqa.fine("info", "--json", "--threads", 3))["threads"] == 3


def test_every_field_of_the_options_has_an_option(iqa: Program) -> None:
    header = (Path(__file__).parents[2] / "include" / "iqa_c.h").read_text()
    text = iqa.fine("compare", "--help")
    for struct in ("iqa_ssim_options", "iqa_psnr_options"):
        body = re.search(rf"typedef struct {struct} {{(.*?)}} {struct};", header, re.S)
        assert body
        fields = re.findall(r"^\s+(?:u?int32_t|double) (\w+);", body.group(1), re.M)
        assert len(fields) >= 8
        # A picture has no depth and no unit of length, and a comparison no gradient.
        volumes = {"size_z", "sigma_z", "spacing_z", "spacing_y", "spacing_x"}
        for field in set(fields) - volumes - {"struct_size", "reserved", "gradient"}:
            assert f"--{field.replace('_', '-')} " in text, field
