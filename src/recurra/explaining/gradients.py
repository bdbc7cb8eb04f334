"""Scores from gradients: at the record itself, and along the way to it from the baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from recurra.explaining.regions import by_channels, records_at_once

if TYPE_CHECKING:
    from recurra.explaining.question import Question
    from recurra.types import Floats

__all__ = ["gradient", "gradient_times_input", "gradients", "integrated_gradients", "miss"]

NODES = 8  # Gauss-Legendre points of a piece of the way
FIRST = 2  # pieces
TOLERANCE, FLOOR = 0.005, 0.1


def gradients(question: Question, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Find how the answer changes with each number that is read.

    Parameters
    ----------
    question : Question
        What is asked.
    values : dict of str to Tensor, each of shape (records, steps, width)
        Where.

    Returns
    -------
    dict of str to Tensor, each of shape (records, steps, width)
        The gradients; zero for what is not felt.
    """
    at = {name: each.detach().requires_grad_() for name, each in values.items()}
    with torch.enable_grad():
        answer = question.answer(at).sum()
        if not answer.requires_grad:  # nothing was read at all
            return {name: torch.zeros_like(each) for name, each in at.items()}
        found = torch.autograd.grad(answer, [*at.values()], allow_unused=True)
    return {
        name: torch.zeros_like(each) if slope is None else slope
        for (name, each), slope in zip(at.items(), found, strict=True)
    }


def gradient(question: Question) -> dict[str, Floats]:
    r"""Score each value by the gradient there: how the answer moves with it.

    .. math:: s_i = \partial f(x) / \partial x_i

    (Simonyan et al. 2013, arXiv:1312.6034). So a value that is just usual scores as well, by what
    another would have done. A score is in the units of the answer for each unit of what is read:
    compare scores of one channel, or of channels in one unit.

    Parameters
    ----------
    question : Question
        What is asked.

    Returns
    -------
    dict of str to ndarray, each of shape (steps, channels)
        The scores.
    """
    slopes = gradients(question, {name: read.values[None] for name, read in question.reads.items()})
    return {
        name: by_channels(read, slopes[name][0].double().numpy())
        for name, read in question.reads.items()
    }


def gradient_times_input(question: Question) -> dict[str, Floats]:
    r"""Score each value by its distance from the baseline times the gradient there.

    .. math:: s_i = (x_i - x'_i) \, \partial f(x) / \partial x_i

    Parameters
    ----------
    question : Question
        What is asked.

    Returns
    -------
    dict of str to ndarray, each of shape (steps, channels)
        The scores. They add up to the change of the answer only where it is linear.
    """
    reads = question.reads
    slopes = gradients(question, {name: read.values[None] for name, read in reads.items()})
    return {
        name: by_channels(read, ((read.values - read.baseline) * slopes[name][0]).double().numpy())
        for name, read in reads.items()
    }


@dataclass(eq=False)
class _Piece:
    """A part of the way: what its gradients and its ends say."""

    start: float
    stop: float
    scores: dict[str, Floats]
    error: float


def integrated_gradients(
    question: Question, answer: float, baseline: float, most: int = 1024
) -> dict[str, Floats]:
    r"""Score each value by the gradients along the straight way from the baseline.

    .. math:: s_i = (x_i - x'_i) \int_0^1 \frac{\partial f(x' + a (x - x'))}{\partial x_i} \, da,
              \qquad \sum_i s_i = f(x) - f(x')

    (Sundararajan et al. 2017, arXiv:1703.01365). The integral is taken piece by piece with
    Gauss-Legendre points. The sum over a piece must be the change of the answer along it, so it is
    known where the points are too few: there pieces are cut in two, until the scores of all add up
    to the whole change within half a percent, as `miss` counts it.

    Parameters
    ----------
    question : Question
        What is asked.
    answer, baseline : float
        Of the record, and of its baseline.
    most : int
        The most points.

    Returns
    -------
    dict of str to ndarray, each of shape (steps, channels)
        The scores.
    """
    edges = np.linspace(0.0, 1.0, FIRST + 1)
    pieces, asked = _pieces(question, [*pairwise(edges.tolist())]), FIRST * NODES
    while True:
        scores = {
            name: np.sum([each.scores[name] for each in pieces], 0) for name in question.reads
        }
        coarse = _coarse(pieces, scores, answer - baseline)
        if not coarse or asked + 2 * NODES * len(coarse) > most:
            return scores
        halves = [
            half
            for each in coarse
            for middle in [(each.start + each.stop) / 2]
            for half in ((each.start, middle), (middle, each.stop))
        ]
        kept = [each for each in pieces if each not in coarse]
        pieces, asked = [*kept, *_pieces(question, halves)], asked + NODES * len(halves)


def miss(scores: Mapping[str, Floats], change: float) -> float:
    """Say how far scores are from adding up to what they explain.

    Parameters
    ----------
    scores : dict of str to ndarray
        The scores.
    change : float
        The answer less the baseline's.

    Returns
    -------
    float
        The difference, as a share of the change, or of a tenth of all scores without their signs
        where that is more: where scores cancel out, the change itself is no measure.
    """
    total, size = _sums(scores)
    difference = abs(total - change)
    return difference / max(abs(change), FLOOR * size) if difference else 0.0


def _sums(scores: Mapping[str, Floats]) -> tuple[float, float]:
    total = sum(float(each.sum()) for each in scores.values())
    return total, sum(float(np.abs(each).sum()) for each in scores.values())


def _coarse(pieces: list[_Piece], scores: Mapping[str, Floats], change: float) -> list[_Piece]:
    """Find the pieces that need more points; none where the whole is near enough."""
    if miss(scores, change) <= TOLERANCE:
        return []
    allowed = TOLERANCE * max(abs(change), FLOOR * _sums(scores)[1]) / len(pieces)
    return [each for each in pieces if abs(each.error) > allowed]


def _pieces(question: Question, ends: list[tuple[float, float]]) -> list[_Piece]:
    """Go along some pieces of the way."""
    reads, (nodes, weights) = question.reads, np.polynomial.legendre.leggauss(NODES)
    places = np.array([(a + b) / 2 + nodes * (b - a) / 2 for a, b in ends]).ravel()
    sizes = np.array([weights * (b - a) / 2 for a, b in ends])
    cells = {name: np.zeros((len(ends), *read.values.shape)) for name, read in reads.items()}
    size = max(records_at_once(reads) // 4, 1)  # what is kept for the way back counts too
    for begun in range(0, len(places), size):
        part = slice(begun, begun + size)
        for name, slopes in gradients(question, _along(question, places[part])).items():
            owners = np.arange(len(places))[part] // NODES
            weighted = slopes.double().numpy() * sizes.ravel()[part][:, None, None]
            np.add.at(cells[name], owners, weighted)
    marks = sorted({mark for both in ends for mark in both})
    with torch.no_grad():
        told = [
            question.answer(_along(question, np.array(marks[k : k + size]))).double().numpy()
            for k in range(0, len(marks), size)
        ]
    answers = dict(zip(marks, np.concatenate(told).tolist(), strict=True))
    found = []
    for row, (a, b) in enumerate(ends):
        scores = {
            name: by_channels(
                read, (read.values - read.baseline).double().numpy() * cells[name][row]
            )
            for name, read in reads.items()
        }
        found.append(_Piece(a, b, scores, _sums(scores)[0] - (answers[b] - answers[a])))
    return found


def _along(question: Question, places: Floats) -> dict[str, Tensor]:
    """Give the records at some places of the way, 0 the baseline and 1 the record."""
    return {
        name: torch.lerp(
            read.baseline[None],
            read.values[None],
            torch.as_tensor(places, dtype=read.values.dtype)[:, None, None],
        )
        for name, read in question.reads.items()
    }
