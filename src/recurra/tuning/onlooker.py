"""What a judge asks of whoever looks on while it judges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from recurra.training import Moment

__all__ = ["Onlooker"]


class Onlooker(Protocol):
    """Who looks on while a trial is judged; it ends the trial by raising."""

    def callbacks(self, alone: bool) -> Sequence[Callable[[Moment], bool | None]]:
        """Give what looks on while a part is learned, alone or one of several."""

    @property
    def known(self) -> Sequence[float]:
        """What the first parts scored when the trial was last at work, before it was cut short."""

    def part_scored(self, scores: Sequence[float]) -> None:
        """Hear the scores of the parts so far."""
