"""How answers move when an input is another: for every task that answers in numbers."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.data import SequenceDataset
from recurra.errors import DataWarning
from recurra.estimators.learning.learner import Learner

if TYPE_CHECKING:
    from recurra.explaining.what_if import WhatIf
    from recurra.types import Floats

__all__ = ["Supposed"]


class Supposed(Learner):
    """Answers for records as they are, and as they might be."""

    def what_if(self, x: Any, change: Mapping[str, Any], **how: Any) -> WhatIf:
        """Say how the answers move if an input were another.

        Parameters
        ----------
        x : as for `predict`
            One or more records.
        change : dict of str
            For each channel what it becomes: a value, or one for each step; a callable, which is
            given the values and gives the new ones; or either at some steps only: ``(range(10, 20),
            60.0)``, ``(slice(-5, None), lambda pulse: pulse + 10)``. None is not observed.
        **how
            Further arguments of `recurra.data.from_arrays`, for all records given.

        Returns
        -------
        WhatIf
            The answers before and after (probabilities, scores, or numbers in the units of the
            data), and the differences; for each step, where each is answered.

        Raises
        ------
        DataError, OptionError
            If there is no such channel, or it cannot hold such a value.

        Examples
        --------
        >>> import numpy as np
        >>> from recurra import Regressor, Training
        >>> X = np.random.default_rng(0).normal(size=(120, 5, 2))
        >>> model = Regressor(hidden_size=8, training=Training(steps=200)).fit(X, X[:, -1, 0])
        >>> moved = model.what_if(X[:1], {"x0": (-1, lambda last: last + 1)}).difference
        >>> bool(moved[0] > 0.3)
        True
        """
        from recurra.explaining.what_if import WhatIf, changed

        dataset = self._to_ask(x, how)
        other, said = changed(dataset, change)
        other = self._to_ask(other, {})  # it may hold what cannot be
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            before, after = self._numbers_for(dataset), self._numbers_for(other)
        keys, old = _listed(dataset.ids, before)
        _, new = _listed(dataset.ids, after)
        return WhatIf(said, keys, old, new, "step" if "step" in keys else None)

    @abstractmethod
    def _numbers_for(self, dataset: SequenceDataset) -> Mapping[str, Floats | list[Floats]]:
        """Answer for each record in numbers, by what they are called.

        Each is of shape (records,), or a list of shape (steps,) of each record.
        """


def _listed(
    ids: Sequence[object], numbers: Mapping[str, Floats | list[Floats]]
) -> tuple[dict[str, list[Any]], Floats]:
    """Put numbers in a row, record by record and step by step; say what each is about."""
    by_step = any(isinstance(each, list) for each in numbers.values())
    keys: dict[str, list[Any]] = {"id": [], "step": [], "answer": []}
    parts = [np.zeros(0)]
    for k, name in enumerate(ids):
        table = np.stack([np.atleast_1d(each[k]) for each in numbers.values()], 1)
        keys["id"] += [name] * table.size
        keys["step"] += np.repeat(np.arange(len(table)), len(numbers)).tolist()
        keys["answer"] += [*numbers] * len(table)
        parts.append(table.ravel())
    if not by_step:
        del keys["step"]
    elif len(numbers) == 1:
        del keys["answer"]
    return keys, np.concatenate(parts)
