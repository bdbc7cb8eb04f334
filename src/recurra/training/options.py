"""How to train: one small frozen value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from recurra.errors import OptionError

__all__ = ["Training"]

Optimizer = Literal["adam", "adamw", "rmsprop", "sgd"]
Schedule = Literal["cosine", "linear", "constant"]


@dataclass(frozen=True)
class Training:
    """How to train a network.

    Parameters
    ----------
    steps : int
        Optimizer steps at most.
    batch_size : int
        Windows in a batch.
    optimizer : {"adam", "adamw", "rmsprop", "sgd"}
        The optimizer; ``"sgd"`` has momentum 0.9.
    learning_rate : float
        The highest learning rate.
    schedule : {"cosine", "linear", "constant"}
        How the learning rate falls after the warm-up; to zero at the last step, unless constant.
    warmup : int
        Steps in which the learning rate rises from zero.
    weight_decay : float
        Decay of the weights; decoupled for ``"adamw"`` (Loshchilov & Hutter, arXiv:1711.05101).
    clip_norm : float or None
        Gradients longer than this are shortened to it (Pascanu et al., arXiv:1211.5063).
    accumulate : int
        Batches whose gradients are added up before a step; as if the batch were larger.
    truncation : int or None
        Truncated backpropagation through time: windows are cut into chunks of this many steps, with
        one optimizer step a chunk and the state carried on; None for whole windows.
    patience : int or None
        Stop after this many times `check_every` steps without a better validation loss; None to use
        every step. The best weights are kept in either case.
    check_every : int
        Steps between two validation checks; at the beginning there are five times as many.
    average : float
        The weights of so many of the last steps, as a share of all, are averaged in the end
        (Izmailov et al. 2018, arXiv:1803.05407); 0 for none. Where there are checks, the average is
        kept if its validation loss is the best.
    progress : bool or None
        Show a progress bar; None for only in a terminal or a notebook. Without one, each check is
        logged to ``recurra.training`` at level INFO.

    Raises
    ------
    OptionError
        If a value is impossible.

    Examples
    --------
    >>> from recurra import Training
    >>> Training(steps=200, optimizer="sgd").rate_at(0)
    0.0002
    """

    steps: int = 1000
    batch_size: int = 64
    optimizer: Optimizer = "adamw"
    learning_rate: float = 1e-2
    schedule: Schedule = "cosine"
    warmup: int = 50
    weight_decay: float = 0.0
    clip_norm: float | None = 1.0
    accumulate: int = 1
    truncation: int | None = None
    patience: int | None = 10
    check_every: int = 50
    average: float = 0.0
    progress: bool | None = None

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        for name in ("steps", "batch_size", "accumulate", "truncation", "patience", "check_every"):
            value = getattr(self, name)
            optional = name in ("truncation", "patience")
            if not (optional and value is None) and not (_whole(value) and value >= 1):
                hint = " or None" if optional else ""
                raise OptionError(f"{name}={value!r}, but it must be an int of at least 1{hint}.")
        if not (_whole(self.warmup) and self.warmup >= 0):
            raise OptionError(f"warmup={self.warmup!r}, but it must be an int of at least 0.")
        for name, kinds in (("optimizer", Optimizer), ("schedule", Schedule)):
            if getattr(self, name) not in get_args(kinds):
                known = ", ".join(map(repr, get_args(kinds)))
                raise OptionError(f"{name}={getattr(self, name)!r}, but it must be one of {known}.")
        if not (_number(self.learning_rate) and 0 < self.learning_rate < math.inf):
            raise OptionError(f"learning_rate={self.learning_rate!r}, but it must be positive.")
        if not (_number(self.weight_decay) and 0 <= self.weight_decay < math.inf):
            raise OptionError(f"weight_decay={self.weight_decay!r}, but it cannot be negative.")
        if not (_number(self.average) and 0 <= self.average < 1):
            raise OptionError(f"average={self.average!r}, but it is a share below 1.")
        if self.clip_norm is not None and not (_number(self.clip_norm) and self.clip_norm > 0):
            raise OptionError(f"clip_norm={self.clip_norm!r}, but it must be positive or None.")

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        rise = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        done = step / self.steps
        fall = {
            "cosine": 0.5 * (1.0 + math.cos(math.pi * done)),
            "linear": 1.0 - done,
            "constant": 1.0,
        }[self.schedule]
        return self.learning_rate * rise * fall


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
