"""Where symbols lie: the most probable path that writes a transcript."""

from itertools import product

import numpy as np
import pytest

from recurra.models.speech.ctc_alignment import align
from recurra.models.speech.ctc_decoding import best_path


def written(path):
    return best_path(np.eye(3)[list(path)])[0]


@pytest.mark.parametrize("symbols", [[0], [0, 1], [0, 0], [1, 0, 1], [0, 0, 1]])
def test_no_other_path_that_writes_the_symbols_is_more_probable(symbols):
    chance = np.random.default_rng(len(symbols))
    for _ in range(5):
        told = np.log(chance.dirichlet([1, 1, 1], 6))
        spans = align(told, symbols)
        path = np.zeros(6, int)
        for symbol, (start, stop) in zip(symbols, spans, strict=True):
            path[start:stop] = symbol + 1
        assert written(path) == symbols
        every = [each for each in product(range(3), repeat=6) if written(each) == symbols]
        best = max(told[range(6), each].sum() for each in every)
        assert told[range(6), path].sum() == pytest.approx(best)


def test_no_symbols_lie_nowhere():
    assert align(np.log(np.full((4, 3), 1 / 3)), []).shape == (0, 2)
    assert align(np.zeros((0, 3)), []).shape == (0, 2)


def test_too_few_frames_are_refused():
    with pytest.raises(ValueError, match="2 frames are too few"):
        align(np.log(np.full((2, 3), 1 / 3)), [0, 0])
