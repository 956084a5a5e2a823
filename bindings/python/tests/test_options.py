# SPDX-License-Identifier: MIT
"""Keywords, words and the order of state bytes follow from the library's option tables."""

import ctypes
import inspect
import re
import runpy

import pytest
from conftest import REPOSITORY

import iqa
from iqa import _documentation, _options, _tables
from iqa._tables import table

KINDS = (
    "ssim",
    "psnr",
    "errors",
    "fid",
    "kid",
    "prdc",
    "inception_score",
    "confusion",
    "confusion_reading",
    "network",
)


def test_all_kinds():
    assert tuple(_tables.kinds()) == (*KINDS, "context")


@pytest.mark.parametrize("kind", KINDS)
def test_every_word_has_its_number(kind):
    options = table(kind).options
    tried = 0
    for keyword, fields in table(kind).keywords.items():
        for word, number in fields[0].words.items():
            made = _options.made(kind, {keyword: word})
            for field in fields:
                if field.offset >= 0:
                    assert getattr(made, field.field) == number, word
                    tried += 1
    assert tried >= sum(len(option.words) for option in options.values() if option.offset >= 0)


def test_none_is_the_word_of_some_numbers():
    assert _options.made("kid", {"gamma": None}).gamma == -1
    assert _options.made("confusion", {"score": None}).score == -1
    with pytest.raises(iqa.InvalidArgumentError, match="gamma is -1, expected a number above 0"):
        _options.made("kid", {"gamma": -1})


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (iqa.kid, {"estimator": "none"}),
        (iqa.kid, {"subsets": 1.5}),
        (iqa.inception_score, {"shuffle": "yes"}),
        (iqa.inception_score, {"seed": -1}),
    ],
)
def test_values_that_no_option_has(kind, options):
    arrays = [[[0.0, 1.0]]] * (2 if kind is iqa.kid else 1)
    name, value = next(iter(options.items()))
    with pytest.raises(iqa.InvalidArgumentError, match=f"{name} is {value!r}, "):
        kind(*arrays, **options)


def test_the_options_in_the_state_of_a_confusion_matrix():
    given = {
        "task": "multilabel",
        "candidate": "threshold",
        "class_axis": -1,
        "batched": True,
        "counts": "per_class",
        "ignore": -7,
        "out_of_range": "drop",
        "threshold": 0.25,
        "keep_samples": True,
        "weighted": True,
        "score": "f",
    }
    reading = {
        "average": "weighted",
        "over": "samples",
        "empty": "one",
        "zero_division": "nan",
        "generalized_weights": "linear",
        "beta": 2.5,
        "excluded": [0, 3],
    }
    metric = iqa.ConfusionMatrix(5, **given, **reading)
    twin = iqa.ConfusionMatrix.from_bytes(metric.to_bytes())
    for field, option in table("confusion").options.items():
        assert option.in_state
        assert getattr(twin._options, field) == getattr(metric._options, field), field
    assert twin._options.ignore_label == -7
    assert twin._reading == reading


class WithOneMore:
    """The library with another option of SSIM, where its structure has `reserved`."""

    def __init__(self, library):
        self._library = library

    def __getattr__(self, name):
        return getattr(self._library, name)

    def iqa_option_describe(self, kind, index, where):
        info = where._obj
        if kind == b"ssim" and index and index == info.count - 1:
            words = (iqa._abi.OptionWord * 1)((b"quiet", b"IQA_SHARPNESS_QUIET", -1.0))
            info.words, info.word_count = words, 1
            info.name, info.group, info.type, info.length = b"sharpness", b"", 1, 1
            info.least, info.in_state, info.default_value = 3.0, 1, -1.0
            info.help = b"What to look at"
            info.offset = ctypes.sizeof(table("ssim").structure) - 4
            return 0
        status = self._library.iqa_option_describe(kind, index, where)
        info.count += kind == b"ssim"
        return status


def test_another_option_needs_nothing_in_python(monkeypatch):
    monkeypatch.setattr(_tables, "library", WithOneMore(_tables.library))
    ssim = _tables.Table("ssim")
    assert list(ssim.options)[-1] == ssim.in_state[-1].field == "sharpness"
    monkeypatch.setattr(_documentation, "table", {"ssim": ssim}.get)
    text = _documentation.documented("ssim")(
        type("SSIM", (), {"__doc__": iqa.SSIM.__doc__})
    ).__doc__
    assert '\n        sharpness: what to look at; "quiet" (the default).\n\n' in text
    assert text.count("\n") == iqa.SSIM.__doc__.count("\n") + 1
    size = ctypes.sizeof(ssim.structure)
    assert size == ctypes.sizeof(table("ssim").structure)
    for value, number in ((7, 7), ("quiet", -1)):
        made = _options.fill(ssim, ssim.standard(), {"sharpness": value})
        assert made.sharpness == number
        assert int.from_bytes(bytes(made)[size - 4 :], "little", signed=True) == number
    for value, text in (
        (-1, "sharpness is -1, expected 3 or more, or one of quiet"),
        ("loud", "sharpness is 'loud', expected one of 'quiet'"),
        (1.5, "sharpness is 1.5, expected an integer"),
    ):
        with pytest.raises(iqa.InvalidArgumentError, match=text):
            _options.fill(ssim, ssim.standard(), {"sharpness": value})


def test_the_typing_stub():
    script = REPOSITORY / "bindings" / "python" / "make_option_types.py"
    names = runpy.run_path(str(script))
    assert names["STUB"].read_text() == names["stub"](), f"run {script.name} to write it anew"


@pytest.mark.parametrize(
    ("name", "kind", "others"),
    [
        ("SSIM", "ssim", ["context"]),
        ("PSNR", "psnr", ["context"]),
        ("FID", "fid", ["context"]),
        ("kid", "kid", ["reference", "candidate", "context"]),
        ("prdc", "prdc", ["reference", "candidate", "context"]),
        ("inception_score", "inception_score", ["scores", "context"]),
        ("ConfusionMatrix", "confusion", ["context", *table("confusion_reading").keywords]),
    ],
)
def test_documentation_names_every_option_and_no_other(name, kind, others):
    documentation = inspect.getdoc(getattr(iqa, name))
    arguments = documentation.partition("Args:\n")[2].partition("\n\n")[0]
    found = re.findall(r"^ {4}((?:\w+, )*\w+): ", arguments, re.MULTILINE)
    words = [word for words in found for word in words.split(", ")]
    assert sorted(words) == sorted([*table(kind).keywords, *others])


def test_what_the_library_says_of_an_option():
    text = " ".join(iqa.SSIM.__doc__.split())
    assert " shave: pixels that are taken off each edge first; by default 0. " in text
    assert " luma_rounded: luma is rounded to multiples of L / 255; by default False. " in text
    assert ' by that less 1: "population" (the default) or "sample". ' in text
    for thing in (iqa.SSIM, iqa.PSNR, iqa.kid):
        assert max(map(len, thing.__doc__.splitlines())) <= 100
