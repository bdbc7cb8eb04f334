"""The engine called as it is: addresses of NumPy's arrays, and what lies around them watched."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from recurra.native import ISAS, engine, instruction_sets, using

CELLS = {"elman": (0, 1), "lstm": (1, 4), "gru": (2, 3)}
ACTIVATIONS = {"tanh": 0, "relu": 1, "sigmoid": 2}
PLAIN = (0,) * 16  # no option of a cell
PACKED, SAVED = 20, 42  # members of a run
PATTERN = 0xA5
GUARD = 37  # numbers on each side: no vector is wider, and what follows is badly aligned


@dataclass(frozen=True)
class Case:
    """One layer in one direction or both: its weights, its input, the gradients that come back.

    Arrays of a state and of weights have the directions on their first axis.
    """

    cell: str
    activation: str
    ways: tuple[int, ...]
    lengths: np.ndarray | None
    x: np.ndarray
    dy: np.ndarray
    states: np.ndarray | None  # (h and c, directions, batch, hidden)
    dstates: np.ndarray | None
    weights: dict[str, np.ndarray]

    def of_records(self, records: list[int]) -> Case:
        """The same layer, reading some of the records."""
        return replace(
            self,
            lengths=None if self.lengths is None else self.lengths[records],
            x=self.x[:, records],
            dy=self.dy[:, records],
            states=None if self.states is None else self.states[:, :, records],
            dstates=None if self.dstates is None else self.dstates[:, :, records],
        )


def draw(
    cell: str,
    lengths: list[int],
    inputs: int,
    hidden: int,
    *,
    steps: int | None = None,
    dtype: str = "float32",
    ways: tuple[int, ...] = (0,),
    activation: str = "tanh",
    state: bool = True,
    bias: bool = True,
    seed: int = 0,
) -> Case:
    """A case of standard normal numbers; NaN at and beyond each record's length."""
    chance = np.random.default_rng(seed)
    longest = max(lengths, default=0)
    steps, batch, rows = longest if steps is None else steps, len(lengths), CELLS[cell][1] * hidden

    def normal(*shape: int, scale: float = 1.0) -> np.ndarray:
        return (scale * chance.standard_normal(shape)).astype(dtype)

    scale, both = hidden**-0.5, len(ways)
    counts = np.array(lengths, dtype=np.int64)
    x, dy = normal(longest, batch, inputs), normal(longest, batch, both * hidden)
    fill = ((0, steps - longest), (0, 0), (0, 0))
    x, dy = (np.pad(one, fill, constant_values=np.nan) for one in (x, dy))
    padding = np.arange(steps)[:, None] >= counts
    x[padding] = dy[padding] = np.nan
    weights = {"w_ih": (rows, inputs), "w_hh": (rows, hidden), "b_ih": (rows,), "b_hh": (rows,)}
    count = 2 if cell == "lstm" else 1
    return Case(
        cell,
        activation,
        ways,
        counts if padding.any() else None,
        x,
        dy,
        normal(count, both, batch, hidden) if state else None,
        normal(count, both, batch, hidden) if state else None,
        {
            name: normal(both, *shape, scale=scale)
            for name, shape in weights.items()
            if bias or "b_" not in name
        },
    )


class Room:
    """An array to be written, full of NaN, in the middle of numbers that nobody may touch."""

    def __init__(self, shape: tuple[int, ...], dtype: Any, gap: int = 0) -> None:
        strides = _strides(shape, gap)
        size = sum((n - 1) * s for n, s in zip(shape, strides, strict=True)) + 1
        size = size if all(shape) else 0
        whole = np.full((size + 2 * GUARD) * np.dtype(dtype).itemsize, PATTERN, np.uint8)
        self.numbers = whole.view(dtype)
        self.inside = np.zeros(self.numbers.shape, bool)
        for array, content in ((self.numbers, np.nan), (self.inside, True)):
            bytes_apart = tuple(array.itemsize * one for one in strides)
            view = np.lib.stride_tricks.as_strided(array[GUARD:], shape, bytes_apart)
            view[...] = content
            self.array = view if array is self.numbers else self.array

    @property
    def untouched_outside(self) -> bool:
        """Whether the pattern is whole."""
        outside = self.numbers[~self.inside].view(np.uint8)
        return bool((outside == PATTERN).all())


def _strides(shape: tuple[int, ...], gap: int) -> tuple[int, ...]:
    """Of an array whose rows, and whose blocks of rows, stand ``gap`` numbers apart."""
    strides = [1]
    for size in reversed(shape[1:]):
        strides.insert(0, strides[0] * max(size, 1) + gap)
    return tuple(strides)


class Call:
    """One forward and one backward call of a case, on buffers of its own.

    Rows stand ``gap`` numbers apart; the weights may be packed before; with ``saves=False`` nothing
    is saved for the way back; the buffers in ``without`` are null.
    """

    def __init__(
        self,
        case: Case,
        *,
        gap: int = 0,
        packed: bool = False,
        saves: bool = True,
        without: Collection[str] = (),
    ) -> None:
        self.case = case
        self.steps, self.batch, self.inputs = case.x.shape
        self.hidden = case.weights["w_hh"].shape[2]
        self.dtype, self.element = case.x.dtype, case.x.itemsize
        self.rooms: dict[str, Room] = {}
        self.held: list[Any] = []
        both, count = len(case.ways), 2 if case.cell == "lstm" else 1
        self._given = {"x": self._laid(case.x, gap), "dy": self._laid(case.dy, gap)}
        for name, arrays in (("0", case.states), ("n", case.dstates)):
            if arrays is not None:
                letters = ("h" + name, "c" + name) if name == "0" else ("dhn", "dcn")
                for letter, part in zip(letters, arrays, strict=False):
                    self._given[letter] = self._laid(part, gap)
        self._given |= {name: one.copy() for name, one in case.weights.items()}
        self._given = {name: one for name, one in self._given.items() if name not in without}
        self._before = {name: one.copy() for name, one in self._given.items()}
        state = (both, self.batch, self.hidden)
        self._room("y", (self.steps, self.batch, both * self.hidden), gap)
        for name in ("hn", "cn")[:count]:
            self._room(name, state)
        self._room("dx", case.x.shape, gap)
        for name in ("dh0", "dc0")[:count]:
            self._room(name, state)
        for name, one in case.weights.items():
            self._room("d" + name, one.shape)
        self.rooms = {name: one for name, one in self.rooms.items() if name not in without}
        self.runs = [self._forward_run(way) for way in range(both)]
        for way, run in enumerate(self.runs):
            if saves:
                size = engine.saved_size(tuple(run)) // self.element
                self._room(f"saved {way}", (size,))
                run[SAVED] = self._at(f"saved {way}")
            if packed:
                self.held.append(engine.pack(tuple(run)))
                run[PACKED] = self.held[-1].address

    def _laid(self, array: np.ndarray, gap: int) -> np.ndarray:
        """A copy with NaN between its rows."""
        room = Room(array.shape, array.dtype, gap)
        room.numbers[...] = np.nan
        room.array[...] = array
        return room.array

    def _room(self, name: str, shape: tuple[int, ...], gap: int = 0) -> None:
        self.rooms[name] = Room(shape, self.dtype, gap)

    def _at(self, name: str, way: int | None = None) -> int:
        room = self.rooms.get(name)
        array = self._given.get(name) if room is None else room.array
        if array is None:
            return 0
        return array.ctypes.data + (0 if way is None else way * array.strides[0])

    def _row(self, name: str, axis: int) -> int:
        room = self.rooms.get(name)
        array = self._given.get(name) if room is None else room.array
        return 0 if array is None else array.strides[axis] // self.element

    def _forward_run(self, way: int) -> list[int]:
        case, row = self.case, self._row
        lengths = 0 if case.lengths is None else case.lengths.ctypes.data
        shift = way * self.hidden * self.element
        state = [self._at("h0", way), self._at("c0", way), row("h0", 1), row("c0", 1)]
        weights = [self._at(name, way) for name in ("w_ih", "w_hh", "b_ih", "b_hh")]
        kind = [CELLS[case.cell][0], ACTIVATIONS[case.activation], self.element, case.ways[way]]
        return [
            *kind, self.steps, self.batch, self.inputs, self.hidden, lengths,
            self._at("x"), row("x", 0), row("x", 1), *state, *weights, 0,
            self._at("y") + shift, row("y", 0), row("y", 1),
            self._at("hn", way), self._at("cn" if "cn" in self.rooms else "hn", way),
            *PLAIN, 0,
        ]  # fmt: skip

    def forward(self, threads: int = 1) -> None:
        """Go forward."""
        engine.forward(threads, *map(tuple, self.runs))

    def backward(self, threads: int = 1) -> None:
        """Go back."""
        runs, row = [], self._row
        for way, run in enumerate(self.runs):
            shift = way * self.hidden * self.element
            runs.append((
                *run, self._at("dy") + shift, row("dy", 0), row("dy", 1),
                self._at("dhn", way), self._at("dcn", way), row("dhn", 1), row("dcn", 1),
                self._at("dx"), row("dx", 0), row("dx", 1), way,
                self._at("dh0", way), self._at("dc0", way),
                *(self._at(name, way) for name in ("dw_ih", "dw_hh", "db_ih", "db_hh")),
            ))  # fmt: skip
        engine.backward(threads, *runs)

    def check(self) -> None:
        """Nothing outside the rooms is written, and nothing of what was given."""
        for name, room in self.rooms.items():
            assert room.untouched_outside, f"something is written beside {name}"
        for name, one in self._given.items():
            kept = one.tobytes() == self._before[name].tobytes()
            assert kept, f"{name} is written to"

    def results(self) -> dict[str, np.ndarray]:
        """All that was asked for, by name."""
        named = self.rooms.items()
        return {name: room.array.copy() for name, room in named if "saved" not in name}


def solve(
    case: Case, threads: int = 1, *, gap: int = 0, packed: bool = False, finite: bool = True
) -> dict[str, np.ndarray]:
    """Go forward and back; everything asked for is there, and nothing else is touched."""
    call = Call(case, gap=gap, packed=packed)
    call.forward(threads)
    call.check()
    call.backward(threads)
    call.check()
    found = call.results()
    for name, one in found.items():
        assert not finite or np.isfinite(one).all(), f"{name} is not finite everywhere"
    return found


def same_bits(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> None:
    assert ours.keys() == theirs.keys()
    for name, one in theirs.items():
        assert ours[name].tobytes() == one.tobytes(), f"{name} differs"


def poison_kept_memory() -> None:
    """Fill with NaN what the engine keeps for its next calls."""
    taken = []
    for size in (4096 << n for n in range(14)):
        before = engine.kept()
        block = engine.block(size)
        while engine.kept() < before:
            memoryview(block)[:] = b"\xff" * size
            taken.append(block)
            before = engine.kept()
            block = engine.block(size)


@pytest.fixture(name="draw")
def draw_fixture() -> Callable[..., Case]:
    return draw


@pytest.fixture
def draw_wide() -> Callable[..., Case]:
    """Cases of so many multiply-adds that eight threads are worth calling."""

    def wide(cell: str, lengths: list[int], **options: Any) -> Case:
        assert sum(lengths) >= 90
        return draw(cell, lengths, 21, {"elman": 210, "lstm": 98, "gru": 98}[cell], **options)

    return wide


@pytest.fixture(name="solve")
def solve_fixture() -> Callable[..., dict[str, np.ndarray]]:
    return solve


@pytest.fixture(name="same_bits")
def same_bits_fixture() -> Callable[..., None]:
    return same_bits


@pytest.fixture(name="poison_kept_memory")
def poison_fixture() -> Callable[[], None]:
    return poison_kept_memory


@pytest.fixture(name="Call")
def call_fixture() -> type[Call]:
    return Call


@pytest.fixture(params=ISAS)
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    """One instruction set after the other, those that this machine has."""
    said = instruction_sets()[request.param]
    if said != "can be used":
        pytest.skip(f"{request.param}: {said}")
    with using(request.param):
        yield request.param
