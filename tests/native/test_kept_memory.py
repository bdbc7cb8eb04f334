"""Blocks of memory: kept for the next call, never too many, given back when asked."""

import pytest

from recurra.native import engine, missing

pytestmark = pytest.mark.skipif(engine is None, reason=missing)
MiB = 1 << 20


@pytest.fixture(autouse=True)
def nothing_kept():
    if engine is not None:
        engine.release()


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 100_000, 3 * MiB])
def test_a_block_can_be_written_from_end_to_end(size):
    block = engine.block(size)
    view = memoryview(block)
    assert view.nbytes == size
    view[:] = b"\xff" * size
    assert bytes(view) == b"\xff" * size
    assert block.address % 64 == 0


def test_a_block_given_back_is_the_next_one_taken():
    block = engine.block(100_000)
    address = block.address
    assert engine.kept() == 0
    del block
    assert 100_000 <= engine.kept() <= 125_000
    block = engine.block(99_000)
    assert block.address == address
    assert engine.kept() == 0


def test_a_block_much_too_large_is_left_for_others():
    large = engine.block(MiB)
    address = large.address
    del large
    small = engine.block(1000)
    assert small.address != address
    assert engine.kept() >= MiB


def test_two_blocks_held_are_two():
    blocks = [engine.block(5000) for _ in range(20)]
    assert len({block.address for block in blocks}) == 20


def test_a_view_holds_its_block():
    view = memoryview(engine.block(5000))
    assert engine.kept() == 0
    other = engine.block(5000)
    memoryview(other)[:] = b"\xff" * 5000
    view[:] = b"\x00" * 5000
    assert bytes(memoryview(other)) == b"\xff" * 5000


def test_what_is_kept_has_bounds():
    blocks = [engine.block(5000) for _ in range(200)]
    blocks.clear()
    assert 0 < engine.kept() <= 64 * 8192
    blocks = [engine.block(200 * MiB) for _ in range(4)]
    blocks.clear()
    assert 0 < engine.kept() <= 512 * MiB


def test_release_gives_all_of_it_back():
    held = engine.block(5000)
    blocks = [engine.block(size) for size in (1, 10_000, MiB)]
    blocks.clear()
    assert engine.kept() > 0
    engine.release()
    assert engine.kept() == 0
    memoryview(held)[:] = b"\xff" * 5000
    engine.release()


def test_more_memory_than_there_is_is_an_error():
    # a sanitizer stops the process where an allocation is plainly too large: refused before one
    for size in [1 << 63] if hasattr(engine, "planted_overrun") else [1 << 63, 1 << 62]:
        with pytest.raises(MemoryError):
            engine.block(size)
    with pytest.raises((OverflowError, MemoryError)):
        engine.block(-1)


@pytest.mark.parametrize("threads", [1, 3])
def test_the_same_call_again_takes_what_the_last_one_left(threads, draw, solve):
    cases = [draw("lstm", [9, 3, 0, 7], 5, 40), draw("gru", [30], 5, 40)]
    for case in cases:
        solve(case, threads)
    kept = engine.kept()
    for _ in range(20):
        for case in cases:
            solve(case, threads)
    assert engine.kept() == kept
