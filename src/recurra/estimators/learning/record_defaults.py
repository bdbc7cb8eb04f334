"""What is done to records where the user says nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recurra.data import SequenceDataset, Stream
from recurra.data.tables.notes import tell
from recurra.data.treatments import (
    Encode,
    Fill,
    Gaps,
    Grams,
    Indicators,
    LogMel,
    Scale,
    SinceObserved,
    Treatment,
    Vocabulary,
    find_outliers,
)
from recurra.data.treatments.grams import tokens_of
from recurra.models import Front
from recurra.training import Training
from recurra.types import Booleans

__all__ = [
    "choose_fronts",
    "default_training",
    "default_treatments",
    "holds_grams",
    "share_held",
    "tell_of_holes",
    "text_training",
]

EPOCHS = 40
ROUNDS, TEXTS = 12, 32
FEWEST, MOST = 300, 6000
SPARING, SHARE, MOST_HELD = 500, 0.15, 2000
SHORTEST, LONGEST, LEFT = 8, 256, 128  # steps: for convolutions; without a stride; with one
SLOWEST_SOUND = 4000.0  # samples a second
FAR = 10.0  # robust standard deviations from the median
UNEVEN = 0.01  # steps that differ from the usual one by this share make a clock irregular


def default_treatments(dataset: SequenceDataset, decays: bool) -> list[Treatment]:
    """Choose treatments that suit the data.

    Parameters
    ----------
    dataset : SequenceDataset
        The training part.
    decays : bool
        Whether the layer reads the mask and the times itself.

    Returns
    -------
    list of Treatment
        Categories to codes; numbers scaled, those with values far out by their ranks; holes filled
        with the last value, then the mean; channels that say where a hole was, and how long ago the
        last value; and the time between steps, where it is uneven. Signals of 4000 samples a second
        or more are read as mel bands.
    """
    everything = [*dataset.streams.values(), *([dataset.static] if dataset.static else [])]
    measured = [each for each in everything if each.kind == "values"]
    coded: list[Treatment] = [Encode()] if any(each.categories for each in measured) else []
    numbers = _for_numbers(dataset, measured, decays) if measured else []
    return [*coded, *_for_tokens(dataset), *numbers, *_for_sounds(dataset)]


def _for_numbers(dataset: SequenceDataset, measured: list[Stream], decays: bool) -> list[Treatment]:
    """Scale measurements, fill their holes, and say where these were."""
    chosen: list[Treatment] = []
    far = sorted({name for each in measured for name in _far_out(each)})
    rest = sorted(
        {n for each in measured for n in each.channels if n not in each.categories} - {*far}
    )
    if far:
        chosen.append(Scale("quantile", channels=far))
    if rest:
        chosen.append(Scale("standard", channels=rest if far else None))
    gappy = any(not each.mask.all() for each in measured)
    if decays:
        return chosen if dataset.static is None else [*chosen, Fill("mean", stream="static")]
    chosen.append(Fill("forward", then="mean"))
    if gappy:
        chosen += [Indicators(), SinceObserved()]
    uneven = [n for n, each in dataset.streams.items() if each.kind == "values" and _uneven(each)]
    return chosen + [Gaps(stream=name) for name in uneven]


def _for_sounds(dataset: SequenceDataset) -> list[Treatment]:
    """Make mel bands of what is sampled as fast as sound is."""
    sounds = [
        name
        for name, each in dataset.streams.items()
        if each.kind == "signal" and (each.rate or 0.0) >= SLOWEST_SOUND
    ]
    return [each for name in sounds for each in (LogMel(stream=name), Scale(stream=name))]


def tell_of_holes(dataset: SequenceDataset, decays: bool) -> list[str]:
    """Say what the default treatments do with what is missing, and with uneven clocks.

    Parameters
    ----------
    dataset : SequenceDataset
        The training part.
    decays : bool
        Whether the layer reads the mask and the times itself.

    Returns
    -------
    list of str
        What was told.
    """
    notes = []
    static = {} if dataset.static is None else {"static": dataset.static}
    for name, each in {**dataset.streams, **static}.items():
        if each.kind != "values":
            continue
        missing, cells = int((~each.mask).sum()), each.mask.size
        if missing:
            said = f"{missing} of {cells} values of {name!r} are missing"
            done = "the layer reads which, and how long ago the last was"
            if not decays or name == "static":
                done = (
                    "filled with the last value, else the mean; channels say which and since when"
                )
            notes.append(tell(f"{said}: {done}."))
        if name != "static" and _uneven(each):
            gaps = each.gaps[_inner(each)]
            unit = " s" if each.clock == "calendar" else ""
            said = f"The steps of {name!r} are {gaps.min():g} to {gaps.max():g}{unit} apart"
            notes.append(tell(f"{said}: the time between them is an input, as a logarithm."))
    return notes


def choose_fronts(treated: SequenceDataset, joined: bool, where_usual: bool) -> dict[str, Front]:
    """Choose which streams go through convolutions, and how fast.

    Parameters
    ----------
    treated : SequenceDataset
        The training part, with targets.
    joined : bool
        Whether all streams are read as one, called ``"all"``.
    where_usual : bool
        Whether only those that usually gain by it do: for a label of each record, measurements on
        an even clock with 8 steps or more in half of the records. Convolutions look for shapes, and
        shapes need steps of one length.

    Returns
    -------
    dict of str to Front
        By stream: beside the recurrent layer, or, where half of the records are longer than 256
        steps, before it, with a stride that leaves it 128 at most. Where there is an answer for
        each step they stand before it, without a stride.
    """
    targets = treated.targets.values()
    each_step = any(target.level == "step" for target in targets)
    labels = all(target.classes and target.level == "record" for target in targets)
    chosen = {
        name: _front(stream, each_step)
        for name, stream in treated.streams.items()
        if not where_usual or (labels and _shapes_matter(stream))
    }
    if not joined:
        return chosen
    return {"all": next(iter(chosen.values()))} if len(chosen) == len(treated.streams) else {}


def default_training(records: int) -> Training:
    """Choose how to train.

    Parameters
    ----------
    records : int
        How many there are to learn from.

    Returns
    -------
    Training
        About forty rounds through the data, between 300 and 6000 steps. Batches are of like size,
        so that none has a single record, about 16 or, from 640 records, 64.
    """
    usual = 64 if records >= 640 else 16
    batch_size = _even(records, usual)
    steps = int(np.clip(EPOCHS * -(-records // batch_size), FEWEST, MOST))
    return Training(
        steps=steps,
        batch_size=batch_size,
        learning_rate=2e-3,
        weight_decay=1e-2,
        warmup=min(50, steps // 10),
        check_every=max(steps // 40, 5),
        patience=12,
        average=0.5,
    )


def _even(records: int, size: int) -> int:
    """Give the size near another of which batches are alike."""
    return max(-(-records // max(round(records / size), 1)), 1)


def text_training(records: int) -> Training:
    """Choose how to train on tokens whose n-grams are counted, which are soon learned by heart.

    Parameters
    ----------
    records : int
        How many there are to learn from.

    Returns
    -------
    Training
        Twelve rounds through the data, but 300 steps at least, in batches of 32.
    """
    usual = default_training(records)
    batch_size = _even(records, min(usual.batch_size, TEXTS))
    steps = max(ROUNDS * -(-records // batch_size), FEWEST)
    return replace(
        usual,
        steps=steps,
        batch_size=batch_size,
        learning_rate=3e-3,
        check_every=max(steps // 20, 5),
        patience=8,
    )


def _shapes_matter(stream: Stream) -> bool:
    """Say whether a stream has shapes that convolutions would find."""
    long = bool(np.median(stream.lengths) >= SHORTEST)
    return stream.kind == "values" and long and not _uneven(stream)


def _front(stream: Stream, each_step: bool) -> Front:
    """Make a front whose stride leaves so many steps as a recurrent layer reads well."""
    if each_step:
        return Front()
    half, stride = float(np.median(stream.lengths)), 1
    if stream.kind in ("values", "tokens") and half > LONGEST:
        stride = 2 ** int(np.ceil(np.log2(half / LEFT)))
    return Front(stride=stride, beside=stride == 1)


def share_held(records: int) -> float:
    """Choose the share of records that is held back to stop the training.

    Parameters
    ----------
    records : int
        How many there are.

    Returns
    -------
    float
        None of fewer than 500, which are too few to spare any or to tell when to stop; else 15 %,
        at most 2000.
    """
    return 0.0 if records < SPARING else min(SHARE, MOST_HELD / records)


def _far_out(stream: Stream) -> list[str]:
    """Name the channels of numbers with values that would drown the others."""
    numbers = [k for k, name in enumerate(stream.channels) if name not in stream.categories]
    mask = stream.mask[:, numbers]
    far = find_outliers(
        stream.values[:, numbers], mask, stream.offsets, detect="robust_z", threshold=FAR
    )
    return [stream.channels[numbers[k]] for k in np.flatnonzero(far.any(0))]


def _for_tokens(dataset: SequenceDataset) -> list[Treatment]:
    """Choose how tokens become codes: of words with how they begin, of letters in longer runs."""
    plain = [n for n, each in dataset.streams.items() if _holds_tokens(each)]
    if plain or any(target.level == "step" for target in dataset.targets.values()):
        tokens = any(each.kind == "tokens" for each in dataset.streams.values())
        return [Vocabulary()] if plain or tokens else []
    chosen: list[Treatment] = []
    names = [name for name, each in dataset.streams.items() if each.kind == "tokens"]
    for name in names:
        which = name if len(names) > 1 else None
        labels = dataset.streams[name].categories[dataset.streams[name].channels[0]]
        if any(isinstance(each, str) and len(each) > 1 for each in labels):
            chosen.append(Grams(longest=2, beginnings=(4, 6), stream=which))
        else:
            chosen.append(Grams(longest=4, stream=which))
    return chosen


def holds_grams(treated: SequenceDataset) -> bool:
    """Say whether tokens have their n-grams beside them.

    Parameters
    ----------
    treated : SequenceDataset
        Treated records.

    Returns
    -------
    bool
        True where a linear model of them pays beside the recurrent layer.
    """
    streams = [each for each in treated.streams.values() if each.kind == "tokens"]
    return any(tokens_of(name) > 1 for each in streams for name in each.channels)


def _holds_tokens(stream: Stream) -> bool:
    return stream.inner is not None and stream.inner.kind == "tokens"


def _uneven(stream: Stream) -> bool:
    """Say whether the steps of a clock differ."""
    if stream.times is None:
        return False
    gaps = stream.gaps[_inner(stream)]
    if not gaps.size:
        return False
    usual = np.median(gaps)
    return bool(np.abs(gaps - usual).max() > UNEVEN * max(usual, 1e-12))


def _inner(stream: Stream) -> Booleans:
    """Say which steps have one before them in their record."""
    inside = np.ones(stream.rows, bool)
    inside[stream.offsets[:-1][stream.lengths > 0]] = False
    return inside
