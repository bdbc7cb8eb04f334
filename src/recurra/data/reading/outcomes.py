"""A second table, with a row for each record: what became of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recurra.data.offsets import offsets_of
from recurra.data.reading.moments import Moments
from recurra.data.reading.roles import Extras, opened_table
from recurra.data.reading.rows import Owners, arranged
from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.tables.notes import also_in, tell
from recurra.errors import DataError, OptionError

__all__ = ["with_outcomes"]


def with_outcomes(
    dataset: SequenceDataset, outcomes: object, id: str, extras: Extras
) -> SequenceDataset:
    """Add what a second table says of each record.

    Parameters
    ----------
    dataset : SequenceDataset
        The records.
    outcomes : DataFrame or None
        A row for each record.
    id : str
        Its column of identifiers.
    extras : Extras
        Its other columns.

    Returns
    -------
    SequenceDataset
        With targets, static covariates, groups and weights, as `extras` names them.
    """
    if (outcomes is None) != (not extras.names):
        message = "outcomes is a second table, and target, group and weight name its columns"
        raise OptionError(f"{message}: give both, or neither.")
    if outcomes is None:
        return dataset
    table = opened_table(outcomes)
    owners = Owners.read(table, id)
    extras.require(table, ("identifier", [id]))
    place = {name: k for k, name in enumerate(owners.ids)}
    lost = [name for name in dataset.ids if name not in place]
    if lost:
        other = type(owners.ids[0]).__name__
        hint = "Add it to the outcomes, or drop its rows."
        if len(lost) == len(dataset.ids) and type(lost[0]).__name__ != other:
            hint = f"The identifiers there are of type {other}, not {type(lost[0]).__name__}."
        message = f"The record has no row among the outcomes{also_in(len(lost))}"
        raise DataError(message, code="missing_outcome", record=lost[0], column=id, hint=hint)
    notes = dataset.notes
    if len(owners.ids) > len(dataset):
        more = len(owners.ids) - len(dataset)
        notes = (*notes, tell(f"{more} outcomes belong to none of the records: they are left out."))
    rows = arranged(owners, Moments(None, "step"))
    whole = SequenceDataset(owners.ids, {"_": _bare(len(owners.ids))})
    read = extras.attach(whole, table, rows).take([place[name] for name in dataset.ids])
    return replace(
        dataset, targets=read.targets, groups=read.groups, weights=read.weights, notes=notes
    )


def _bare(count: int) -> Stream:
    """Make a stream without a step, for records that have none here."""
    return Stream(np.empty((0, 1)), offsets_of(np.zeros(count)), ("_",))
