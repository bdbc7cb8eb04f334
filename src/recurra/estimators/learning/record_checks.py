"""What is looked at before records are learned from: whole streams, holes, copies of the answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recurra.data import SequenceDataset, Stream
from recurra.data.offsets import place_of
from recurra.data.tables.notes import also_in, counted, tell
from recurra.errors import DataError
from recurra.types import Array, Booleans

__all__ = [
    "answerable",
    "check_filled",
    "check_streams",
    "known_targets",
    "tell_of_copies",
    "tell_of_new_holes",
]

FEWEST_COPIES = 8  # records that a copy of the answer is told from chance by


def answerable(dataset: SequenceDataset) -> Booleans:
    """Say of which records something is known at all.

    Parameters
    ----------
    dataset : SequenceDataset
        The records.

    Returns
    -------
    ndarray of bool, shape (records,)
        True where there is a step in any stream, or there are static covariates.
    """
    return (dataset.lengths > 0) | (dataset.static is not None)


def check_streams(dataset: SequenceDataset) -> SequenceDataset:
    """Refuse streams and records of which nothing is known.

    Parameters
    ----------
    dataset : SequenceDataset
        What is to be learned from.

    Returns
    -------
    SequenceDataset
        The same, with a note on records that lack a stream.

    Raises
    ------
    DataError
        If there are no records; no record has a step in some stream; a record has none in any.
    """
    if not len(dataset):
        raise DataError("There are no records", code="empty", hint="Give at least one.")
    notes = []
    for name, stream in dataset.streams.items():
        lacking = int((stream.lengths == 0).sum())
        if lacking == len(dataset):
            message = f"No record has a step in stream {name!r}"
            hint = "Leave the stream out; nothing can be learned from it."
            raise DataError(message, code="empty_stream", hint=hint)
        if lacking and len(dataset.streams) > 1:
            said = counted(lacking, "record has", "records have")
            notes.append(tell(f"{said} no step in stream {name!r}, of {len(dataset)}."))
    everything = [*dataset.streams.values(), *([dataset.static] if dataset.static else [])]
    if not any(each.observed is None or each.observed.any() for each in everything):
        message = "Nothing was observed: every value of every channel is missing"
        raise DataError(message, code="all_missing", hint="Nothing can be learned from that.")
    empty = np.flatnonzero(~answerable(dataset))
    if empty.size:
        message = f"The record has no steps{also_in(empty.size)}"
        hint = "Leave it out: nothing can be learned from it."
        raise DataError(message, code="empty_series", record=dataset.ids[empty[0]], hint=hint)
    return replace(dataset, notes=(*dataset.notes, *notes)) if notes else dataset


def known_targets(dataset: SequenceDataset) -> Booleans:
    """Say of which records something is known that could be learned.

    Parameters
    ----------
    dataset : SequenceDataset
        With targets.

    Returns
    -------
    ndarray of bool, shape (records,)
        True where any of the targets is known.

    Raises
    ------
    DataError
        If all of it is unknown.
    """
    known = np.zeros(len(dataset), bool)
    for target in dataset.targets.values():
        if target.offsets is None:
            known |= target.observed.any(1)
        else:
            rows = np.repeat(np.arange(len(target)), np.diff(target.offsets))
            known[rows[target.observed.any(1)]] = True
    if not known.any():
        raise DataError("Every target is missing", code="empty", hint="Give at least one.")
    return known


def check_filled(treated: SequenceDataset, decays: bool) -> None:
    """Refuse holes that a layer would take for numbers.

    Parameters
    ----------
    treated : SequenceDataset
        As the network would read it.
    decays : bool
        Whether the layer reads itself what is missing; static covariates are always read as they
        are.

    Raises
    ------
    DataError
        Naming the first hole, with the number of all.
    """
    for name, stream in _measured(treated).items():
        if stream.values.dtype.kind != "f" or (decays and name != "static"):
            continue
        numbers = [
            k for k, channel in enumerate(stream.channels) if channel not in stream.categories
        ]
        holes = np.isnan(stream.values[:, numbers])
        if not holes.any():
            continue
        row, column = (int(k) for k in np.argwhere(holes)[0])
        record, step = place_of(stream.offsets, row)
        message = f"A value of stream {name!r} is missing{also_in(int(holes.sum()))}"
        raise DataError(
            f"{message}, and no treatment fills it",
            code="missing_values",
            record=treated.ids[record],
            row=step,
            column=stream.channels[numbers[column]],
            hint="Add Fill() and Indicators() to the treatments, or use layer='grud'.",
        )


def tell_of_new_holes(dataset: SequenceDataset) -> None:
    """Warn of holes in new data that a model fills without being told where they are.

    Parameters
    ----------
    dataset : SequenceDataset
        What is asked about.
    """
    for name, stream in _measured(dataset).items():
        missing = int((~stream.mask).sum())
        if missing:
            said = f"{missing} of {stream.mask.size} values of {name!r} are missing and were filled"
            tell(f"{said}, but the model does not read which: it learned without that.")


def tell_of_copies(dataset: SequenceDataset) -> list[str]:
    """Warn of channels and static covariates that are the answer itself.

    Parameters
    ----------
    dataset : SequenceDataset
        With a target for each record.

    Returns
    -------
    list of str
        What was told.
    """
    notes = []
    for name, target in dataset.targets.items():
        known = target.observed[:, 0] if target.level == "record" else np.zeros(0, bool)
        if len(target.outputs) > 1 or known.sum() < FEWEST_COPIES:
            continue
        answers = target.values[:, 0]
        if target.classes:
            answers = np.array([*target.classes, None], object)[answers]
        if len(set(answers[known].tolist())) < 2:
            continue
        for stream_name, stream in _measured(dataset).items():
            for k, channel in enumerate(stream.channels):
                if _is_copy(stream, k, answers, known):
                    said = f"{channel!r} of {stream_name!r} equals the target {name!r}"
                    notes.append(tell(f"{said} in all {int(known.sum())} records: does it leak?"))
    return notes


def _measured(dataset: SequenceDataset) -> dict[str, Stream]:
    """List the streams of measurements, the static covariates among them."""
    static = {} if dataset.static is None else {"static": dataset.static}
    everything = {**dataset.streams, **static}
    return {name: stream for name, stream in everything.items() if stream.kind == "values"}


def _is_copy(stream: Stream, k: int, answers: Array, known: Booleans) -> bool:
    """Say whether a channel holds the answer of each record, at every step."""
    if (stream.lengths[known] == 0).any():
        return False
    rows = np.flatnonzero(known[stream.owners])
    if stream.observed is not None and not stream.observed[rows, k].all():
        return False
    column = stream.values[rows, k]
    if stream.channels[k] in stream.categories:
        labels = np.array([*stream.categories[stream.channels[k]], None], object)
        column = labels[column.astype(np.int64)]
    same: Array = np.asarray(column == answers[stream.owners[rows]])
    return bool(same.all())
