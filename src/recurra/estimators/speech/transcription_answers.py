"""What a network that transcribes says of recordings, and how far it is from the truth."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from recurra.data import Batches, SequenceDataset, pad_records
from recurra.estimators.learning.record_batches import shortest_first
from recurra.estimators.learning.remembered import heard_states, in_place
from recurra.estimators.learning.report import Score
from recurra.estimators.speech.recordings import STREAM
from recurra.metrics.speech import edit_distance
from recurra.models import RecordBatch, TranscriptionNetwork
from recurra.models.speech.ctc_decoding import best_path

if TYPE_CHECKING:
    from recurra.types import Floats

__all__ = ["error_rate", "log_probabilities", "rated", "states_of"]

MOST_STEPS, LARGEST = 2**15, 64  # of a batch


@torch.no_grad()
def log_probabilities(network: nn.Module, treated: SequenceDataset) -> list[Floats]:
    """Let a network read recordings, those of like length together.

    Parameters
    ----------
    network : TranscriptionNetwork
        As it is.
    treated : SequenceDataset
        What it reads.

    Returns
    -------
    list of ndarray of float64, shape (frames, 1 + symbols)
        One for each recording.
    """
    found: list[Any] = [None] * len(treated)
    most = max(MOST_STEPS, int(treated.lengths.max(initial=0)))
    for places in Batches(treated.lengths, LARGEST, shuffle=False, max_steps=most):
        stream = RecordBatch.of(pad_records(treated, places)).streams[STREAM]
        told, frames = network(stream.values, stream.lengths)
        for place, each, count in zip(places, told.double().numpy(), frames, strict=True):
            found[place] = each[: int(count)]
    return found


def states_of(network: TranscriptionNetwork, treated: SequenceDataset) -> list[Floats]:
    """Give the states of a network after each frame.

    Parameters
    ----------
    network : TranscriptionNetwork
        In evaluation mode.
    treated : SequenceDataset
        What it reads.

    Returns
    -------
    list of ndarray of float64, shape (frames, units)
        What its layers say of each recording; of one that is too short, no frames.
    """
    frames = treated.stream.lengths // network.plan.stride
    there = np.flatnonzero(frames)
    found = []
    for places in shortest_first(frames[there], LARGEST, MOST_STEPS // network.plan.stride):
        batch = RecordBatch.of(pad_records(treated, there[places])).streams[STREAM]
        run = partial(network, batch.values, batch.lengths)
        found.append((there[places], heard_states(network.layers, run)))
    return in_place(len(treated), found)


def error_rate(network: nn.Module, waiting: SequenceDataset) -> float:
    """Say how many symbols the most probable ones of the frames get wrong.

    That stops a training better than the loss, which rises where a network is surer of few errors
    than it was of many.

    Parameters
    ----------
    network : TranscriptionNetwork
        As it is.
    waiting : SequenceDataset
        Treated recordings, with transcripts.

    Returns
    -------
    float
        Edits by symbols.
    """
    edits, target = 0, waiting.target
    assert target.offsets is not None
    for place, told in enumerate(log_probabilities(network, waiting)):
        a, b = target.offsets[place : place + 2]
        edits += edit_distance(target.values[a:b, 0].tolist(), best_path(told)[0])
    return float(edits / max(len(target.values), 1))


def rated(model: str, truth: list[str], said: list[str]) -> list[Score]:
    """Say how many texts are right, and the error rates.

    Parameters
    ----------
    model : str
        Whose texts they are.
    truth, said : list of str
        What was said, and what was written.

    Returns
    -------
    list of Score
        No rate of errors where nothing was said.
    """
    right = np.mean([one == other for one, other in zip(truth, said, strict=True)])
    scores = [Score(model, "texts right", float(right))]
    for measure, parted in (("word error rate", str.split), ("character error rate", list)):
        there = [(parted(one), parted(other)) for one, other in zip(truth, said, strict=True)]
        if symbols := sum(len(one) for one, _ in there):
            edits = sum(edit_distance(one, other) for one, other in there)
            scores.append(Score(model, measure, edits / symbols))
    return scores
