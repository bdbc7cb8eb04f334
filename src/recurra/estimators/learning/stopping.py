"""What a training is stopped by, where that is not the loss: the first score of the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from recurra.errors import OptionError
from recurra.estimators.learning.report import Score, is_greater_better

__all__ = ["score_to_stop_by"]

TRIFLE = 1e-6  # of the loss: of weights that score alike, those of the lower loss are better


def score_to_stop_by(
    scores: Callable[[], Sequence[Score]], loss: Callable[[], float]
) -> Callable[[], float]:
    """Make what is to be as low as can be of scores.

    Parameters
    ----------
    scores : callable
        Scores the network as it is; the first one counts.
    loss : callable
        Its validation loss, which parts those that score alike.

    Returns
    -------
    callable
        Returns the score, or minus the score where more is better, plus a millionth of the loss.

    Examples
    --------
    >>> check = score_to_stop_by(lambda: [Score("model", "accuracy", 0.75)], lambda: 0.5)
    >>> round(check(), 7)
    -0.7499995
    """

    def check() -> float:
        first = next(iter(scores()), None)
        if first is None:
            raise OptionError(
                "stop_by='score', but nothing held back can be scored. Use stop_by='loss'."
            )
        sign = -1.0 if is_greater_better(first.measure) else 1.0
        return sign * first.value + TRIFLE * loss()

    return check
