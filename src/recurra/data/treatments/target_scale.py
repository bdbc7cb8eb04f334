"""Bring the numbers that are to be learnt to unit size, and predictions back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recurra.data.sequences import SequenceDataset, Target
from recurra.data.tables.notes import tell
from recurra.data.treatments.scaling import (
    CONSTANT,
    NEVER,
    check_method,
    stacked,
    unstacked,
)
from recurra.data.treatments.scaling_fit import learn_scaling
from recurra.data.treatments.stream_treatment import learned_of, list_names
from recurra.data.treatments.treatment import Learned, Treatment
from recurra.errors import OptionError, ShapeError, near
from recurra.types import Array, Floats

__all__ = ["TargetScale"]


@dataclass(frozen=True, repr=False)
class TargetScale(Treatment):
    """Bring the numbers that are to be learnt to unit size; `undo` brings predictions back.

    Each output has a map of its own, learned from what is known of it in the training part. Data
    without targets, as at prediction, pass through.

    Parameters
    ----------
    method : str
        One of the methods of `Scale`.
    target : str, optional
        Which target; None for all that are numbers.

    Examples
    --------
    >>> from recurra.data.reading.arrays import from_arrays
    >>> data = from_arrays([[1.0], [2.0], [3.0]], [10.0, 20.0, 40.0])
    >>> scale = TargetScale("minmax")
    >>> learned = scale.learn(data)
    >>> scale.apply(data, learned).target.values.ravel().round(3)
    array([0.   , 0.333, 1.   ])
    >>> scale.undo(np.array([[0.5]]), learned)
    array([[25.]])
    """

    method: str = "standard"
    target: str | None = None

    def __post_init__(self) -> None:
        """Refuse an unknown method."""
        check_method(self.method)

    @property
    def causal(self) -> bool:
        """Whether a step is treated without a look at later steps."""
        return True

    @property
    def stepwise(self) -> bool:
        """Whether steps can be treated as they come: inputs are left as they are."""
        return True

    def learn(self, dataset: SequenceDataset) -> Learned:
        """Learn the map of each output; the keys are ``target/what``."""
        found: dict[str, Array] = {}
        for name, target in self._targets(dataset).items():
            columns = (target.values[target.observed[:, k], k] for k in range(len(target.outputs)))
            scalings = [learn_scaling(self.method, c.astype(np.float64)) for c in columns]
            odd = [o for o, s in zip(target.outputs, scalings, strict=True) if s.sort in UNSCALED]
            if odd:
                known = list_names(odd)
                tell(f"Target {name!r} has no spread in the training part, so not scaled: {known}.")
            found |= {f"{name}/{key}": value for key, value in stacked(scalings).items()}
        return found

    def apply(self, dataset: SequenceDataset, learned: Learned) -> SequenceDataset:
        """Scale the targets that are there."""
        treated = {}
        for name in self._learned_names(learned):
            if name in dataset.targets:
                target = dataset.targets[name]
                treated[name] = replace(target, values=self._mapped(target, name, learned))
        return dataset.with_targets(**treated)

    def undo(self, values: Array, learned: Learned, target: str | None = None) -> Floats:
        """Scale predictions back.

        Parameters
        ----------
        values : ndarray, shape (..., outputs)
            The predictions.
        learned : dict of str
            What `learn` returned.
        target : str, optional
            Of which target; needed where several are scaled.

        Returns
        -------
        ndarray of float64, shape (..., outputs)
            In the units of before.
        """
        names = self._learned_names(learned)
        if target is None and len(names) == 1:
            target = names[0]
        if target is None or target not in names:
            raise OptionError(f"There is no scaled target {target!r}. {near(str(target), names)}")
        own = learned_of(target, learned)
        values = np.asarray(values)
        outputs = len(own["centre"])
        if values.ndim < 1 or values.shape[-1] != outputs:
            message = (
                f"values has shape {values.shape}, but target {target!r} has {outputs} outputs"
            )
            raise ShapeError(f"{message}. Give (..., {outputs}).")
        maps = [unstacked(self.method, own, k) for k in range(outputs)]
        return np.stack([each.backward(values[..., k]) for k, each in enumerate(maps)], axis=-1)

    def _mapped(self, target: Target, name: str, learned: Learned) -> Floats:
        own = learned_of(name, learned)
        maps = [unstacked(self.method, own, k) for k in range(len(target.outputs))]
        return np.column_stack([each.forward(target.values[:, k]) for k, each in enumerate(maps)])

    def _learned_names(self, learned: Learned) -> list[str]:
        return [key.removesuffix("/centre") for key in learned if key.endswith("/centre")]

    def _targets(self, dataset: SequenceDataset) -> dict[str, Target]:
        numbers = {name: each for name, each in dataset.targets.items() if not each.classes}
        if self.target is None:
            return numbers
        if self.target not in numbers:
            message = f"There is no target of numbers {self.target!r}"
            raise OptionError(f"{message}. {near(self.target, numbers)}")
        return {self.target: numbers[self.target]}


UNSCALED = (CONSTANT, NEVER)
