"""All that moves in a training, step by step; it can be written down and taken up again."""

from __future__ import annotations

import logging
import math
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from recurra.errors import OptionError, TrainingError
from recurra.training.clipping import clip
from recurra.training.flat import flatten
from recurra.training.flat_optimizer import FlatOptimizer
from recurra.training.moving_weights import Average, Best
from recurra.training.plateau import Plateau
from recurra.training.precision import at_precision
from recurra.training.ranks import Alone
from recurra.training.source import Source, from_arrays, to_arrays
from recurra.training.splitting import Splitting, joined, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from recurra.training.options import Training
    from recurra.training.source import Chunked
    from recurra.types import Array

__all__ = ["Course", "Log"]

logger = logging.getLogger("recurra.training")

PATIENT = 5  # steps in a row without a finite gradient, before weights go back to earlier ones
SLOWEST = 4  # times that they go back, each time to half the rate, before there is no hope
NAMED = 5  # records that are named
OTHER = "The folder of checkpoints holds"
ADVICE = "Give another folder, or resume=False (--no-resume) to begin again there."


@dataclass
class Log:
    """What happened while training.

    Attributes
    ----------
    loss : list of float
        Mean training loss of every optimizer step.
    validation : list of (int, float)
        Step and validation loss of every check.
    best_step : int
        The step whose weights were kept.
    skipped : int
        Steps skipped because their loss or gradient was not finite.
    slowed : int
        Times that the weights went back to earlier ones, to go on at half the rate.
    seconds : float
        Time spent.
    """

    loss: list[float] = field(default_factory=list)
    validation: list[tuple[int, float]] = field(default_factory=list)
    best_step: int = 0
    skipped: int = 0
    slowed: int = 0
    seconds: float = 0.0


class Course:
    """All that moves in a training.

    Parameters
    ----------
    model, batches, options
        As for `train`.
    ranks : Alone
        Who takes part.

    Attributes
    ----------
    log : Log
        What happened so far.
    best, average : Best, Average
        Weights that are kept.
    plateau : Plateau
        How far the rate has fallen.
    splitting : Splitting
        How batches are split that memory does not hold.
    source : Source
        Where it stands in the data.
    optimizer : torch.optim.Optimizer
        What moves the weights.
    lost : int
        Steps in a row that were skipped.
    safe : dict of str to Tensor
        The weights that are gone back to.
    is_over : bool
        Whether no step follows.
    rate : float
        The learning rate of the last step.
    """

    def __init__(
        self,
        model: nn.Module,
        batches: Iterator[Chunked],
        options: Training,
        ranks: Alone,
    ) -> None:
        self.model, self.options, self.ranks = model, options, ranks
        self.log, self.best, self.average = Log(), Best(options), Average(options)
        self.plateau = Plateau(options)
        self.flat = flatten(model)
        self.optimizer = FlatOptimizer(self.flat, options.optimizer, options.weight_decay)
        self.splitting = Splitting(model, self.flat)
        add = at_precision(self.splitting.add, options.precision, model)
        self.source = Source(add, batches, options.truncation, ranks)
        self.moving = [*model.buffers()]  # what a step changes besides parameters
        self._level = logging.WARNING if ranks.leads else logging.DEBUG  # it is said once
        self._begin_alike()
        self.lost, self.is_over, self.rate = 0, False, 0.0
        self.safe: dict[str, Tensor] = {}  # weights that a check found finite
        self._stream, self._begun = iter(self.source), time.perf_counter()

    @property
    def step(self) -> int:
        """Steps done."""
        return len(self.log.loss)

    @property
    def progress(self) -> dict[str, int]:
        """How far it is, for a bar."""
        return {"total": self.options.steps, "initial": self.step}

    @property
    def seconds(self) -> float:
        """Time spent since it began, or was taken up again."""
        return time.perf_counter() - self._begun

    def advance(self) -> None:
        """Do one step.

        Raises
        ------
        TrainingError
            If loss or gradient have not been finite for too long, at lower rates too.
        """
        step = self.step
        if step % self.options.check_every == 0 and self.lost == 0:
            self.safe = {name: each.clone() for name, each in self.model.state_dict().items()}
        if not self.model.training:  # a walk through all modules
            self.model.train()
        loss, count = self._gradient()
        rate = self.options.rate_at(step) * self.plateau.share / 2**self.log.slowed
        self.rate = rate
        count = clip(self.flat, count, self.options)
        moved = math.isfinite(loss) and self.optimizer.step(rate, count, self.options.clip_norm)
        self.log.loss.append(loss)
        self.lost = 0 if moved else self.lost + 1
        if not moved:
            self._stumble(rate)
        self.ranks.follow(self.moving)
        self.average.see(self.model, step)
        self.is_over = self.step >= self.options.steps

    def _stumble(self, rate: float) -> None:
        """Tell of a step that was not made; after some in a row go back, and on more slowly."""
        self.log.skipped += 1
        who = _named(self.source.batch)
        told = "step %d is skipped: neither loss nor gradient may be infinite or NaN%s"
        logger.log(self._level, told, self.step, who)
        if self.lost < PATIENT:
            return
        if self.log.slowed == SLOWEST:
            raise TrainingError(
                f"Loss or gradient have not been finite for {self.lost} steps (now step "
                f"{self.step}), the last of them at a rate of {rate:.2g}{who}. Lower learning_rate "
                f"(it is {self.options.learning_rate:g}), or look for values many orders of "
                "magnitude apart in the data."
            )
        self.log.slowed, self.lost = self.log.slowed + 1, 0
        self.model.load_state_dict(self.safe)
        self.optimizer.forget()
        logger.log(
            self._level, "the weights of an earlier step are taken, and half the learning rate"
        )

    def check(self, validate: Callable[[], float]) -> None:
        """Look at the validation loss; without a better one for long, no step follows.

        Parameters
        ----------
        validate : callable
            Returns it.
        """
        self.log.validation.append((self.step, self._loss_by(validate)))
        self.best.see(self.model, *self.log.validation[-1])
        self.plateau.see(*self.log.validation[-1])
        if self.ranks.leads:
            loss, found = self.log.loss[-1], self.log.validation[-1][1]
            logger.info("step %d: loss %.4f, validation %.4f", self.step, loss, found)
        self.is_over |= self.best.is_long_ago

    def finish(self, validate: Callable[[], float] | None) -> None:
        """Give the model the weights that are to stay.

        Parameters
        ----------
        validate : callable, optional
            Returns the validation loss.
        """
        if self.average.put(self.model) and validate is not None:
            self.best.see(self.model, self.step, self._loss_by(validate))
        self.log.best_step = self.best.put(self.model) or self.step
        self.log.seconds += self.seconds
        self.flat.release()
        self._end_alike()

    def record(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Give all there is, to be written down.

        Returns
        -------
        header : dict
            For JSON.
        arrays : dict of str to ndarray
            The numbers.
        """
        seconds = self.log.seconds + (0.0 if self.is_over else self.seconds)
        log = replace(self.log, loss=[], validation=[], seconds=seconds)
        told: Any = (to_arrays(self.source.state), torch.get_rng_state())
        ((state, carried), chance), *others = self.ranks.gather(told)
        header = {
            "checkpoint": 3,
            "options": asdict(self.options),
            "log": asdict(log),
            "best": self.best.record(),
            "averaged": self.average.count,
            "plateau": self.plateau.record(),
            "fits": self.splitting.most,
            "place": [self.source.taken, self.source.cut, state],
            "data": self.source.digest,
            "lost": self.lost,
            "is_over": self.is_over,
            "others": [state for (state, _), _ in others],
        }
        tensors = {
            "model": self.model.state_dict(),
            "best": self.best.weights,
            "average": self.average.weights,
            "safe": self.safe,
            "optimizer": self.optimizer.state(),
            "carried": carried,
            "chance": {"torch": chance},
        }
        for rank, ((_, theirs), its_chance) in enumerate(others, start=1):
            tensors |= {f"carried{rank}": theirs, f"chance{rank}": {"torch": its_chance}}
        arrays = {
            f"{group}/{name}": value.detach().numpy()
            for group, each in tensors.items()
            for name, value in each.items()
        }
        arrays["log/loss"] = np.array(self.log.loss, np.float64)
        arrays["log/validation"] = np.array(self.log.validation, np.float64).reshape(-1, 2)
        return header, arrays

    def restore(self, header: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Take up what `record` gave.

        Parameters
        ----------
        header : dict
            The header.
        arrays : dict of str to ndarray
            The numbers.

        Raises
        ------
        OptionError
            If that was another training: other options, another model, other data.
        """
        self._check_same(header)
        groups: dict[str, dict[str, Tensor]] = defaultdict(dict)
        for name, value in arrays.items():
            group, _, rest = name.partition("/")
            groups[group][rest] = torch.from_numpy(value.copy())
        try:
            self.model.load_state_dict(groups["model"])
        except RuntimeError as error:
            raise OptionError(f"{OTHER} another model: {error}") from error
        self.optimizer.restore(groups["optimizer"])
        self.best.restore(header["best"], groups["best"])
        self.plateau.restore(header["plateau"])
        self.splitting.most = header["fits"]
        self.average.count, self.average.weights = header["averaged"], groups["average"]
        self.safe = groups["safe"]
        taken, cut, state = header["place"]
        self.source.go_to(taken, cut, self._carried([state, *header["others"]], groups))
        if self.source.digest != header["data"]:
            raise OptionError(f"{OTHER} other data. {ADVICE}")
        validation = [(int(step), loss) for step, loss in arrays["log/validation"].tolist()]
        told = {**header["log"], "loss": arrays["log/loss"].tolist(), "validation": validation}
        self.log, self.lost, self.is_over = Log(**told), header["lost"], header["is_over"]
        chance = groups.get(f"chance{self.ranks.rank or ''}")
        if chance is not None:  # else there were fewer ranks
            torch.set_rng_state(chance["torch"])

    def _end_alike(self) -> None:
        """Let all ranks draw the same again."""
        chance = torch.get_rng_state()
        self.ranks.follow([chance])
        torch.set_rng_state(chance)

    def _begin_alike(self) -> None:
        """Start all ranks from the same weights, each with a chance of its own."""
        options = {**asdict(self.options), "progress": None}
        self.ranks.compare(options=options, sizes=[len(each) for each in self.flat.parameters])
        self.ranks.follow([*self.flat.parameters, *self.moving])
        if not self.ranks.leads:
            torch.manual_seed(torch.initial_seed() + self.ranks.rank)

    def _carried(self, states: list[Any], groups: Mapping[str, dict[str, Tensor]]) -> Any:
        """Take up what was carried for this rank's rows, by as many ranks or by others."""
        named = [(state, groups.get(f"carried{k or ''}", {})) for k, state in enumerate(states)]
        if len(states) == self.ranks.world:
            return from_arrays(*named[self.ranks.rank])
        carried = [from_arrays(*each) for each in named if each[0] is not None]
        if not carried:
            return None
        rows = sum(next(iter(theirs.values())).shape[-2] for _, theirs in named if theirs)
        start, stop = self.ranks.part(rows)
        return rows_of(joined(carried), start, stop, rows) if stop > start else None

    def _check_same(self, header: Mapping[str, Any]) -> None:
        """Refuse what another training left."""
        if header.get("checkpoint") != 3:
            raise OptionError(f"{OTHER} no training that this version can go on with. {ADVICE}")
        mine, theirs = asdict(self.options), header["options"]
        for name in mine:
            if name != "progress" and mine[name] != theirs.get(name):
                was = f"{name}={theirs.get(name)!r}, but now it is {mine[name]!r}"
                raise OptionError(f"{OTHER} a training with {was}. {ADVICE}")

    def _gradient(self) -> tuple[float, int]:
        """Leave the gradient of the summed loss over some batches; return mean loss and count."""
        self.splitting.begin()
        losses, counts = 0.0, 0
        for total, count in (next(self._stream) for _ in range(self.options.accumulate)):
            losses, counts = losses + total, counts + count
        losses, counts = self.ranks.add(self.flat.gradients, losses, counts)
        return losses / max(counts, 1), counts

    def _loss_by(self, validate: Callable[[], float]) -> float:
        self.model.eval()
        with torch.no_grad():
            found = validate()
        return self.ranks.first_of(found)


def _named(batch: Any) -> str:
    """Say which records a batch holds, if it knows."""
    names = [*map(repr, getattr(batch, "names", ()))]
    if not names:
        return ""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f", of the records {', '.join(names[:NAMED])}{more}"
