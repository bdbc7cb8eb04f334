"""Beam search: held against looking at every sequence there is."""

import itertools
import math
from typing import Self

import pytest
import torch
from torch import Tensor

from recurra.errors import OptionError
from recurra.estimators.translation.beam_search import beam_search


class Rows:
    """Which record each row belongs to, and what it said so far."""

    def __init__(self, records: list[int], said: list[tuple[int, ...]]) -> None:
        self.records, self.said = records, said

    def take(self, rows: Tensor) -> Self:
        places = rows.tolist()
        return type(self)([self.records[k] for k in places], [self.said[k] for k in places])


def chances(record: int, said: tuple[int, ...], codes: int) -> Tensor:
    """Log-probabilities that depend on all that was said."""
    generator = torch.Generator().manual_seed(hash((record, said)) % 2**31)
    return (2 * torch.randn(codes, generator=generator, dtype=torch.float64)).log_softmax(0)


def say(codes: int):  # type: ignore[no-untyped-def]
    def step(symbols: Tensor, state: Rows) -> tuple[Tensor, Rows]:
        said = [
            s if k == codes - 1 and not s else (*s, k)
            for s, k in zip(state.said, symbols.tolist(), strict=True)
        ]
        spoken = [chances(r, s, codes) for r, s in zip(state.records, said, strict=True)]
        return torch.stack(spoken), Rows(state.records, said)

    return step


def everything(record: int, codes: int, longest: int) -> dict[tuple[int, ...], float]:
    """The log-probability of every sequence that ends in time."""
    found = {}
    for length in range(longest + 1):
        for sequence in itertools.product(range(codes - 1), repeat=length):
            total = sum(
                float(chances(record, sequence[:k], codes)[symbol])
                for k, symbol in enumerate((*sequence, codes - 1))
            )
            found[sequence] = total
    return found


def begun(count: int) -> Rows:
    return Rows(list(range(count)), [()] * count)


def test_a_wide_beam_finds_what_looking_at_every_sequence_finds() -> None:
    found = beam_search(say(4), begun(5), 5, 3, beam=64, longest=3, length_penalty=0.0)
    for record in range(5):
        table = everything(record, 4, 3)
        best = max(table, key=table.__getitem__)
        assert found[record][0].symbols == best
        assert found[record][0].log_probability == pytest.approx(table[best])
        assert len(found[record]) > 10
        for each in found[record]:
            assert each.log_probability == pytest.approx(table[each.symbols])


def test_a_beam_of_one_takes_the_most_probable_symbol_each_time() -> None:
    found = beam_search(say(5), begun(20), 20, 4, beam=1, longest=8)
    for record in range(20):
        said: tuple[int, ...] = ()
        while len(said) < 8 and (best := int(chances(record, said, 5).argmax())) != 4:
            said = (*said, best)
        assert found[record][0].symbols == said
        assert len(found[record]) == 1


def test_short_sequences_that_end_early_do_not_hide_a_better_long_one() -> None:
    table = torch.tensor([[0.90, 0.05, 0.05], [0.2, 0.2, 0.6], [0.7, 0.1, 0.2]]).log()

    def slow(symbols: Tensor, state: Rows) -> tuple[Tensor, Rows]:
        return table[symbols], state

    def ends_late(symbols: Tensor, state: Rows) -> tuple[Tensor, Rows]:
        spoken, state = slow(symbols, state)
        said = [(*each, int(k)) for each, k in zip(state.said, symbols, strict=True)]
        spoken = spoken.clone()
        for row, each in enumerate(said):
            if each == (2, 0, 0, 0, 0):
                spoken[row] = torch.tensor([0.01, 0.01, 0.98]).log()
        return spoken, Rows(state.records, said)

    for penalty in (0.0, 1.0):
        [found] = beam_search(ends_late, begun(1), 1, 2, beam=2, longest=8, length_penalty=penalty)
        assert found[0].symbols == (0, 0, 0, 0)


def test_a_record_is_answered_alone_as_among_others() -> None:
    together = beam_search(say(5), begun(6), 6, 4, beam=3, longest=6)
    for record in range(6):
        alone = beam_search(say(5), Rows([record], [()]), 1, 4, beam=3, longest=6)
        assert alone[0] == together[record]


def test_the_score_is_the_log_probability_by_the_length() -> None:
    for hypotheses in beam_search(say(4), begun(4), 4, 3, beam=2, longest=5, length_penalty=0.7):
        for each in hypotheses:
            length = len(each.symbols) + each.ended
            wanted = each.log_probability / ((5 + length) / 6) ** 0.7
            assert each.score == pytest.approx(wanted)
        assert hypotheses == sorted(hypotheses, key=lambda each: -each.score)


def test_what_never_ends_is_cut_at_the_longest() -> None:
    def never(symbols: Tensor, state: Rows) -> tuple[Tensor, Rows]:
        return torch.tensor([[0.0, -math.inf]]).expand(len(symbols), 2), state

    for beam in (1, 3):
        [[found, *_]] = beam_search(never, begun(1), 1, 1, beam=beam, longest=4)
        assert (found.symbols, found.ended) == ((0, 0, 0, 0), False)


def test_more_beams_than_symbols_are_no_trouble() -> None:
    found = beam_search(say(2), begun(3), 3, 1, beam=5, longest=3, length_penalty=0.0)
    for record in range(3):
        table = everything(record, 2, 3)
        assert found[record][0].symbols == max(table, key=table.__getitem__)


def test_no_records_give_no_answers() -> None:
    assert beam_search(say(3), begun(0), 0, 2) == []


@pytest.mark.parametrize(
    ("option", "value"), [("beam", 0), ("longest", 0), ("beam", 1.5), ("length_penalty", -1)]
)
def test_impossible_options_are_refused_by_name(option: str, value: float) -> None:
    with pytest.raises(OptionError, match=option):
        beam_search(say(3), begun(1), 1, 2, **{option: value})  # type: ignore[arg-type]
