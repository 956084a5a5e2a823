# SPDX-License-Identifier: MIT
"""Finds and loads the library and declares its functions."""

from __future__ import annotations

import ctypes
import os

from . import _abi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _path() -> str:
    """The file named by IQA_LIBRARY, else the one that came with the package, else the system's."""
    chosen = os.environ.get("IQA_LIBRARY")
    if chosen:
        return chosen
    own = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_lib", _abi.SONAME)
    return own if os.path.exists(own) else _abi.SONAME


def _load() -> ctypes.CDLL:
    path = _path()
    try:
        library = ctypes.CDLL(path)
    except OSError as problem:
        raise ImportError(
            f"iqa cannot load its library {path}: {problem}. Install the package with"
            " 'pip install .', or let IQA_LIBRARY name a built libiqa_c.so."
        ) from problem
    library.iqa_library_version.restype = ctypes.c_uint32
    library.iqa_library_version.argtypes = []
    packed = library.iqa_library_version()
    found = (packed >> 16, packed >> 8 & 0xFF)
    if found != _abi.VERSION:
        raise ImportError(
            f"{path} is libiqa {found[0]}.{found[1]}, but this package needs"
            f" {_abi.VERSION[0]}.{_abi.VERSION[1]}"
        )
    return library


def _declare(library: ctypes.CDLL) -> None:
    # Every pointer is void *, which takes addresses as Python integers, byref() and bytes alike.
    pointer, size, text = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
    status, number = ctypes.c_int32, ctypes.c_int32
    signatures = {
        "iqa_status_name": (text, number),
        "iqa_context_options_init": (status, pointer, size),
        "iqa_context_create": (status, pointer, pointer),
        "iqa_context_destroy": (None, pointer),
        "iqa_context_error": (text, pointer),
        "iqa_context_instruction_set": (text, pointer),
        "iqa_context_thread_count": (number, pointer),
        "iqa_cuda_state": (text,),
        "iqa_metric_update": (status, pointer, pointer, pointer, pointer),
        "iqa_metric_compute": (status, pointer, pointer),
        "iqa_metric_read": (status, pointer, number, pointer, size, pointer),
        "iqa_metric_reset": (status, pointer),
        "iqa_metric_measure": (status, pointer, pointer, pointer, pointer, pointer),
        "iqa_metric_merge": (status, pointer, pointer),
        "iqa_metric_lanes": (status, pointer, pointer, size, pointer),
        "iqa_metric_add_lanes": (status, pointer, pointer, size),
        "iqa_metric_fingerprint": (status, pointer, pointer),
        "iqa_metric_serialize": (status, pointer, pointer, size, pointer),
        "iqa_metric_deserialize": (status, pointer, pointer, size, pointer),
        "iqa_metric_destroy": (None, pointer),
        "iqa_ssim_options_init": (status, pointer, size),
        "iqa_ssim_options_preset": (status, pointer, size, number),
        "iqa_option_kind": (text, number),
        "iqa_option_describe": (status, text, number, pointer),
        "iqa_ssim_map_shape": (status, pointer, pointer, number, pointer, pointer, pointer),
        "iqa_ssim_create": (status, pointer, pointer, pointer),
        "iqa_psnr_options_init": (status, pointer, size),
        "iqa_psnr_create": (status, pointer, pointer, pointer),
        "iqa_errors_options_init": (status, pointer, size),
        "iqa_errors_create": (status, pointer, pointer, pointer),
        "iqa_fid_options_init": (status, pointer, size),
        "iqa_fid_create": (status, pointer, pointer, pointer),
        "iqa_fid_reset_side": (status, pointer, number),
        "iqa_fid_from_statistics": (status, *[pointer] * 6, size, pointer),
        "iqa_fid_extrapolate": (status, pointer, size, pointer, pointer),
        "iqa_fid_jackknife": (status, pointer, size, pointer, pointer),
        "iqa_kid_options_init": (status, pointer, size),
        "iqa_prdc_options_init": (status, pointer, size),
        "iqa_measure_prdc": (status, *[pointer] * 5, size, pointer),
        "iqa_measure_kid": (status, *[pointer] * 6),
        "iqa_inception_score_options_init": (status, pointer, size),
        "iqa_measure_inception_score": (status, *[pointer] * 5),
        "iqa_network_options_init": (status, pointer, size),
        "iqa_network_create": (status, pointer, pointer, pointer, size, pointer),
        "iqa_network_weight": (text, number, pointer, pointer),
        "iqa_network_destroy": (None, pointer),
        "iqa_network_layer_width": (status, number, pointer),
        "iqa_network_features": (status, pointer, pointer, pointer, size),
        "iqa_network_digest": (status, pointer, pointer),
        "iqa_confusion_reading_init": (status, pointer, size),
        "iqa_confusion_reading_preset": (status, pointer, size, number),
        "iqa_confusion_options_init": (status, pointer, size),
        "iqa_confusion_create": (status, pointer, pointer, pointer),
        "iqa_confusion_score": (status, pointer, number, pointer, pointer, size, pointer),
    }
    for name, (result, *arguments) in signatures.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments


def names(of: Callable[[int], bytes | None]) -> Iterator[str]:
    """Those of constants that are numbered from 0 without a gap."""
    number = 0
    while (name := of(number)) is not None:
        yield name.decode()
        number += 1


library = _load()
_declare(library)


def library_version() -> str:
    """The version of the loaded library, such as "0.1.0"."""
    packed = library.iqa_library_version()
    return f"{packed >> 16}.{packed >> 8 & 0xFF}.{packed & 0xFF}"


def cuda_state() -> str:
    """What the library can do with CUDA tensors on this machine, in words."""
    return str(library.iqa_cuda_state().decode())
