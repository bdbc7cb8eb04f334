"""What a network's state does while it reads: paths through few dimensions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from torch import nn

from recurra.auditing.phrases import percent, plural
from recurra.errors import DataError, OptionError, check_count

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from recurra.types import Floats

__all__ = ["Trajectories", "heard", "project"]

DRAWN = 60  # paths in a picture


@dataclass(frozen=True, eq=False, repr=False)
class Trajectories:
    """The state of a network after each step, in the directions in which it varies most.

    Parameters
    ----------
    paths : tuple of ndarray, each of shape (steps, n)
        One for each record.
    shares : tuple of float, of length n
        The share of the variance of all states that each direction has.
    ids : tuple
        The records.
    answers : tuple
        What the network answers for each.
    units : int
        How many dimensions the state has.
    by_step : bool
        Whether something is answered at each step: each answer is of shape (steps,).

    Examples
    --------
    >>> print(Trajectories((np.zeros((4, 2)), np.ones((2, 2))), (0.7, 0.2), (0, 1), ("a", "b"), 64))
    2 paths of 2 to 4 steps, of a state of 64 units
    2 directions have 90 % of its variance: 70 %, 20 %
    """

    paths: tuple[Floats, ...]
    shares: tuple[float, ...]
    ids: tuple[object, ...]
    answers: tuple[Any, ...]
    units: int
    by_step: bool = False

    def to_frame(self) -> pd.DataFrame:
        """Write it as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each step of each record: ``id``, ``step``, ``answer``, and the directions
            ``pc1``, ``pc2``, …
        """
        import pandas as pd

        lengths = [len(path) for path in self.paths]
        frame = {
            "id": np.repeat(np.array(self.ids, object), lengths),
            "step": np.concatenate([np.arange(length) for length in lengths]),
            "answer": np.concatenate(self.answers)
            if self.by_step
            else np.repeat(_objects(self.answers), lengths),
        }
        points = np.concatenate(self.paths)
        directions = {f"pc{k + 1}": column for k, column in enumerate(points.T)}
        return pd.DataFrame({**frame, **directions})

    def plot(self, colour: Literal["auto", "answer", "step"] = "auto") -> Figure:
        """Draw the paths in the first two directions; a sign where each ends.

        Parameters
        ----------
        colour : {"auto", "answer", "step"}
            Whether paths, or steps, are coloured by what is answered, or from the first step to the
            last: by default so where more than half of all records are answered each otherwise.

        Returns
        -------
        matplotlib.figure.Figure
            Of at most 60 paths, evenly chosen.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        from recurra.explaining.paths_picture import draw_paths

        if colour not in ("auto", "answer", "step"):
            raise OptionError(f"colour={colour!r}, but it is 'auto', 'answer' or 'step'.")
        if colour == "auto":
            colour = "step" if self._hardly_alike else "answer"
        places = np.unique(np.linspace(0, len(self.paths) - 1, DRAWN).astype(int))
        paths = [self.paths[k] for k in places]
        left = len(self.paths) - len(places)
        answers = [self.answers[k] for k in places] if colour == "answer" else None
        return draw_paths(paths, answers, self.shares, left, by_step=self.by_step)

    @property
    def _hardly_alike(self) -> bool:
        """Whether colours would tell nothing: hardly two answers are the same, and no numbers."""
        if self.by_step or all(isinstance(each, float | np.floating) for each in self.answers):
            return False
        return 2 * len({str(each) for each in self.answers}) > max(len(self.answers), 4)

    def __repr__(self) -> str:
        lengths = [len(path) for path in self.paths]
        low, high = min(lengths), max(lengths)
        steps = f"{low} to {high} steps" if low < high else plural(low, "step")
        shares = ", ".join(percent(each) for each in self.shares)
        verb = "has" if len(self.shares) == 1 else "have"
        return (
            f"{plural(len(self.paths), 'path')} of {steps}, of a state of {self.units} units\n"
            f"{plural(len(self.shares), 'direction')} {verb} {percent(sum(self.shares))} of its "
            f"variance: {shares}"
        )


def _objects(values: Sequence[object]) -> Any:
    """Make an array of objects, dicts and arrays among them."""
    made = np.empty(len(values), object)
    made[:] = values
    return made


def heard(module: nn.Module, run: Callable[[], object]) -> list[tuple[Any, Any, Any]]:
    """Listen to a module while something runs.

    Parameters
    ----------
    module : torch.nn.Module
        The part of a network.
    run : callable
        Runs the network.

    Returns
    -------
    list of (tuple, dict, object)
        For each call of the module: what it was given, by place and by name, and what it gave.
    """
    calls: list[tuple[Any, Any, Any]] = []

    def listen(_: nn.Module, given: Any, named: Any, found: Any) -> None:
        calls.append((given, named, found))

    handle = module.register_forward_hook(listen, with_kwargs=True)
    try:
        run()
    finally:
        handle.remove()
    return calls


def project(
    states: Sequence[Floats],
    n: int,
    ids: Sequence[object],
    answers: Sequence[Any],
    *,
    by_step: bool = False,
) -> Trajectories:
    """Find the directions in which states vary most, by a principal component analysis.

    Parameters
    ----------
    states : sequence of ndarray, each of shape (steps, units)
        The states of each record.
    n : int
        How many directions.
    ids : sequence
        The records.
    answers : sequence
        What is answered for each.
    by_step : bool
        Whether that is of shape (steps,).

    Returns
    -------
    Trajectories
        The states in those directions, from the mean of all. The unit that counts most in a
        direction counts up in it, so that the same states give the same picture.

    Raises
    ------
    DataError
        If there are no steps, or the state never changes.
    OptionError
        If there are more directions than units.
    """
    check_count("n", n)
    if sum(map(len, states)) < 2:
        message = "There are fewer than two steps"
        raise DataError(message, code="no_steps", hint="Give records with steps.")
    units = states[0].shape[1]
    if n > units:
        raise OptionError(f"n={n}, but the state has {units} units.")
    points = np.concatenate([*states])
    middle = points.mean(0)
    variances, directions = np.linalg.eigh((points - middle).T @ (points - middle))
    whole = variances.sum()
    if not whole > 0:
        raise DataError(
            "The state of the network is the same after every step",
            code="constant_answers",
            hint="See model.diagnose(): a network that learned nothing does so.",
        )
    found = directions[:, ::-1][:, :n]
    found = found * np.sign(found[np.abs(found).argmax(0), np.arange(n)])
    shares = tuple(float(each / whole) for each in variances[::-1][:n])
    paths = tuple((each - middle) @ found for each in states)
    return Trajectories(paths, shares, tuple(ids), tuple(answers), units, by_step)
