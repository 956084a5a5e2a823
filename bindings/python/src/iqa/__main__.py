# SPDX-License-Identifier: MIT
"""The program iqa, for `python -m iqa` and as the command that pip installs."""

from __future__ import annotations

import os
import signal
import sys

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_bin")


def _problem() -> str:
    """Why there is no program to run."""
    try:
        with open(os.path.join(HERE, "missing"), encoding="utf-8") as file:
            missing = f"it was built without {file.read().strip()}"
    except OSError:
        missing = "it runs from its sources, or was installed without it"
    return (
        f"iqa: this installation of the Python package has no program: {missing}. Install a wheel,"
        " or libpng, libjpeg, libtiff, libzip, CLI11 and nlohmann-json with their headers (on"
        " Debian: apt install pkg-config libpng-dev libjpeg-dev libtiff-dev libzip-dev"
        " libcli11-dev nlohmann-json3-dev), and build the package again."
    )


def main() -> int:
    """Becomes the program, with the arguments, descriptors and exit code of this process."""
    program = os.path.join(HERE, "iqa")
    if not os.path.exists(program):
        print(_problem(), file=sys.stderr)
        return 2
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # by Python, and exec() would keep it so
        signal.signal(ignored, signal.SIG_DFL)
    try:
        os.execv(program, ["iqa", *sys.argv[1:]])
    except OSError as problem:
        print(f"iqa: {program} cannot be run: {problem.strerror}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
