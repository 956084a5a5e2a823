# SPDX-License-Identifier: MIT
"""Features of pictures by FID's Inception v3, with the caller's weights."""

from __future__ import annotations

import ctypes
import os

from . import _abi
from ._context import Context, context_of
from ._cuda import Loan, owner_of
from ._errors import (
    ArgumentTypeError,
    DeviceError,
    DtypeError,
    InvalidArgumentError,
    Misfit,
    ShapeError,
    UnavailableError,
)
from ._fid import FID
from ._library import library
from ._names import named
from ._objects import layout_of, picture
from ._options import choose, made
from ._tables import word_for, words
from ._tensor import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from typing_extensions import Unpack

    from ._option_types import NetworkOptions

_LAYOUT = "NHWC"  # that the library is asked for; others are the same memory with other strides
_LAYOUTS = ("NHWC", "NCHW", "HWC", "CHW", "NHW", "HW")


def width_of(layer: Any) -> int:
    """How many features a layer has."""
    return _width(layer_of(layer))


def layer_of(name: Any) -> int:
    """The number of a layer that a name or a count of features stands for."""
    return int(choose("layer", str(name), words("fid", "layer")))


class Inception:
    """Inception v3 as FID uses it: pictures in, features out.

    A feature depends on its picture and the weights alone, not on the batch, the threads, the
    instruction set or the device: FID of two folders is the same number on every machine.

    Args:
        weights: a .safetensors file (`python -m iqa.weights` makes one of a .pth file), or the
            tensors of a PyTorch state dictionary by their names. They are copied.
        resize: whose resizing brings pictures to 299 x 299: "tensorflow" (torch-fidelity),
            "pytorch" (pytorch-fid), "clean" (clean-fid), "torchmetrics", or "none" for pictures of
            that size.
        data_range: of floating-point pictures, such as 1.0 or (-1, 1); integers have their own.
        at_once: pictures under way at once, each in 11.3 MB; 0 for as many as threads, 2 to 16, and
            for 64 on a CUDA device.
        context: threads, instruction set, CUDA stream, progress; None for one of its own.

    Example:
        >>> network = iqa.Inception("inception.safetensors", resize="clean")
        >>> metric = iqa.FID(**network.origin())
        >>> for photos, images in zip(real_loader, generated_loader):
        ...     metric.update(network(photos), network(images))
    """

    __slots__ = ("__weakref__", "_context", "_handle", "_resize")

    _destroy = library.iqa_network_destroy

    def __new__(cls, *_: Any, **__: Any) -> Inception:
        """A network without a handle, which can be finalized where its arguments are refused."""
        network = super().__new__(cls)
        network._handle = ctypes.c_void_p()
        return network

    @named
    def __init__(
        self,
        weights: str | os.PathLike[str] | Mapping[str, Any],
        *,
        data_range: float | tuple[float, float] | None = None,
        context: Context | None = None,
        **options: Unpack[NetworkOptions],
    ) -> None:
        self._context = context_of(context)
        given: dict[str, Any] = {**options, "layout": _LAYOUT}
        if data_range is not None:
            given["data_range"] = data_range
        structure = made("network", given)
        self._resize = word_for("network", "resize", structure.resize)
        borrowed = [(n.encode(), borrow(t, n)) for n, t in _tensors(weights).items()]
        entries = (_abi.NamedTensor * len(borrowed))(
            *(_abi.NamedTensor(name, address) for name, (_keep, address) in borrowed)
        )
        self._context.call(
            library.iqa_network_create,
            self._context.handle,
            ctypes.byref(structure),
            entries,
            len(borrowed),
            ctypes.byref(self._handle),
        )

    @named
    def __call__(
        self,
        pictures: Any,
        layer: str | int | Sequence[str | int] = "2048",
        *,
        layout: str | None = None,
    ) -> Any:
        """The features of pictures of any size.

        Args:
            pictures: uint8, uint16, int16, float16, bfloat16, float32 or float64, of 1 or 3
                channels, on the CPU or a CUDA device; or a list of paths and Pillow images, whose
                sizes may differ.
            layer: "64", "192", "768", "2048", "logits", "logits_unbiased", or several, which come
                from one pass.
            layout: what the axes are: "NHWC" or another of its kind. None for "NCHW" of PyTorch's
                tensors with four axes, "NHWC" of other arrays with four and "HW" with two; what
                three axes are has to be stated, but of Pillow images.

        Returns:
            A float32 array [N, D] where the pictures are, or a list of them for several layers.
        """
        several = isinstance(layer, (list, tuple))
        layers = [layer_of(one) for one in (layer if several else [layer])]
        if isinstance(pictures, (list, tuple)):
            if not pictures:
                raise InvalidArgumentError("pictures is empty, expected at least one picture")
            parts = [self._features(picture(one, "pictures"), layers, layout) for one in pictures]
            found = [_joined(of_layer) for of_layer in zip(*parts)]
        else:
            found = self._features(picture(pictures, "pictures"), layers, layout)
        return found if several else found[0]

    def _features(self, pictures: Any, layers: list[int], layout: str | None) -> list[Any]:
        loan = Loan(self._context.cuda_stream, owner_of(pictures))
        try:
            tensor = _abi.Tensor.from_address(loan.borrow(pictures, "pictures"))
        except Misfit as problem:
            raise DtypeError(str(problem)) from None
        if layout is None or not hasattr(pictures, "shape"):  # Pillow images say it themselves
            layout = layout_of(pictures, pictures)
        tensor, _axes = _as_nhwc(tensor, layout)
        widths = [_width(number) for number in layers]
        arrays = [loan.empty("features", "float32", (tensor.shape[0], width)) for width in widths]
        entries = (_abi.LayerFeatures * len(layers))(
            *(
                _abi.LayerFeatures(number, loan.borrow(array, "features", writable=True))
                for number, array in zip(layers, arrays)
            )
        )
        self._context.call(
            library.iqa_network_features,
            self._open(),
            ctypes.byref(tensor),
            entries,
            len(layers),
        )
        loan.queued()
        return arrays

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that stand for the weights: state them beside a FID."""
        digest = ctypes.c_uint64()
        self._context.call(library.iqa_network_digest, self._open(), ctypes.byref(digest))
        return f"{digest.value:016x}"

    def origin(self, layer: str | int = "2048") -> dict[str, Any]:
        """The options by which iqa.FID keeps where its features come from.

        Example:
            >>> metric = iqa.FID(**network.origin())
        """
        return {
            "features": width_of(layer),
            "weights": int(self.digest, 16),
            "layer": str(layer),
            "resize": self._resize,
        }

    def close(self) -> None:
        """Gives the memory back; the network can't be used any more."""
        address, self._handle.value = self._handle.value, None
        self._destroy(address)

    def _open(self) -> ctypes.c_void_p:
        if not self._handle:
            raise InvalidArgumentError("the network is closed")
        return self._handle

    def __enter__(self) -> Inception:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"<iqa.Inception, weights {self.digest}>" if self._handle else "<iqa.Inception, closed>"
        )


@named
def fid_of_images(
    reference: Iterable[Any],
    candidate: Iterable[Any],
    weights: Any,
    *,
    layout: str | None = None,
    context: Context | None = None,
    **options: Any,
) -> float:
    """The Frechet inception distance of two sets of pictures.

    Args:
        reference: the real pictures: an array as Inception takes it, or batches of them, of any
            kind and number, which need not be in memory at once.
        candidate: the generated ones.
        weights: see Inception; or a network, whose options then hold.
        layout: what the axes of arrays are; see Inception.
        context: threads, instruction set, progress; None for one of its own.
        **options: of Inception.

    Example:
        >>> iqa.fid_of_images(photos, images, "inception.safetensors", resize="clean")
    """
    network = weights
    if not isinstance(network, Inception):
        network = Inception(weights, context=context, **options)
    elif options:
        raise InvalidArgumentError(
            f"{next(iter(options))} is stated, but weights is a network, whose options hold"
        )
    with FID(**network.origin()) as metric:
        for side, pictures in (("reference", reference), ("candidate", candidate)):
            for batch in [pictures] if hasattr(pictures, "shape") else pictures:
                is_batch = hasattr(batch, "shape") or isinstance(batch, (list, tuple))
                features = network(batch if is_batch else [batch], layout=layout)
                metric.update(**{side: features})
        return metric.compute()


def _width(layer: int) -> int:
    width = ctypes.c_int32()
    library.iqa_network_layer_width(layer, ctypes.byref(width))
    return width.value


def _tensors(weights: Any) -> Mapping[str, Any]:
    """The tensors by name, of a file or of a dictionary."""
    if isinstance(weights, (str, os.PathLike)):
        try:
            from safetensors.numpy import load_file  # noqa: PLC0415 few need it
        except ImportError:
            raise UnavailableError(
                f"weights is {os.fspath(weights)!r}, and such files are read by the package"
                " safetensors, which is not installed: expected it, or the tensors by name"
            ) from None
        if not os.fspath(weights).endswith(".safetensors"):
            raise InvalidArgumentError(
                f"weights is {os.fspath(weights)!r}, expected a .safetensors file, which"
                " 'python -m iqa.weights convert IN.pth OUT.safetensors' makes of a .pth file"
            )
        tensors: Mapping[str, Any] = load_file(weights)
        return tensors
    if not hasattr(weights, "items"):
        raise ArgumentTypeError(
            f"weights is {type(weights).__name__}, expected a .safetensors file or tensors by name"
        )
    # Counters of training are int64 numbers that features do without.
    return {n: t for n, t in weights.items() if not n.endswith(".num_batches_tracked")}


def _joined(parts: Sequence[Any]) -> Any:
    owners = [owner_of(part) for part in parts]
    if any(owner is None for owner in owners):
        if not all(owner is None for owner in owners):
            raise DeviceError("pictures has some on the CPU and some on a CUDA device")
        import numpy as np  # noqa: PLC0415 importing iqa does not import it

        return np.concatenate(parts)
    last: Any = owners[-1]
    return last.joined(list(parts))


def _as_nhwc(tensor: _abi.Tensor, layout: str | None) -> tuple[_abi.Tensor, Any]:
    """The same memory with the axes N, H, W, C, and what keeps its extents alive."""
    shape = tuple(tensor.shape[: tensor.ndim])
    if layout is None:
        fitting = [name for name in _LAYOUTS if len(name) == len(shape)]
        if len(shape) == 3:
            expected = " or ".join(f"layout={name!r}" for name in fitting)
            raise ShapeError(
                f"pictures has shape {shape}, and what the axes are is never guessed: expected"
                f" {expected}"
            )
        layout = fitting[0] if fitting else _LAYOUT
    layout = str(choose("layout", layout, {name: name for name in _LAYOUTS}))
    if len(shape) != len(layout):
        raise ShapeError(f"pictures has shape {shape} but the layout is {layout}")
    if tensor.strides:
        steps = tuple(tensor.strides[: tensor.ndim])
    else:
        steps = tuple(_compact(shape))
    extents = {axis: (shape[i], steps[i]) for i, axis in enumerate(layout)}
    pairs = [extents.get(axis, (1, 0)) for axis in _LAYOUT]
    axes = (ctypes.c_int64 * 8)(*(pair[0] for pair in pairs), *(pair[1] for pair in pairs))
    view = _abi.Tensor()
    ctypes.pointer(view)[0] = tensor
    view.ndim = len(_LAYOUT)
    view.shape = ctypes.cast(axes, ctypes.POINTER(ctypes.c_int64))
    view.strides = ctypes.cast(ctypes.byref(axes, 32), ctypes.POINTER(ctypes.c_int64))
    return view, axes


def _compact(shape: tuple[int, ...]) -> list[int]:
    steps = [1]
    for extent in shape[:0:-1]:
        steps.append(steps[-1] * extent)
    return steps[::-1]
