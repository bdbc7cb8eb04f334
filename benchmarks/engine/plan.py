"""What is to be run: the grid, the contenders and their homes, and how long each turn lasts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from shared import Case

HERE = Path(__file__).resolve().parent
Shape = tuple[int, int, int, int]

SHAPES: tuple[Shape, ...] = (
    (1, 1, 16, 64),
    (1, 100, 16, 32),
    (32, 50, 8, 32),
    (32, 100, 16, 64),
    (64, 100, 64, 128),
    (64, 200, 128, 256),
    (32, 200, 256, 512),
    (128, 28, 28, 128),
)
"""Batch, time, inputs, hidden. A time of 1 is one step with a carried state."""
QUICK_SHAPES = ((1, 1, 16, 64), (1, 100, 16, 32), (32, 50, 8, 32), (128, 28, 28, 128))
MODES = ("inference", "training")
LAYOUTS = ("padded", "ragged")

OURS, THEIRS = "recurra", "torch"
CONTENDERS = {
    OURS: ("worker_torch.py", None),
    THEIRS: ("worker_torch.py", None),
    "compile": ("worker_torch.py", None),
    "keras": ("worker_keras.py", "jax"),
    "jax": ("worker_jax.py", "jax"),
    "onnx": ("worker_onnx.py", "onnx"),
    "openvino": ("worker_openvino.py", "openvino"),
    "runtime": ("worker_numpy.py", None),
    "numpy": ("worker_numpy.py", None),
    "recurra-step": ("worker_torch.py", None),
    "gemm-peak": ("worker_gemm.py", None),
    "gemm-gates": ("worker_gemm.py", None),
}
"""The script of each, and its environment: None is the one that runs run.py."""
PEERS = ("compile", "keras", "jax", "onnx", "openvino", "runtime")
GEMMS = ("gemm-peak", "gemm-gates")
HOMES = ("jax", "onnx", "openvino")


@dataclass(frozen=True)
class Plan:
    """The options of run.py, checked."""

    shapes: tuple[Shape, ...]
    cells: tuple[str, ...]
    modes: tuple[str, ...]
    layouts: tuple[str, ...]
    threads: tuple[int, ...]
    peers: tuple[str, ...]
    rounds: int
    turn: float
    quick: bool
    pythons: dict[str, str]
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    """What each contender says of itself, filled in as it starts."""

    @property
    def racers(self) -> tuple[str, ...]:
        """Ours, torch's and the peers that were asked for and are there."""
        return (OURS, THEIRS, *(peer for peer in self.peers if self.can_start(peer)))

    def can_start(self, contender: str) -> bool:
        home = CONTENDERS[contender][1]
        return home is None or home in self.pythons

    def command(self, contender: str, threads: int) -> list[str]:
        script, home = CONTENDERS[contender]
        python = self.pythons["ours" if home is None else home]
        return [python, str(HERE / script), contender, str(threads)]

    def cases(self, threads: int, cell: str) -> Iterator[Case]:
        """The grid of one cell; a single record has no ragged layout."""
        for shape in self.shapes:
            for mode in self.modes:
                for layout in self.layouts:
                    if layout == "padded" or shape[0] > 1:
                        yield Case(cell, shape, mode, layout == "ragged", threads)
