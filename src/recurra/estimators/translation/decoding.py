"""A trained network from sequence to sequence at work: answers, their probability, attention."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from recurra.data import SequenceDataset
from recurra.data.batching import Batches, pad_records
from recurra.estimators.learning.remembered import heard_states, in_place
from recurra.estimators.translation.beam_search import Hypothesis, beam_search
from recurra.models import RecordBatch, StreamBatch
from recurra.models.translation.sequence_to_sequence_network import SequenceToSequenceNetwork

if TYPE_CHECKING:
    from recurra.types import Floats, Integers

__all__ = [
    "Codes",
    "attention",
    "decode",
    "probabilities",
    "states_of",
    "summaries",
    "symbol_by_symbol",
]

TOGETHER = 128  # records answered at once

Codes = Sequence[int]
"""An answer, as places among the symbols."""


@torch.no_grad()
def decode(
    network: SequenceToSequenceNetwork,
    sources: SequenceDataset,
    longest: int,
    *,
    beam: int = 1,
    length_penalty: float = 1.0,
) -> list[list[Hypothesis]]:
    """Look for the most probable answers.

    Parameters
    ----------
    network : SequenceToSequenceNetwork
        In evaluation mode.
    sources : SequenceDataset
        Treated records.
    longest, beam, length_penalty
        As for `beam_search`.

    Returns
    -------
    list of list of Hypothesis
        For each record, the best first.
    """
    found: list[list[Hypothesis]] = [[] for _ in range(len(sources))]
    for places, source in _batches(sources):
        best = beam_search(
            lambda last, state: network.say(last, state)[::2],
            network.begin(source),
            len(places),
            network.boundary,
            beam=beam,
            longest=longest,
            length_penalty=length_penalty,
        )
        for place, each in zip(places, best, strict=True):
            found[place] = each
    return found


@torch.no_grad()
def symbol_by_symbol(
    network: SequenceToSequenceNetwork, sources: SequenceDataset, longest: int
) -> Iterator[int]:
    """Read one source, and give the symbols of its answer as they come.

    Parameters
    ----------
    network : SequenceToSequenceNetwork
        In evaluation mode.
    sources : SequenceDataset
        One treated record.
    longest : int
        The most symbols.

    Returns
    -------
    iterator of int
        The greedy answer. The source has been read when this returns.
    """
    [(_, source)] = _batches(sources)
    state, boundary = network.begin(source), network.boundary

    def say() -> Iterator[int]:
        now, last = state, torch.tensor([boundary])
        for _ in range(longest):
            with torch.no_grad():
                chances, _, now = network.say(last, now)
            last = chances.argmax(-1)
            if int(last) == boundary:
                return
            yield int(last)

    return say()


def probabilities(
    network: SequenceToSequenceNetwork, sources: SequenceDataset, answers: Sequence[Codes]
) -> Floats:
    """Say how probable whole answers are.

    Parameters
    ----------
    network : SequenceToSequenceNetwork
        In evaluation mode.
    sources : SequenceDataset
        Treated records.
    answers : sequence of sequence of int
        One for each.

    Returns
    -------
    ndarray of float64, shape (records,)
        The product over their symbols and the end.
    """
    found = np.zeros(len(sources))
    for places, source in _batches(sources):
        padded = _padded([answers[place] for place in places])
        found[places] = network.log_probability(source, padded).exp().numpy()
    return found


@torch.no_grad()
def attention(
    network: SequenceToSequenceNetwork, sources: SequenceDataset, answers: Sequence[Codes]
) -> list[Floats]:
    """Show what of its source each symbol of an answer attended to.

    Parameters
    ----------
    network : SequenceToSequenceNetwork
        In evaluation mode.
    sources : SequenceDataset
        Treated records.
    answers : sequence of sequence of int
        One for each.

    Returns
    -------
    list of ndarray of float64, shape (symbols, steps)
        One for each record.
    """
    found: list[Floats] = [np.zeros((0, 0))] * len(sources)
    for places, source in _batches(sources):
        _, weights = network(source, _padded([answers[place] for place in places]))
        steps = network.encoder(source).lengths.tolist()
        for place, table, count in zip(places, weights, steps, strict=True):
            found[place] = table[: len(answers[place]), :count].double().numpy()
    return found


def states_of(network: SequenceToSequenceNetwork, sources: SequenceDataset) -> list[Floats]:
    """Give the states of the encoder after each step.

    Parameters
    ----------
    network : SequenceToSequenceNetwork
        In evaluation mode.
    sources : SequenceDataset
        Treated records.

    Returns
    -------
    list of ndarray of float64, shape (steps, units)
        One for each record. A signal has as many steps as its encoder makes of it.
    """
    parts = (
        (places, heard_states(network.reader, partial(network.begin, source)))
        for places, source in _batches(sources)
    )
    return in_place(len(sources), parts)


@torch.no_grad()
def summaries(network: SequenceToSequenceNetwork, sources: SequenceDataset) -> Floats:
    """Give what the decoder begins with: the last states of the encoder, both ways.

    Parameters
    ----------
    network : SequenceToSequenceNetwork
        In evaluation mode.
    sources : SequenceDataset
        Treated records.

    Returns
    -------
    ndarray of float64, shape (records, units)
        A row for each.
    """
    from recurra.explaining.trajectories import heard

    parts = []
    for places, source in _batches(sources):
        (((read,), _, _),) = heard(network.bridge, partial(network.begin, source))
        parts.append((places, read.double().numpy()))
    return np.stack(in_place(len(sources), parts))


def _batches(sources: SequenceDataset) -> Iterator[tuple[Integers, StreamBatch]]:
    """Go through the records once, shortest first."""
    for places in Batches(sources.lengths, TOGETHER, shuffle=False):
        (source,) = RecordBatch.of(pad_records(sources, places)).streams.values()
        yield places, source


def _padded(answers: list[Codes]) -> Tensor:
    """Pad answers with -1."""
    padded = torch.full((len(answers), max(map(len, answers), default=0)), -1)
    for row, answer in zip(padded, answers, strict=True):
        row[: len(answer)] = torch.tensor(answer, dtype=torch.int64)
    return padded
