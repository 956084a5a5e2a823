# SPDX-License-Identifier: MIT
"""The documentation site: nothing of the header is left out of its reference, and broken links are found."""

import importlib.util
import pathlib
import re
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SITE = ROOT / "docs" / "site"
HEADER = (ROOT / "include" / "iqa_c.h").read_text()


def load(name: str):
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, SITE / f"{name}.py")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


c_header, c_reference, check = (load(name) for name in ("c_header", "c_reference", "check"))


def test_every_name_of_the_header_has_a_place() -> None:
    pages, places = c_reference.pages(HEADER)
    functions = (ROOT / "tests" / "abi" / "symbols.txt").read_text().split()
    constants = re.findall(r"\bIQA_\w+(?= = )", HEADER)
    assert len(constants) > 200
    assert set(functions + constants) <= places.keys()
    for name, page in places.items():
        anchor = f'id="{name}"' if name.isupper() else f"#{name} }}"
        assert anchor in pages[page] or f"#{name} }}" in pages[page], name


def test_the_words_of_the_header_are_in_the_reference() -> None:
    text = "\n".join(c_reference.pages(HEADER)[0].values())
    found = set(re.findall(r"\w+", text))
    start, end = HEADER.index("iqa_context   where"), HEADER.index("#ifdef __cplusplus\n}")
    comments = " ".join(re.findall(r"/\*.*?\*/", "/*" + HEADER[start:end], re.DOTALL))
    words = set(re.findall(r"\w{3,}", comments))
    assert len(words) > 1000
    assert words - found <= {"param", "return", "docs"}


def test_members_have_their_comments_and_defaults() -> None:
    _, sections = c_header.read(HEADER)
    items = {item.name: item for section in sections for item in section.items}
    border = {member.name: member.value for member in items["iqa_border"].members}
    assert border["IQA_BORDER_ZERO"] == "4"
    fields = {member.name: member for member in items["iqa_ssim_options"].members}
    assert fields["scale_weights"].value == "double[IQA_MOST_SCALES]"
    assert fields["k1"].comment == "C1 = (k1 L)^2"
    defaults = c_header.defaults(sections)["iqa_ssim_options"]
    assert (defaults["sigma_x"], defaults["scale_weights"]) == ("1.5", "{1.0}")


@pytest.mark.parametrize(
    "text", ["union iqa_u { int a; };", "typedef enum iqa_e { IQA_A } iqa_e;", "int iqa_f(void)"]
)
def test_what_the_reader_does_not_understand_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="declaration|member"):
        c_header.items_of(text)


def test_faults_of_a_site_are_found(tmp_path: pathlib.Path) -> None:
    (tmp_path / "index.html").write_text(
        '<h1 id="top">x</h1><a href="#top">1</a><a href="#tap">2</a><a href="other/#there">3</a>'
        '<a href="other/#here">4</a><a href="nowhere/">5</a><a href="https://example.org">6</a>'
        '<script src="https://example.org/x.js"></script><img src="a.png">'
    )
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "index.html").write_text('<h2 id="there">y</h2>')
    faults = [fault for fault in check.faults(tmp_path) if fault.startswith("index.html")]
    assert faults == [
        "index.html: #tap leads to no heading",
        "index.html: other/#here leads to no heading",
        "index.html: nowhere/ leads nowhere",
        "index.html: a.png leads nowhere",
        "index.html: loads https://example.org/x.js",
    ]
    missing = [fault for fault in check.faults(tmp_path) if fault.endswith("is in no reference")]
    assert "iqa.ssim is in no reference" in missing
    assert "iqa_metric_update is in no reference" in missing
