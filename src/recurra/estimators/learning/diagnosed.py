"""The way to the doctor, the same for every task: what it is shown are hooks."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.data import SequenceDataset
from recurra.estimators.learning.asked import Asked

if TYPE_CHECKING:
    from recurra.diagnosing import Diagnosis
    from recurra.diagnosing.examined import Examined
    from recurra.types import Floats, Integers

__all__ = ["Diagnosed", "of_all_lengths", "padded", "spread"]

MOST = 512  # records that are looked at, evenly spread
AT_ONCE = 64  # records whose steps are gone through one by one
MOST_STEPS = 512  # of a record
MOST_KINDS = 32  # of tokens that are held against residuals, each by itself


class Diagnosed(Asked):
    """Lets the doctor look at a fitted network."""

    def diagnose(self, X: Any, y: Any = None, **how: Any) -> Diagnosis:
        """Say whether the network is healthy: gradients, memory, gates, units, training, residuals.

        Nothing is learned and nothing is changed. Of many records, some hundred are looked at.

        Parameters
        ----------
        X, y, **how
            As for `fit`; those learned from, or better others.

        Returns
        -------
        Diagnosis
            Print it, or ``plot()`` it; each finding ends in advice.

        Raises
        ------
        DataError
            If the data are not as those learned from.
        NotFittedError
            If nothing was learned yet.
        """
        from recurra.diagnosing import diagnose

        self._check_fitted()
        return diagnose(self._examined(X, y, how), self.seed)

    def _examined(self, X: Any, y: Any, how: Mapping[str, Any]) -> Examined:
        """Show records, as they are treated, and the network."""
        from recurra.diagnosing.columns import columns_of, first_hole
        from recurra.diagnosing.examined import Examined

        model: Any = self
        dataset = spread(model._read_again(X, y, how), MOST)
        treated = model.preprocessor_.transform(model._scaled(dataset))
        probe = copy(model)  # tasks keep what they learn from while they make batches
        few = treated.take(of_all_lengths(treated.lengths, AT_ONCE))
        batch = next(probe._batches(few, min(AT_ONCE, probe._amount(few)), self.seed))
        if model._cuts_time():
            batch = next(batch.chunks(MOST_STEPS))
        shown = Examined(
            type(self).__name__,
            model.network_,
            batch,
            len(dataset),
            model.get_params(deep=False),
            columns_of(treated),
            first_hole(treated, getattr(self, "layer", None) == "grud"),
            model.log_,
            model._trained_by,
            names=tuple(getattr(batch, "names", ())),
            losses=self._losses_by_step(batch),
        )
        return self._with_answers(shown, treated)

    def _losses_by_step(self, batch: Any) -> tuple[Floats, Floats] | None:  # noqa: ARG002
        """Give the loss of each step, and which count, where there is an answer for each."""
        return None

    def _with_answers(self, shown: Examined, treated: SequenceDataset) -> Examined:  # noqa: ARG002
        """Show what was answered for the same records, where a task can."""
        return shown


def spread(dataset: SequenceDataset, most: int) -> SequenceDataset:
    """Take some records, evenly spread.

    Parameters
    ----------
    dataset : SequenceDataset
        The records.
    most : int
        How many at most.

    Returns
    -------
    SequenceDataset
        Some or all of them.
    """
    if len(dataset) <= most:
        return dataset
    return dataset.take(np.linspace(0, len(dataset) - 1, most).astype(np.int64))


def of_all_lengths(lengths: Integers, most: int) -> Integers:
    """Choose records, short ones and long ones alike.

    Parameters
    ----------
    lengths : ndarray of int, shape (records,)
        Their steps.
    most : int
        How many are chosen at most.

    Returns
    -------
    ndarray of int
        Their places, in order.
    """
    there = np.argsort(lengths, kind="stable")
    places = np.linspace(0, len(there) - 1, min(most, len(there))).round().astype(np.int64)
    chosen: Integers = np.sort(there[places])
    return chosen


def padded(treated: SequenceDataset) -> tuple[Floats, Any, tuple[str, ...]] | None:
    """Put the first stream of numbers, or of few kinds of tokens, into one array.

    Parameters
    ----------
    treated : SequenceDataset
        Treated records.

    Returns
    -------
    tuple of (ndarray, ndarray, tuple of str), or None
        Values, shape (records, steps, columns), lengths and names; of tokens, one column for each
        kind. None where there is no such stream.
    """
    for stream in treated.streams.values():
        if stream.kind not in ("values", "signal", "tokens") or stream.values.ndim != 2:
            continue
        values, names = np.asarray(stream.values, np.float64), stream.channels
        codes = stream.categories.get(names[0]) if names else None
        if stream.kind == "tokens":
            if codes is None or len(codes) > MOST_KINDS:
                continue
            values = np.eye(len(codes))[np.asarray(stream.values[:, 0], np.int64)]
            names = tuple(map(str, codes))
        lengths = np.minimum(stream.lengths, MOST_STEPS)
        whole = np.full((len(treated), int(lengths.max(initial=0)), values.shape[1]), np.nan)
        starts = np.where(stream.lengths > MOST_STEPS, stream.lengths - MOST_STEPS, 0)
        for k, (start, length) in enumerate(
            zip(stream.offsets[:-1] + starts, lengths, strict=True)
        ):
            whole[k, :length] = values[start : start + length]
        return whole, lengths, names
    return None
