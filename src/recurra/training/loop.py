"""The training loop, from top to bottom.

It asks the model one thing: ``model.loss(batch, state)``, which answers the summed loss, how many
targets were counted, and the state to carry on. A batch can be cut along time with
``batch.chunks(steps)``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from recurra.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from recurra.training.options import Training

__all__ = ["Callback", "Log", "Moment", "train"]

logger = logging.getLogger("recurra.training")

HOPELESS = 20  # steps in a row without a finite gradient


class Chunked(Protocol):
    """A batch that can be cut along time."""

    def chunks(self, steps: int) -> Iterator[Any]:
        """Yield pieces of at most `steps` steps, in order."""


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
        Steps skipped because their gradient was not finite.
    seconds : float
        Time spent.
    """

    loss: list[float] = field(default_factory=list)
    validation: list[tuple[int, float]] = field(default_factory=list)
    best_step: int = 0
    skipped: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Moment:
    """A training as it stands after a step.

    Attributes
    ----------
    step : int
        Steps done.
    steps : int
        Steps at most.
    loss : float
        Mean training loss of this step.
    validation : float or None
        The validation loss, where this step was followed by a check.
    model : torch.nn.Module
        The model as it is; to be looked at, not changed.
    """

    step: int
    steps: int
    loss: float
    validation: float | None
    model: nn.Module


Callback = Callable[[Moment], "bool | None"]
"""Called after each step; returns True to end the training."""


def train(
    model: nn.Module,
    batches: Iterator[Chunked],
    options: Training,
    validate: Callable[[], float] | None = None,
    callbacks: Sequence[Callback] = (),
) -> Log:
    """Train a model in place and leave it with its best weights, in evaluation mode.

    Parameters
    ----------
    model : torch.nn.Module
        With ``loss(batch, state) -> (sum, count, state)``.
    batches : iterator
        Endless.
    options : Training
        How to train.
    validate : callable, optional
        Returns the validation loss of the model as it is; called in evaluation mode, without
        gradients. Without one the last weights are kept.
    callbacks : sequence of callable
        Each is called after every step; if one returns True, that step is the last.

    Returns
    -------
    Log
        What happened.

    Raises
    ------
    TrainingError
        If the gradient stays infinite or NaN.
    """
    log, best, begun, lost = Log(), _Best(options), time.perf_counter(), 0
    average = _Average(options)
    parameters = [each for each in model.parameters() if each.requires_grad]
    optimizer = _optimizer(parameters, options)
    stream = _stream(model, batches, options.truncation)
    disable = None if options.progress is None else not options.progress
    with tqdm(total=options.steps, desc="training", unit="step", disable=disable) as bar:
        for step in range(options.steps):
            model.train()
            log.loss.append(_gradient(parameters, stream, options.accumulate))
            moved = _step(optimizer, parameters, options, step)
            log.skipped, lost = log.skipped + (not moved), 0 if moved else lost + 1
            if lost >= HOPELESS:
                raise TrainingError(_hopeless(step, options))
            average.see(model, step)
            bar.update()
            if validate is not None and _due(step + 1, options):
                model.eval()
                with torch.no_grad():
                    log.validation.append((step + 1, validate()))
                best.see(model, *log.validation[-1])
                bar.set_postfix(loss=f"{log.loss[-1]:.3f}", validation=f"{best.loss:.3f}")
                logger.info("step %d: loss %.4f, validation %.4f", *_report(log))
                if best.is_long_ago:
                    break
            if _called(callbacks, log, step + 1, options.steps, model):
                break
    if average.put(model) and validate is not None:
        model.eval()
        with torch.no_grad():
            best.see(model, len(log.loss), validate())
    log.best_step = best.restore(model) or len(log.loss)
    model.eval()
    log.seconds = time.perf_counter() - begun
    return log


def _called(
    callbacks: Sequence[Callback], log: Log, step: int, steps: int, model: nn.Module
) -> bool:
    """Call whoever wants to see each step; say whether one of them wants no more."""
    if not callbacks:
        return False
    checked = log.validation[-1] if log.validation else (0, None)
    moment = Moment(step, steps, log.loss[-1], checked[1] if checked[0] == step else None, model)
    wants = [callback(moment) for callback in callbacks]  # all of them are to see it
    return any(each is True for each in wants)


def _stream(
    model: nn.Module, batches: Iterator[Chunked], truncation: int | None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield summed losses and counts, carrying the state through the chunks of a batch."""
    for batch in batches:
        state = None
        for chunk in batch.chunks(truncation) if truncation else (batch,):
            total, count, state = model.loss(chunk, state)  # type: ignore[operator]
            yield total, count
            state = _detach(state)


def _gradient(
    parameters: list[nn.Parameter], stream: Iterator[tuple[Tensor, Tensor]], accumulate: int
) -> float:
    """Leave the gradient of the mean loss over some batches in the parameters."""
    for each in parameters:
        each.grad = None
    losses, counts = 0.0, 0
    for total, count in (next(stream) for _ in range(accumulate)):
        total.backward()
        losses, counts = losses + total.item(), counts + int(count)
    gradients = [each.grad for each in parameters if each.grad is not None]
    torch._foreach_div_(gradients, max(counts, 1))
    return losses / max(counts, 1)


def _step(
    optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter], options: Training, step: int
) -> bool:
    """Clip the gradient and move, unless it is not finite."""
    limit = options.clip_norm if options.clip_norm is not None else float("inf")
    if not torch.isfinite(nn.utils.clip_grad_norm_(parameters, limit)):
        return False
    for group in optimizer.param_groups:
        group["lr"] = options.rate_at(step)
    optimizer.step()
    return True


def _hopeless(step: int, options: Training) -> str:
    return (
        f"The gradient has not been finite for {HOPELESS} steps (now step {step + 1}). Lower "
        f"learning_rate (it is {options.learning_rate:g}), or look for values many orders of "
        "magnitude apart in the data."
    )


def _optimizer(parameters: list[nn.Parameter], options: Training) -> torch.optim.Optimizer:
    rate, decay = options.learning_rate, options.weight_decay
    match options.optimizer:
        case "adam":
            return torch.optim.Adam(parameters, lr=rate, weight_decay=decay, fused=True)
        case "adamw":
            return torch.optim.AdamW(parameters, lr=rate, weight_decay=decay, fused=True)
        case "rmsprop":
            return torch.optim.RMSprop(parameters, lr=rate, weight_decay=decay)
        case "sgd":
            return torch.optim.SGD(parameters, lr=rate, weight_decay=decay, momentum=0.9)


def _due(step: int, options: Training) -> bool:
    """Check regularly, and five times as often at the beginning, where small data peak."""
    often = max(1, options.check_every // 5)
    early = step < 2 * options.check_every and step % often == 0
    return early or step % options.check_every == 0 or step == options.steps


def _report(log: Log) -> tuple[int, float, float]:
    step, validation = log.validation[-1]
    return step, log.loss[-1], validation


def _detach(state: Any) -> Any:
    if isinstance(state, tuple):
        return tuple(_detach(each) for each in state)
    return None if state is None else state.detach()


class _Best:
    """The weights with the lowest validation loss so far."""

    def __init__(self, options: Training) -> None:
        checks = float("inf") if options.patience is None else options.patience
        self.patience = checks * options.check_every
        self.loss, self.step, self.now = float("inf"), 0, 0
        self.weights: dict[str, Tensor] | None = None

    def see(self, model: nn.Module, step: int, loss: float) -> None:
        self.now = step
        if loss < self.loss:
            self.loss, self.step = loss, step
            self.weights = {name: each.clone() for name, each in model.state_dict().items()}

    @property
    def is_long_ago(self) -> bool:
        return self.now - self.step >= self.patience

    def restore(self, model: nn.Module) -> int:
        if self.weights is not None:
            model.load_state_dict(self.weights)
        return self.step


class _Average:
    """The mean of the weights over the last steps."""

    def __init__(self, options: Training) -> None:
        self.first = options.steps - int(options.average * options.steps)
        self.count = 0
        self.weights: dict[str, Tensor] = {}

    @torch.no_grad()
    def see(self, model: nn.Module, step: int) -> None:
        if step < self.first:
            return
        now = {k: v for k, v in model.state_dict().items() if v.is_floating_point()}
        self.count += 1
        if self.count == 1:
            self.weights = {name: each.clone() for name, each in now.items()}
            return
        torch._foreach_lerp_([*self.weights.values()], [*now.values()], 1.0 / self.count)

    def put(self, model: nn.Module) -> bool:
        """Give the model the mean; say whether there is one."""
        if self.count > 1:
            model.load_state_dict({**model.state_dict(), **self.weights})
        return self.count > 1
