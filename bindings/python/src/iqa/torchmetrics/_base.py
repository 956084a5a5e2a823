# SPDX-License-Identifier: MIT
"""A torchmetrics.Metric whose data are in metrics of this library."""

from __future__ import annotations

import contextlib
import hashlib
import math
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import torch
import torchmetrics
from torch import Tensor
from torchmetrics.utilities.distributed import gather_all_tensors

from .._errors import Error, IncompatibleError, InvalidArgumentError, NoDataError, ShapeError
from .._metric import Metric

_WORD_BITS = 16
_WORDS = 4
_FINGERPRINT, _LANES = "fingerprint", "lanes"


class _Held(NamedTuple):
    """Metrics of this library, and the form of the tensors that they take, such as a layout."""

    form: str
    metrics: list[Metric]


class ExactMetric(torchmetrics.Metric):
    """The base of all classes of this module.

    Two states stand for the data: `lanes`, an int64 tensor whose merge is addition, and
    `fingerprint`, which stands for the options, and is compared where lanes come together. The
    data themselves are in metrics of this library. An update changes those alone, and `lanes` is
    made when somebody looks: a synchronisation, a checkpoint, a collection.

    A subclass calls _begin() at the end of its __init__, makes metrics in _made(), and updates
    those that _in_form() gives. States that are lists are added by add_state() as ever.
    """

    full_state_update = False
    is_differentiable = False

    __jit_unused_properties__: ClassVar[list[str]] = [
        *torchmetrics.Metric.__jit_unused_properties__,
        *("fingerprint", "lanes", "_metric", "_lists"),
    ]

    if TYPE_CHECKING:  # torch.jit.script, which TorchMetrics' classes pass, reads what is there
        higher_is_better: bool | None
        plot_lower_bound: float | None
        plot_upper_bound: float | None
        plot_legend_name: str | None
        _held: _Held
        _spare: _Held | None

    higher_is_better = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._held = _Held("", [])  # until _begin()
        self._spare = None
        self._agreed = torch.zeros(_WORDS, dtype=torch.int64, device="cpu")

    def _made(self, form: str) -> list[Metric]:
        """New metrics of this library for tensors of a form. The lanes of all forms add."""
        raise NotImplementedError

    def _begin(self, form: str, *meaning: Any) -> None:
        """Makes the metrics and the states.

        Args:
            form: of the tensors that are expected.
            meaning: what else lanes have to agree in to be added, such as a threshold.
        """
        self._held = _Held(form, self._made(form))
        prints = [metric.fingerprint for metric in self._held.metrics]
        text = repr((prints, meaning)).encode()
        # Words of 16 bits: a comparison with a relative tolerance, as collections make it to find
        # metrics of equal state, tells these apart.
        number = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")
        words = [number >> (_WORD_BITS * word) & 0xFFFF for word in range(_WORDS)]
        self._agreed = torch.tensor(words, dtype=torch.int64, device="cpu")
        self._lane_counts = [len(metric.lanes()) for metric in self._held.metrics]
        self.add_state(_FINGERPRINT, self._agreed.clone(), _one_of_all)
        # Expanded from one number, for the lanes of FID take 67 MB.
        zeros = torch.zeros(1, dtype=torch.int64, device="cpu").expand(sum(self._lane_counts))
        self._defaults[_LANES] = zeros
        self._persistent[_LANES] = False
        self._reductions[_LANES] = torchmetrics.utilities.data.dim_zero_sum

    def _in_form(self, form: str) -> list[Metric]:
        """The metrics, ready for tensors of a form."""
        if form != self._held.form:
            self._held = self._converted(self._held, form)
        return self._held.metrics

    def _converted(self, held: _Held, form: str) -> _Held:
        made = self._made(form)
        for new, old in zip(made, held.metrics):
            new.add_lanes(old.lanes())
        return _Held(form, made)

    @property
    def _metric(self) -> Any:
        return self._held.metrics[0] if self._held.metrics else None

    @property
    def fingerprint(self) -> Tensor:
        """Stands for kind and options: int64, 4 words of 16 bits."""
        return self._agreed.to(self.device)

    @fingerprint.setter
    def fingerprint(self, theirs: Tensor) -> None:
        if not torch.equal(theirs.cpu(), self._agreed):
            raise IncompatibleError(
                f"fingerprint is {theirs.tolist()}, but this {type(self).__name__} has"
                f" {self._agreed.tolist()}: the lanes are those of another kind of metric, or of"
                " other options"
            )

    @property
    def lanes(self) -> Tensor:
        """The data as int64 numbers whose merge is addition; a new tensor each time."""
        parts = [
            torch.frombuffer(metric.lanes(), dtype=torch.int64) for metric in self._held.metrics
        ]
        none = torch.empty(0, dtype=torch.int64, device="cpu")
        return (parts[0] if len(parts) == 1 else torch.cat([none, *parts])).to(self.device)

    @lanes.setter
    def lanes(self, lanes: Tensor) -> None:
        parts = self._parts(lanes)
        filled = self._empty()
        for metric, part in zip(filled.metrics, parts):
            metric.add_lanes(part)
        self._spare, self._held = self._held, filled

    def _parts(self, lanes: Tensor) -> list[Tensor]:
        """Lanes, of each metric of this library."""
        expected = [sum(self._lane_counts)]
        if lanes.dtype != torch.int64 or list(lanes.shape) != expected:
            raise IncompatibleError(
                f"lanes is {lanes.dtype} {list(lanes.shape)}, expected torch.int64 {expected}"
            )
        return list(torch.split(lanes.detach().cpu().contiguous(), self._lane_counts))

    def _empty(self) -> _Held:
        """Metrics without data: those that were put aside last, where there are some."""
        held, self._spare = self._spare, None
        if not self._held.metrics:
            return self._held
        if held is None or held.form != self._held.form:
            return _Held(self._held.form, self._made(self._held.form))
        for metric in held.metrics:
            metric.reset()
        return held

    @property
    def _lists(self) -> list[str]:
        """The names of states that are lists."""
        return [name for name in self._defaults if name not in (_FINGERPRINT, _LANES)]

    def _forward_reduce_state_update(self, *args: Any, **kwargs: Any) -> Any:
        """The batch goes into metrics of its own, which are then added: no state is copied.

        Where the update or the value fails the state stays as it was.
        """
        total, count = self._held, self._update_count
        lists: dict[str, Any] = {name: getattr(self, name) for name in self._lists}
        self._held = self._empty()
        for name in lists:
            setattr(self, name, [])
        self._to_sync = self.dist_sync_on_step
        try:
            self.update(*args, **kwargs)
            value = self.compute()
            if self._held.form != total.form:  # as where the first tensors told the classes
                total = self._converted(total, self._held.form)
            for metric, batch in zip(total.metrics, self._held.metrics):
                metric.merge(batch)
            for name, values in lists.items():
                values.extend(getattr(self, name))
            count += 1
        finally:
            self._spare, self._held = self._held, total
            for name, values in lists.items():
                setattr(self, name, values)
            self._update_count = count
            self._to_sync = self.sync_on_compute
            self._is_synced, self._cache, self._computed = False, None, None
        return value

    _forward_full_state_update = _forward_reduce_state_update

    def _reduce_states(self, incoming_state: dict[str, Any]) -> None:
        for name in self._defaults:
            if name not in incoming_state:
                raise ValueError(f"incoming_state lacks {name!r}, expected {list(self._defaults)}")
        self.fingerprint = incoming_state[_FINGERPRINT]
        for metric, part in zip(self._held.metrics, self._parts(incoming_state[_LANES])):
            metric.add_lanes(part)
        for name in self._lists:
            theirs = incoming_state[name]
            theirs = [theirs] if isinstance(theirs, Tensor) else list(theirs)
            setattr(self, name, theirs + getattr(self, name))

    def _sync_dist(
        self, dist_sync_fn: Callable[..., Any] = gather_all_tensors, process_group: Any = None
    ) -> None:
        """Sums the lanes of all processes in place, where TorchMetrics gathers each one's state."""
        if dist_sync_fn is not gather_all_tensors:
            super()._sync_dist(dist_sync_fn, process_group)
            return
        group = process_group or self.process_group
        reductions = self._reductions
        if not all_agree(self.fingerprint, group):
            raise IncompatibleError(
                f"the processes have {type(self).__name__} with different options, so that their"
                " lanes cannot be added"
            )
        lanes = self.lanes
        torch.distributed.all_reduce(lanes, torch.distributed.ReduceOp.SUM, group)
        self.lanes = lanes
        try:
            self._reductions = {name: reductions[name] for name in self._lists}
            super()._sync_dist(dist_sync_fn, process_group)
        finally:
            self._reductions = reductions

    def reset(self) -> None:
        """Forgets all data; the options stay."""
        self._forget()
        for name in self._lists:
            setattr(self, name, [])
        self._update_count = 0
        self._forward_cache = self._computed = self._cache = None
        self._is_synced = False

    def _forget(self) -> None:
        for metric in self._held.metrics:
            metric.reset()

    def _apply(self, fn: Callable[..., Any], exclude_state: Any = ()) -> Any:
        """Moves what is a tensor; `lanes` is made where the metric is when somebody looks."""
        return super()._apply(fn, (*exclude_state, _FINGERPRINT, _LANES))

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_spare": None}

    def __hash__(self) -> int:
        return hash((type(self).__name__, id(self)))

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """One value or several, as TorchMetrics draws them.

        Args:
            val: what forward() or compute() gave, or a list of it; None for that of compute().
            ax: axes of matplotlib to draw into.
        """
        return self._plot(val, ax)

    def _value(self, numbers: Any) -> Tensor:
        """Numbers as a tensor of the metric's element type, where the metric is."""
        if isinstance(numbers, Tensor):
            return numbers.to(self.device, self.dtype)
        return torch.as_tensor(numbers).to(self.device, self.dtype)

    def _read(
        self, read: Callable[[], Any], shape: tuple[int, ...] = (), nothing: float = math.nan
    ) -> Tensor:
        """What a function gives, or what stands for it where there are no data yet."""
        try:
            return self._value(read())
        except NoDataError:
            return self._value(torch.full(shape, nothing))

    def _joined(self, name: str) -> Tensor:
        """A state of values as one tensor, where the metric is."""
        values = getattr(self, name)
        if not isinstance(values, Tensor):
            values = torch.cat(values) if values else torch.empty(0, dtype=self.dtype)
        return values.to(self.device)


def _one_of_all(fingerprints: Tensor) -> Tensor:
    """That of all processes, which has to be one."""
    if not (fingerprints == fingerprints[0]).all():
        raise IncompatibleError(
            f"fingerprint is {fingerprints.tolist()} in the processes, expected one for all: their"
            " metrics have different options, so that the lanes cannot be added"
        )
    return fingerprints[0]


def all_agree(numbers: Tensor, group: Any) -> bool:
    """Whether all processes have the same numbers, int64."""
    ends = torch.cat((numbers, ~numbers))  # for max(x) = ~min(~x)
    torch.distributed.all_reduce(ends, torch.distributed.ReduceOp.MIN, group)
    lowest, of_highest = ends.chunk(2)
    return torch.equal(lowest, ~of_highest)


@contextlib.contextmanager
def own_words(**words: str) -> Iterator[None]:
    """Errors name the arguments as TorchMetrics does: preds and target, or as is stated."""
    words = words or {"reference": "target", "candidate": "preds"}
    try:
        yield
    except Error as problem:
        pattern = rf"\b({'|'.join(words)})\b"
        problem.args = (re.sub(pattern, lambda found: words[found[0]], str(problem)),)
        raise


def check_same_shape(preds: Tensor, target: Tensor) -> None:
    """The shapes of both have to be one."""
    if preds.shape != target.shape:
        raise ShapeError(
            f"preds has shape {list(preds.shape)}, but target has {list(target.shape)}: expected"
            " the same"
        )


def one_of(name: str, value: Any, expected: tuple[Any, ...]) -> None:
    """The value has to be one of those expected."""
    if value not in expected:
        listed = ", ".join(map(repr, expected))
        raise InvalidArgumentError(f"{name} is {value!r}, expected one of {listed}")


def flag(name: str, value: Any) -> None:
    """The value has to be True or False."""
    if not isinstance(value, bool):
        raise InvalidArgumentError(f"{name} is {value!r}, expected True or False")


def whole(name: str, value: Any, least: int) -> None:
    """The value has to be an integer of some size."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidArgumentError(f"{name} is {value!r}, expected an integer of at least {least}")
