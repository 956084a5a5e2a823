# SPDX-License-Identifier: MIT
"""What the tests of packages know of the tree."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADER = (ROOT / "include" / "iqa_c.h").read_text()
VERSION = ".".join(re.findall(r"#define IQA_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", HEADER))
