"""Beam search: the most probable sequences of symbols that a step function can say."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, Self

import torch
from torch import Tensor
from torch.nn import functional

from recurra.errors import OptionError, check_count

__all__ = ["Hypothesis", "beam_search"]


class Taken(Protocol):
    """A state of several sequences, of which some can be picked."""

    def take(self, rows: Tensor) -> Self:
        """Pick sequences by place; one may come several times."""


class Hypothesis(NamedTuple):
    """A sequence that may be the answer.

    Parameters
    ----------
    symbols : tuple of int
        What is said, without the end.
    log_probability : float
        Its natural logarithm, with that of the end, if it ended.
    score : float
        What hypotheses are ranked by.
    ended : bool
        Whether it ended by itself, before the longest that was allowed.
    """

    symbols: tuple[int, ...]
    log_probability: float
    score: float
    ended: bool


@torch.no_grad()
def beam_search(
    say: Callable[[Tensor, Any], tuple[Tensor, Any]],
    state: Taken,
    count: int,
    boundary: int,
    *,
    beam: int = 1,
    longest: int = 100,
    length_penalty: float = 1.0,
) -> list[list[Hypothesis]]:
    r"""Look for the most probable sequences of several records at once.

    Sequences are ranked by :math:`\log p(y) / ((5 + |y|) / 6)^α` (Wu et al., arXiv:1609.08144),
    where :math:`|y|` counts the end. A record is done when `beam` of its sequences have ended and
    none that goes on can overtake them. With ``beam=1`` this is the greedy way: the most probable
    symbol, each time.

    Parameters
    ----------
    say : callable
        ``say(symbols, state) -> (log_probabilities, state)``: symbols of shape (rows,), answers of
        shape (rows, codes).
    state : object with ``take(rows)``
        Before the first symbol; a row for each record.
    count : int
        How many records there are.
    boundary : int
        The code that begins and ends every sequence.
    beam : int, default 1
        How many sequences of a record are followed.
    longest : int, default 100
        The most symbols of a sequence; what has not ended by then is cut.
    length_penalty : float, default 1.0
        α above: 0 ranks by probability, which favours short sequences.

    Returns
    -------
    list of list of Hypothesis
        For each record, the best first; at least one and at most `beam`, unless `longest` cuts.

    Raises
    ------
    OptionError
        If `beam` or `longest` is less than 1, or the penalty is negative.

    Examples
    --------
    >>> class Nothing:
    ...     def take(self, rows):
    ...         return self
    >>> table = torch.tensor([[0.1, 0.1, 0.8], [0.1, 0.6, 0.3], [0.5, 0.4, 0.1]]).log()
    >>> say = lambda symbols, state: (table[symbols], state)
    >>> [best] = beam_search(say, Nothing(), 1, boundary=2, beam=2, length_penalty=0.0)
    >>> best[0].symbols, round(best[0].ended and best[0].log_probability, 2)
    ((0,), -0.92)
    """
    beam, longest = check_count("beam", beam), check_count("longest", longest)
    if not isinstance(length_penalty, int | float) or length_penalty < 0:
        raise OptionError(f"length_penalty={length_penalty!r}, but it cannot be negative.")
    done: list[list[Hypothesis]] = [[] for _ in range(count)]
    beams = _begun(state, count, boundary, beam)
    for _ in range(longest + 1):
        if not len(beams.records):
            break
        before = beams
        beams = _next(say, beams, done, boundary, length_penalty, longest)
    else:
        _cut(before, done, length_penalty)
    for found in done:
        found.sort(key=lambda each: -each.score)
    return [found[:beam] for found in done]


@dataclass(frozen=True)
class _Beams:
    """The sequences that go on, as many for each record; a sum of -inf where there are fewer.

    `state` has a row for each sequence, those of a record one after the other; `sums` has shape
    (records, beam), `symbols` (records, beam, said so far), `records` says which they are.
    """

    state: Any
    last: Tensor
    sums: Tensor
    symbols: Tensor
    records: Tensor


def _begun(state: Taken, count: int, boundary: int, beam: int) -> _Beams:
    """Begin with one sequence for each record, and room for the others."""
    records = torch.arange(count)
    sums = torch.full((count, beam), -torch.inf, dtype=torch.float64)
    sums[:, 0] = 0.0
    last = torch.full((count * beam,), boundary)
    symbols = torch.zeros(count, beam, 0, dtype=torch.int64)
    return _Beams(state.take(records.repeat_interleave(beam)), last, sums, symbols, records)


def _next(
    say: Callable[[Tensor, Any], tuple[Tensor, Any]],
    beams: _Beams,
    done: list[list[Hypothesis]],
    boundary: int,
    penalty: float,
    longest: int,
) -> _Beams:
    """Go on with the best continuations of each record, and put aside those that end.

    Of the best 2 · beam at most `beam` end, so enough go on.
    """
    count, beam = beams.sums.shape
    spoken, state = say(beams.last, beams.state)
    totals = (beams.sums[..., None] + spoken.double().view(count, beam, -1)).flatten(1)
    codes = totals.shape[1] // beam
    values, places = totals.topk(min(2 * beam, totals.shape[1]))
    ends = places % codes == boundary
    for record, rank in (ends[:, :beam] & values[:, :beam].isfinite()).nonzero().tolist():
        symbols = beams.symbols[record, places[record, rank] // codes]
        done[int(beams.records[record])].append(_ended(symbols, values[record, rank], penalty))
    values = torch.where(ends, -torch.inf, values)
    values, order = values.topk(min(beam, values.shape[1]))
    places = places.gather(1, order)
    values, places = _wide(values, beam, -torch.inf), _wide(places, beam, 0)
    hopes = (values.amax(1) / _length(longest + 1, penalty)).tolist()
    going = [
        k
        for k, record in enumerate(beams.records.tolist())
        if not _settled(done[record], beam, hopes[k])
    ]
    alive = torch.tensor(going, dtype=torch.int64)
    parents, last = places[alive] // codes, places[alive] % codes
    past = beams.symbols[alive].gather(
        1, parents[..., None].expand(-1, -1, beams.symbols.shape[-1])
    )
    rows = (alive[:, None] * beam + parents).flatten()
    symbols = torch.cat([past, last[..., None]], -1)
    if len(rows) != count * beam or (rows != torch.arange(len(rows))).any():
        state = state.take(rows)
    return _Beams(state, last.flatten(), values[alive], symbols, beams.records[alive])


def _settled(found: list[Hypothesis], beam: int, hope: float) -> bool:
    """Say whether enough sequences have ended that are better than any that goes on can be."""
    if len(found) < beam:
        return False
    return beam == 1 or sorted(each.score for each in found)[-beam] >= hope


def _wide(values: Tensor, beam: int, fill: float) -> Tensor:
    """Make room for `beam` sequences, where there are fewer symbols than that."""
    return functional.pad(values, (0, beam - values.shape[1]), value=fill)


def _ended(symbols: Tensor, total: Tensor, penalty: float) -> Hypothesis:
    """Rank a sequence that has ended."""
    said, value = tuple(symbols.tolist()), float(total)
    return Hypothesis(said, value, value / _length(len(said) + 1, penalty), True)


def _cut(beams: _Beams, done: list[list[Hypothesis]], penalty: float) -> None:
    """Take what has not ended where nothing has."""
    for k, record in enumerate(beams.records.tolist()):
        if done[record]:
            continue
        for symbols, total in zip(beams.symbols[k], beams.sums[k].tolist(), strict=True):
            if math.isfinite(total):
                said = tuple(symbols.tolist())
                score = total / _length(len(said), penalty)
                done[record].append(Hypothesis(said, total, score, False))


def _length(symbols: int, penalty: float) -> float:
    return float(((5 + symbols) / 6) ** penalty)
