"""How to train: one small frozen value."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

from recurra.errors import OptionError, check_count
from recurra.training.precision import Precision
from recurra.training.schedules import Schedule, rate_of

__all__ = ["Training"]

Optimizer = Literal["adam", "adamw", "rmsprop", "sgd"]
StopBy = Literal["loss", "score"]

COUNTS = ("steps", "batch_size", "accumulate", "check_every", "plateau_patience")
COUNTS_OR_NONE = ("truncation", "patience")
CLIPS = ("clip_norm", "clip_value", "clip_adaptive")


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
    schedule : {"cosine", "linear", "constant", "one_cycle", "plateau"}
        How the learning rate goes (`recurra.training.schedules.rate_of`). ``"cosine"`` and
        ``"linear"`` fall to zero at the last step. ``"one_cycle"`` rises in the first three tenths
        and falls to almost zero (Smith & Topin 2018, arXiv:1708.07120). ``"plateau"`` falls where
        the validation loss does not, and needs one.
    warmup : int
        Steps in which the learning rate rises from zero; ``"one_cycle"`` has its own.
    weight_decay : float
        Decay of the weights; decoupled for ``"adamw"`` (Loshchilov & Hutter, arXiv:1711.05101).
    clip_norm : float or None
        Gradients longer than this are shortened to it (Pascanu et al., arXiv:1211.5063). None
        where another way of clipping is wanted: there is one at a time.
    clip_value : float, optional
        Each number of the gradient is cut off at plus and minus this.
    clip_adaptive : float, optional
        The gradient of each unit is at most so many times as long as its weights, 0.01 say (Brock
        et al. 2021, arXiv:2102.06171).
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
    plateau_patience : int
        With ``"plateau"``, the rate falls after this many times `check_every` steps without a
        better validation loss, and again after as many more.
    plateau_factor : float
        What the rate is multiplied by then.
    stop_by : {"loss", "score"}
        Which weights are the best and when to stop: by the validation loss, or by the first score
        of an estimator's report, accuracy say, for what is held back (of a forecaster, MASE). Where
        more of it is better, checks tell minus the score. Something must be held back.
    average : float
        The weights of so many of the last steps, as a share of all, are averaged in the end
        (Izmailov et al. 2018, arXiv:1803.05407); 0 for none. Where there are checks, the average is
        kept if its validation loss is the best.
    precision : {"bfloat16"}, optional
        What products are rounded to while gradients are computed, where the processor or the GPU
        has such products (`recurra.training.precision.bfloat16_products`); weights, sums, losses
        and checks stay float32. It pays from some hundred units on. None for what torch's own
        switches say.
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
    clip_value: float | None = None
    clip_adaptive: float | None = None
    accumulate: int = 1
    truncation: int | None = None
    patience: int | None = 10
    check_every: int = 50
    plateau_patience: int = 3
    plateau_factor: float = 0.5
    stop_by: StopBy = "loss"
    average: float = 0.0
    precision: Precision | None = None
    progress: bool | None = None

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        self._check_counts()
        choices = {"optimizer": Optimizer, "schedule": Schedule, "stop_by": StopBy}
        for name, kinds in choices.items():
            if getattr(self, name) not in get_args(kinds):
                known = ", ".join(map(repr, get_args(kinds)))
                raise OptionError(f"{name}={getattr(self, name)!r}, but it must be one of {known}.")
        if self.precision not in (None, *get_args(Precision)):
            raise OptionError(f"precision={self.precision!r}, but it must be 'bfloat16' or None.")
        if not (_number(self.learning_rate) and 0 < self.learning_rate < math.inf):
            raise OptionError(f"learning_rate={self.learning_rate!r}, but it must be positive.")
        if not (_number(self.weight_decay) and 0 <= self.weight_decay < math.inf):
            raise OptionError(f"weight_decay={self.weight_decay!r}, but it cannot be negative.")
        if not (_number(self.average) and 0 <= self.average < 1):
            raise OptionError(f"average={self.average!r}, but it is a share below 1.")
        if not (_number(self.plateau_factor) and 0 < self.plateau_factor < 1):
            said = f"plateau_factor={self.plateau_factor!r}"
            raise OptionError(f"{said}, but it must lie between 0 and 1: the rate is to fall.")
        self._check_clips()
        self._check_plateau()

    def _check_counts(self) -> None:
        for name in (*COUNTS, *COUNTS_OR_NONE):
            check_count(name, getattr(self, name), optional=name in COUNTS_OR_NONE)
        check_count("warmup", self.warmup, least=0)

    def _check_clips(self) -> None:
        given = {name: getattr(self, name) for name in CLIPS if getattr(self, name) is not None}
        for name, value in given.items():
            if not (_number(value) and value > 0):
                raise OptionError(f"{name}={value!r}, but it must be positive or None.")
        if len(given) > 1:
            said = " and ".join(f"{name}={value:g}" for name, value in given.items())
            first = next(iter(given))
            raise OptionError(f"{said}, but gradients are clipped in one way. Use {first}=None.")

    def _check_plateau(self) -> None:
        if self.schedule != "plateau" or self.patience is None:
            return
        if self.patience <= self.plateau_patience:
            raise OptionError(
                f"patience={self.patience} ends the training before plateau_patience="
                f"{self.plateau_patience} lowers the rate. Use more patience, or None."
            )

    def check_needs_nothing_held(self) -> None:
        """Refuse what needs a validation loss, where there is none.

        Raises
        ------
        OptionError
            If the rate follows it, or the training is to be stopped by a score.
        """
        for name, wanted in (("schedule", "plateau"), ("stop_by", "score")):
            if getattr(self, name) == wanted:
                raise OptionError(
                    f"{name}={wanted!r} needs checks, but nothing is held back for them. Give more "
                    f"data or validation=, or use another {name}."
                )

    def without_checks(self) -> Training:
        """Give the same for a training in which nothing is held back.

        Returns
        -------
        Training
            With a cosine instead of a plateau.
        """
        schedule: Schedule = "cosine" if self.schedule == "plateau" else self.schedule
        return replace(self, schedule=schedule, stop_by="loss")

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0; of a plateau, before it falls."""
        return rate_of(self.schedule, step, self.steps, self.warmup, self.learning_rate)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
