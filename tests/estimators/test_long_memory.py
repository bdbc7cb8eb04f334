"""What a state has to carry over many steps is learned; the benchmark does the same at length."""

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "memory.py"


@pytest.fixture(scope="module")
def problems() -> dict[str, Callable[..., float]]:
    return runpy.run_path(str(BENCHMARK))


def test_two_marked_numbers_are_added_over_forty_steps(
    problems: dict[str, Callable[..., float]],
) -> None:
    assert problems["adding"](0, steps=40, records=2000, rounds=600) < 0.02  # of 1/6


def test_symbols_are_said_again_after_a_pause(problems: dict[str, Callable[..., float]]) -> None:
    assert problems["copy"](0, delay=2, records=2000, rounds=600) < 0.92  # 1 is no memory


def test_parity_of_long_strings_is_learned_from_short_ones(
    problems: dict[str, Callable[..., float]],
) -> None:
    assert problems["parity"](0, longest=12, asked=128, rounds=700) > 0.9
