"""How texts go on, by counting: n-grams of characters or words."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Self

from recurra.errors import NotFittedError, OptionError, check_count
from recurra.models.speech.ctc_decoding import END

__all__ = ["NGrams"]

START = "\0"


class NGrams:
    r"""A model of text that counts which units follow which.

    .. math:: P(w \mid c) = \frac{n(c, w) + d(c) \, P(w \mid c')}{n(c) + d(c)}

    for a context :math:`c`, the same without its first unit, :math:`c'`, and the number
    :math:`d(c)` of different units seen after it (Witten and Bell 1991); the shortest context is
    none, where every unit that was seen, and the end, starts with an equal share.

    Parameters
    ----------
    order : int
        Units of an n-gram, the last of which is foretold from those before.
    unit : {"char", "word"}
        What is counted; words are parted by white space.

    Examples
    --------
    >>> model = NGrams(2, unit="word").fit(["yes no", "yes yes no"])
    >>> told = model.log_probabilities(["yes"])
    >>> {word: round(math.exp(value), 2) for word, value in told.items()}
    {'yes': 0.36, 'no': 0.52, '': 0.12}
    """

    def __init__(self, order: int = 3, *, unit: Literal["char", "word"] = "char") -> None:
        check_count("order", order)
        if unit not in ("char", "word"):
            raise OptionError(f"unit={unit!r}, but it is 'char' or 'word'.")
        self.order, self.unit = order, unit

    def fit(self, texts: Iterable[str]) -> Self:
        """Count.

        Parameters
        ----------
        texts : iterable of str
            What is written, one text each.

        Returns
        -------
        NGrams
            Itself.
        """
        if isinstance(texts, str):
            raise OptionError("A list of texts is read, but a str came. Write [text].")
        counts: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        for text in texts:
            units = [*(text if self.unit == "char" else text.split()), END]
            padded = [START] * (self.order - 1) + units
            for place, unit in enumerate(units, self.order - 1):
                for length in range(self.order):
                    counts[tuple(padded[place - length : place])][unit] += 1
        if not counts:
            raise OptionError("There are no texts to count in. Give at least one.")
        self.counts_ = dict(counts)
        self._known: dict[tuple[str, ...], Mapping[str, float]] = {}
        return self

    def log_probabilities(self, prefix: Sequence[str]) -> Mapping[str, float]:
        """Say how probable each unit is after others.

        Parameters
        ----------
        prefix : sequence of str
            The units so far; the last ``order - 1`` count.

        Returns
        -------
        mapping of str to float
            The logarithm of the probability of each unit that was ever seen, and of ``""``, the
            end.
        """
        if not hasattr(self, "counts_"):
            raise NotFittedError("This NGrams has counted nothing yet. Call fit(texts) first.")
        padded = [START] * (self.order - 1) + list(prefix)
        context = tuple(padded[len(padded) - self.order + 1 :])
        found = self._known.get(context)
        if found is None:
            shares = self._shares(context)
            found = {unit: math.log(share) for unit, share in shares.items()}
            self._known[context] = found
        return found

    def _shares(self, context: tuple[str, ...]) -> dict[str, float]:
        """Mix what followed a context with what followed its end."""
        if not context:
            units = sorted(self.counts_[()], reverse=True)
            below = dict.fromkeys(units, 1.0 / len(units))
        else:
            below = self._shares(context[1:])
        seen = self.counts_.get(context)
        if seen is None:
            return below
        total = seen.total() + len(seen)
        return {unit: (seen[unit] + len(seen) * share) / total for unit, share in below.items()}
