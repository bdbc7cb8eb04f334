"""Explaining an answer: the same for every task that can say what is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from recurra.errors import OptionError
from recurra.estimators.learning.asked import Asked

if TYPE_CHECKING:
    from torch import nn

    from recurra.explaining import Explanation, Question

__all__ = ["Explained", "untrained"]


M = TypeVar("M", bound="nn.Module")


class Explained(Asked):
    """An estimator whose answers can be explained."""

    def explain(
        self,
        X: Any,
        target: Any = None,
        *,
        method: str = "auto",
        by: str = "step",
        window: int | None = None,
        checks: bool = True,
        **asked: Any,
    ) -> Explanation:
        """Say which inputs, which steps, which stretch of the past mattered for an answer.

        Parameters
        ----------
        X : as for `predict`
            Exactly one record: ``X[:1]``.
        target : object, optional
            What the answer is: one of several labels or outputs. By default the label that is
            predicted, or the only output.
        method : str
            ``"integrated gradients"`` (Sundararajan et al. 2017, arXiv:1703.01365),
            ``"gradient x input"``, ``"occlusion"``, or ``"attention"`` where the network pools by
            attention. ``"auto"`` takes integrated gradients, or occlusion where gradients do not
            tell all, as with ``layer="grud"``, which reads which values are there.
        by : {"step", "channel", "window", "step and channel"}
            What is ranked; by occlusion also what is taken away at a time.
        window : int, optional
            Steps of a window, for ``by="window"``.
        checks : bool
            Whether to check if the explanation can be believed: completeness, a deletion curve, and
            a comparison with a network of random weights.
        **asked
            What else the task wants to know, such as ``step=`` (which step's answer), ``answer=``
            (which of several targets), ``baseline=`` (a record of the same length, of which the
            scores tell the difference); and further arguments of `predict`.

        Returns
        -------
        Explanation
            To be printed, or drawn with ``plot()``.

        Raises
        ------
        DataError, OptionError
            If there is not exactly one record, or no such target, step or method; the message says
            what to do.

        Examples
        --------
        >>> from recurra import Classifier, Training
        >>> X, y = ["a good film", "a bad film"] * 12, ["+", "-"] * 12
        >>> model = Classifier(hidden_size=8, training=Training(steps=100)).fit(X, y)
        >>> why = model.explain(["a good film"])
        >>> why.asked, why.top(1)[0].step
        ("log odds of '+'", 'good')
        """
        from recurra.explaining import explain

        self._check_fitted()
        question = self._question(X, target, **asked)
        return explain(question, method, by, window, checks, self.seed)

    def _question(self, X: Any, target: Any, **asked: Any) -> Question:  # noqa: ARG002
        """Ask the network for one number, of one record; see `recurra.explaining.Question`."""
        raise OptionError(f"{type(self).__name__} does not explain its answers.")


def untrained(make: Callable[[], M], seed: int) -> M:
    """Make a network that has learned nothing, without touching the source of chance.

    Parameters
    ----------
    make : callable
        Makes a network with random weights.
    seed : int
        Source of the weights.

    Returns
    -------
    Module
        In evaluation mode.
    """
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make().eval()
