"""What is done to records where the user says nothing."""

from __future__ import annotations

import numpy as np

from recurra.data import SequenceDataset, Stream
from recurra.data.treatments import (
    Encode,
    Fill,
    Gaps,
    Indicators,
    Scale,
    SinceObserved,
    Treatment,
    Vocabulary,
)
from recurra.training import Training

__all__ = ["default_training", "default_treatments"]

EPOCHS = 40
FEWEST, MOST = 300, 3000
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
        Categories to codes, numbers scaled, holes filled with the last value, then the mean; with
        channels that say where a hole was, and how long ago the last value.
    """
    chosen: list[Treatment] = []
    everything = [*dataset.streams.values(), *([dataset.static] if dataset.static else [])]
    measured = [each for each in everything if each.kind == "values"]
    if any(each.categories for each in measured):
        chosen.append(Encode())
    if any(each.kind == "tokens" or _holds_tokens(each) for each in everything):
        chosen.append(Vocabulary())
    if not measured:
        return chosen
    chosen.append(Scale("standard"))
    gappy = any(not each.mask.all() for each in measured)
    if decays:
        if dataset.static is not None and not dataset.static.mask.all():
            chosen.append(Fill("mean", stream="static"))
        return chosen
    if gappy:
        chosen += [Fill("forward", then="mean"), Indicators(), SinceObserved()]
    uneven = [n for n, each in dataset.streams.items() if each.kind == "values" and _uneven(each)]
    return chosen + [Gaps(stream=name) for name in uneven]


def default_training(records: int) -> Training:
    """Choose how to train.

    Parameters
    ----------
    records : int
        How many there are to learn from.

    Returns
    -------
    Training
        About forty rounds through the data, between 300 and 3000 steps.
    """
    batch_size = 64 if records >= 640 else 16
    steps = int(np.clip(EPOCHS * -(-records // batch_size), FEWEST, MOST))
    return Training(
        steps=steps,
        batch_size=batch_size,
        learning_rate=2e-3,
        weight_decay=1e-2,
        warmup=min(50, steps // 10),
        check_every=max(steps // 40, 5),
        patience=12,
    )


def _holds_tokens(stream: Stream) -> bool:
    return stream.inner is not None and stream.inner.kind == "tokens"


def _uneven(stream: Stream) -> bool:
    """Say whether the steps of a clock differ."""
    if stream.times is None:
        return False
    gaps = stream.gaps
    inside = np.ones(len(gaps), bool)
    inside[stream.offsets[:-1][stream.lengths > 0]] = False
    if not inside.any():
        return False
    usual = np.median(gaps[inside])
    return bool(np.abs(gaps[inside] - usual).max() > UNEVEN * max(usual, 1e-12))
