"""Fonts for pictures of texts: those of this machine that have the signs, and what none has.

matplotlib draws a box where a font lacks a sign, one box like the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self
from unicodedata import category

from recurra.data.tables.notes import counted, tell
from recurra.errors import need

__all__ = ["Fonts"]

PURPOSE = "Drawing an explanation"
PLAIN, EVEN = "DejaVu Sans", "DejaVu Sans Mono"  # which come with matplotlib
BOXES = "Last Resort"  # a font that has all signs, each of them a box
LIKELY = ("noto sans", "source han sans", "wenquanyi", "pingfang", "hiragino", "yahei", "simhei",
          "heiti", "malgun", "gothic", "unicode")  # fmt: skip


@dataclass(frozen=True)
class Fonts:
    """Which fonts a picture is written in.

    Attributes
    ----------
    others : tuple of str
        Families that have signs which matplotlib's own lack.
    missing : frozenset of str
        Signs that no font of this machine has, or that have no looks.
    """

    others: tuple[str, ...] = ()
    missing: frozenset[str] = frozenset()

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """Find fonts for some texts; warn of signs that none has.

        Parameters
        ----------
        texts : iterable of str
            All that is written.

        Returns
        -------
        Fonts
            None but matplotlib's own where they have all signs.
        """
        manager: Any = need("matplotlib.font_manager", extra="plot", purpose=PURPOSE)
        every = {sign for text in texts for sign in text} - {*"\n\t"}
        bare = {sign for sign in every if category(sign) in ("Cc", "Cf", "Cs")}  # have no looks
        left = every - bare
        for name in (PLAIN, EVEN):
            left -= _signs(manager.findfont(name))
        others = []
        found = {each.name: each.fname for each in manager.fontManager.ttflist}
        for name in sorted(found, key=lambda one: (_unlikely(one), one)):
            if left and not name.startswith(BOXES) and left & _signs(found[name]):
                others.append(name)
                left -= _signs(found[name])
        if left:
            some = "".join(sorted(left)[:8])
            count = counted(len(left), "sign is", "signs are")
            tell(
                f"{count} in no font of this machine: {some}. In the picture a token with one is "
                "called by its place in the text, '#12', other signs by their code point. Install "
                "a font that has them, such as Noto Sans CJK, and restart; print() shows them."
            )
        return cls(tuple(others), frozenset(left | bare))

    @property
    def plain(self) -> list[str]:
        """The families for names and titles."""
        return [PLAIN, *self.others]

    @property
    def even(self) -> list[str]:
        """The families for texts, whose letters are equally wide."""
        return [EVEN, *self.others]

    def token(self, token: str, place: int) -> str:
        """Write a token, or its place where no font has its signs.

        Parameters
        ----------
        token : str
            The token.
        place : int
            Its number in the text.

        Returns
        -------
        str
            The same, or ``"#12"``.
        """
        return f"#{place}" if self.missing & {*token} else token

    def writable(self, text: str) -> str:
        """Write signs that no font has by their code points.

        Parameters
        ----------
        text : str
            The text.

        Returns
        -------
        str
            The same, with ``"U+597D"`` for a sign.
        """
        return "".join(f"U+{ord(each):04X} " if each in self.missing else each for each in text)


@lru_cache(maxsize=256)
def _signs(path: str) -> frozenset[str]:
    """List the signs of a font; none where it cannot be read."""
    fonts: Any = need("matplotlib.ft2font", extra="plot", purpose=PURPOSE)
    try:
        return frozenset(map(chr, fonts.FT2Font(path).get_charmap()))
    except (OSError, RuntimeError, ValueError):
        return frozenset()


def _unlikely(name: str) -> int:
    """Order fonts: those that have many scripts first."""
    small = name.lower()
    return next((k for k, each in enumerate(LIKELY) if each in small), len(LIKELY))
