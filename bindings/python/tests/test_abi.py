# SPDX-License-Identifier: MIT
"""The ctypes structures and numbers against what a C compiler makes of iqa_c.h."""

import ctypes
import struct
import subprocess

import pytest

import iqa
from iqa import _abi, _tables
from iqa._tables import table

STRUCTURES = {
    "iqa_tensor": _abi.Tensor,
    "iqa_context_options": _abi.ContextOptions,
    "iqa_update_extras": _abi.UpdateExtras,
    "iqa_option_word": _abi.OptionWord,
    "iqa_option_info": _abi.OptionInfo,
    "iqa_ssim_options": table("ssim").structure,
    "iqa_psnr_options": table("psnr").structure,
    "iqa_errors_options": table("errors").structure,
    "iqa_fid_options": table("fid").structure,
    "iqa_kid_options": table("kid").structure,
    "iqa_prdc_options": table("prdc").structure,
    "iqa_inception_score_options": table("inception_score").structure,
    "iqa_confusion_reading": table("confusion_reading").structure,
    "iqa_confusion_options": table("confusion").structure,
}

WORDS = {
    "IQA_FIELD_": _abi.FIELDS,
    "IQA_FIELD_CONFUSION_": _abi.CONFUSION_FIELDS,
}

NUMBERS = {
    "IQA_VERSION_MAJOR": _abi.VERSION[0],
    "IQA_VERSION_MINOR": _abi.VERSION[1],
    "IQA_CPU": _abi.CPU,
    "IQA_CUDA": _abi.CUDA,
    "IQA_FID_RANK_DEFICIENT": _abi.FID_RANK_DEFICIENT,
    "IQA_FLOAT32 >> 8": _abi.FLOAT,
    "IQA_BFLOAT16 >> 8": _abi.BFLOAT,
    "IQA_OPTION_FLAG": _tables.FLAG,
    "IQA_OPTION_INT32": _tables.INT32,
    "IQA_OPTION_REAL": _tables.REAL,
    "IQA_OPTION_WORD": _tables.WORD,
    "IQA_OPTION_CLASSES": _tables.CLASSES,
    **{
        prefix + word.upper(): number
        for prefix, words in WORDS.items()
        for word, number in words.items()
    },
}

STATUSES = {
    "IQA_ERROR_INVALID_ARGUMENT": iqa.InvalidArgumentError,
    "IQA_ERROR_SHAPE": iqa.ShapeError,
    "IQA_ERROR_DTYPE": iqa.DtypeError,
    "IQA_ERROR_DEVICE": iqa.DeviceError,
    "IQA_ERROR_UNAVAILABLE": iqa.UnavailableError,
    "IQA_ERROR_NO_DATA": iqa.NoDataError,
    "IQA_ERROR_INCOMPATIBLE": iqa.IncompatibleError,
    "IQA_ERROR_CORRUPT": iqa.CorruptError,
    "IQA_ERROR_BUFFER_SIZE": iqa.BufferSizeError,
    "IQA_ERROR_NUMERIC": iqa.NumericError,
    "IQA_ERROR_CANCELLED": iqa.CancelledError,
    "IQA_ERROR_OUT_OF_MEMORY": iqa.OutOfMemoryError,
    "IQA_ERROR_CUDA": iqa.CudaError,
    "IQA_ERROR_INTERNAL": iqa.InternalError,
}


@pytest.fixture(scope="module")
def compiled(header_directory, tmp_path_factory):
    """Each expression with its value, as a C program prints them."""
    expressions = list(NUMBERS) + list(STATUSES)
    for name, structure in STRUCTURES.items():
        expressions.append(f"sizeof({name})")
        for field, *_ in structure._fields_:
            expressions.append(f"offsetof({name}, {field})")
            expressions.append(f"sizeof((({name} *)0)->{field})")
    lines = "".join(f'printf("%lld\\n", (long long)({part}));\n' for part in expressions)
    directory = tmp_path_factory.mktemp("abi")
    source = directory / "layout.c"
    source.write_text(f'#include <stdio.h>\n#include "iqa_c.h"\nint main(void) {{\n{lines}}}\n')
    program = directory / "layout"
    subprocess.run(
        ["cc", "-std=c99", f"-I{header_directory}", str(source), "-o", str(program)], check=True
    )
    output = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout
    return dict(zip(expressions, map(int, output.split())))


@pytest.mark.parametrize("name", STRUCTURES)
def test_structures(compiled, name):
    structure = STRUCTURES[name]
    assert ctypes.sizeof(structure) == compiled[f"sizeof({name})"]
    end = 0
    for field, *_ in structure._fields_:
        descriptor = getattr(structure, field)
        assert descriptor.offset == compiled[f"offsetof({name}, {field})"], field
        assert descriptor.size == compiled[f"sizeof((({name} *)0)->{field})"], field
        assert descriptor.offset - end < 8, f"the header has a field before {field}"
        end = descriptor.offset + descriptor.size
    assert ctypes.sizeof(structure) - end < 8, "the header has a field at the end"


@pytest.mark.parametrize("expression", NUMBERS)
def test_numbers(compiled, expression):
    assert NUMBERS[expression] == compiled[expression]


@pytest.mark.parametrize("name", STATUSES)
def test_statuses(compiled, name):
    kind = STATUSES[name]
    assert kind.status == compiled[name]
    assert iqa._library.library.iqa_status_name(kind.status).decode() == name
    assert isinstance(iqa._errors.error(kind.status, "text"), kind)


def test_every_class_has_a_status():
    kinds = set(iqa.Error.__subclasses__()) - {iqa.InUseError}  # which the library never sees
    assert sorted(kind.status for kind in kinds) == list(range(1, 15))


def test_the_version_is_that_of_the_header(compiled):
    major, minor, _ = iqa.__version__.split(".")
    assert (int(major), int(minor)) == (
        compiled["IQA_VERSION_MAJOR"],
        compiled["IQA_VERSION_MINOR"],
    )


@pytest.mark.parametrize(
    ("metric", "number", "option_bytes"),
    [
        (
            iqa.SSIM(
                (2, 5),
                "NCDHW",
                sigma=(1.2, 0.8, 1.0),
                spacing=(2.0, 1.0, 0.5),
                k2=0.04,
                arithmetic="float64",
                luma="bt709_full",
                shave=3,
                scale_weights=(0.25, 0.75),
                negative="relu",
                coverage=0.5,
                parts=True,
            ),
            1,
            272,
        ),
        (
            iqa.PSNR(
                (2, 5),
                "CHW",
                aggregate="mean_of_psnr",
                log_base=2,
                cap=90,
                luma="bt601_studio",
                luma_rounded=True,
                shave=4,
                gradient="mse",
            ),
            2,
            60,
        ),
    ],
)
def test_the_options_in_state_bytes(metric, number, option_bytes):
    state = metric.to_bytes()
    assert state[:12] == b"IQAS" + struct.pack("<HHI", 1, number, option_bytes)
    found, given = metric._kind.options_in(state), metric._options
    for name, *_ in given._fields_:
        if name == "scale_weights":
            assert list(found.scale_weights) == list(given.scale_weights)
        elif name not in ("struct_size", "size_z", "size_y", "size_x"):
            assert getattr(found, name) == getattr(given, name), name
    if number == 1:
        assert (found.size_z, found.size_y, found.size_x) == (5, 7, 15)
