"""The training loop, from top to bottom.

It asks the model one thing: ``model.loss(batch, state)``, which answers the summed loss, how many
targets were counted, and the state to carry on. A batch can be cut along time with
``batch.chunks(steps)``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import nn
from tqdm.auto import tqdm

from recurra.errors import TrainingError
from recurra.training.checkpoints import Checkpoints, Interrupts
from recurra.training.course import Course, Log
from recurra.training.progress import hidden
from recurra.training.ranks import find_ranks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from recurra.training.options import Training
    from recurra.training.source import Chunked

__all__ = ["Callback", "Moment", "train"]

FAILED = 2  # what rank 0 wishes when a callback has failed


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
    options : Training
        How it is trained.
    rate : float
        The learning rate of this step.
    seconds : float
        Time spent in training so far, before an interruption too.
    batch : object
        The batch of this step, or of which this step's piece was cut.
    """

    step: int
    steps: int
    loss: float
    validation: float | None
    model: nn.Module
    options: Training
    rate: float
    seconds: float
    batch: Any = None


Callback = Callable[[Moment], "bool | None"]
"""Called after each step; returns True to end the training.

One that is a context manager is entered before the first step, and left when the training has ended
or failed.
"""


def train(
    model: nn.Module,
    batches: Iterator[Chunked],
    options: Training,
    validate: Callable[[], float] | None = None,
    callbacks: Sequence[Callback] = (),
    *,
    checkpoints: Checkpoints | None = None,
    part: str = "training",
) -> Log:
    """Train a model in place and leave it with its best weights, in evaluation mode.

    Several processes that ``torch.distributed`` knows, or the environment tells of, train together
    (`recurra.training.ranks`): each calls this with the same arguments.

    Parameters
    ----------
    model : torch.nn.Module
        With ``loss(batch, state) -> (sum, count, state)``.
    batches : iterator
        Endless; to go on after an interruption, the same again from its beginning.
    options : Training
        How to train.
    validate : callable, optional
        Returns the validation loss of the model as it is; called in evaluation mode, without
        gradients. Without one the last weights are kept.
    callbacks : sequence of callable
        Each is called after every step, by rank 0 of several; if one returns True, that step is
        the last.
    checkpoints : Checkpoints, optional
        Where the training is kept, and gone on from: the weights come out the same to the bit as
        if nothing had happened. SIGTERM and Ctrl-C keep it, and then do what they do.
    part : str
        What it is called there, among several trainings in a row.

    Returns
    -------
    Log
        What happened.

    Raises
    ------
    TrainingError
        If the gradient stays infinite or NaN.
    OptionError
        If what was kept belongs to another model, other options or other data; if the options
        need a validation loss, and there is none.
    FileError
        If the folder of checkpoints cannot be made or read.
    """
    if validate is None:
        options.check_needs_nothing_held()
    ranks = find_ranks()
    course = Course(model, batches, options, ranks)
    interrupts = Interrupts(checkpoints)
    found = ranks.from_first(lambda: None if checkpoints is None else checkpoints.newest(part))
    if found is not None:
        course.restore(*found)
    disable = hidden(options.progress) or not ranks.leads
    watched, kept = ranks.agree(bool(callbacks), checkpoints is not None)  # by any rank
    bar = tqdm(desc="training", unit="step", disable=disable, **course.progress)
    with _entered(callbacks if ranks.leads else ()), interrupts.awaited(), bar:
        while not course.is_over:
            course.advance()
            bar.update()
            if validate is not None and _due(course.step, options):
                course.check(validate)
                best = course.best.loss
                bar.set_postfix(loss=f"{course.log.loss[-1]:.3f}", validation=f"{best:.3f}")
            ends, stopped, due = 0, 0, 0
            if watched or kept:
                ends, stopped, due = _agreed(course, callbacks, interrupts)
            course.is_over |= bool(ends)
            if course.is_over:
                course.finish(validate)
            if due or (kept and course.is_over):
                found = course.record()
                if checkpoints is not None and ranks.leads:
                    checkpoints.keep_now(part, course.step, *found)
            interrupts.leave(stopped)
    model.eval()
    return course.log


def _agreed(
    course: Course, callbacks: Sequence[Callback], interrupts: Interrupts
) -> tuple[int, int, int]:
    """Ask whether it is to end, which signal stops it, and whether it is to be kept: all alike."""
    ranks, wish, due, stopped = course.ranks, 0, 0, interrupts.stopped or 0
    if ranks.leads:
        try:
            wish, due = int(_called(callbacks, course)), int(interrupts.due(course.step))
        except BaseException:
            ranks.agree(FAILED, stopped, due)  # the others are waiting
            raise
    wish, stopped, due = ranks.agree(wish, stopped, due)
    if wish == FAILED:
        raise TrainingError(f"A callback failed on rank 0 after step {course.step}; see there.")
    return wish, stopped, due or stopped


@contextmanager
def _entered(callbacks: Sequence[Callback]) -> Iterator[None]:
    """Enter those callbacks that are context managers, and leave them in the end."""
    with ExitStack() as stack:
        for each in callbacks:
            if isinstance(each, AbstractContextManager):
                stack.enter_context(each)
        yield


def _called(callbacks: Sequence[Callback], course: Course) -> bool:
    """Call whoever wants to see each step; say whether one of them wants no more."""
    if not callbacks:
        return False
    log, step = course.log, course.step
    checked = log.validation[-1] if log.validation else (0, None)
    found = checked[1] if checked[0] == step else None
    options, seconds = course.options, log.seconds + course.seconds
    moment = Moment(
        step,
        options.steps,
        log.loss[-1],
        found,
        course.model,
        options,
        course.rate,
        seconds,
        course.source.batch,
    )
    wants = [callback(moment) for callback in callbacks]  # all of them are to see it
    return any(each is True for each in wants)


def _due(step: int, options: Training) -> bool:
    """Check regularly, and five times as often at the beginning, where small data peak."""
    often = max(1, options.check_every // 5)
    early = step < 2 * options.check_every and step % often == 0
    return early or step % options.check_every == 0 or step == options.steps
