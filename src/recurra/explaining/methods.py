"""Explain one answer: which inputs, which steps, which stretch of the past."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from recurra.errors import OptionError, near
from recurra.explaining.checks import Checks, deletion, off, rank_correlation
from recurra.explaining.explanation import Explanation
from recurra.explaining.gradients import (
    gradient,
    gradient_times_input,
    integrated_gradients,
    miss,
)
from recurra.explaining.occlusion import occlusion
from recurra.explaining.regions import check_regions

if TYPE_CHECKING:
    from recurra.explaining.question import Question
    from recurra.types import Floats

__all__ = ["METHODS", "explain"]

METHODS = (
    "auto",
    "integrated gradients",
    "gradient x input",
    "gradient",
    "occlusion",
    "attention",
)
BY_SLOPE = ("integrated gradients", "gradient x input", "gradient")


def explain(
    question: Question,
    method: str = "auto",
    by: str = "step",
    window: int | None = None,
    checks: bool = True,
    seed: int = 0,
) -> Explanation:
    """Explain an answer.

    Parameters
    ----------
    question : Question
        What is asked of a network, about one record.
    method : {"auto", "integrated gradients", "gradient x input", "gradient", "occlusion", \
            "attention"}
        How. ``"auto"`` takes integrated gradients, or occlusion where gradients do not tell.
    by : {"step", "channel", "window", "step and channel"}
        What is ranked; by occlusion also what is taken away at a time.
    window : int, optional
        Steps of a window, for ``by="window"``.
    checks : bool
        Whether to check if the explanation can be believed, which takes some hundred answers, and
        another explanation.
    seed : int
        Source of chance, in the checks.

    Returns
    -------
    Explanation
        The scores of all parts.

    Raises
    ------
    OptionError
        If there is no such method or part, or it does not suit the network.
    """
    method = _suited(question, method, by)
    check_regions(by, window, question.reads)
    answer, baseline = _ends(question)
    scores = _scores(question, method, by, window, (answer, baseline))
    found = Explanation(
        question.asked, answer, baseline, method, by, window, scores, question.reads
    )
    if method == "attention":
        found = replace(found, alignment=question.alignment())
    if not checks:
        return found
    other = question.randomised(seed)
    untrained = replace(
        found, scores=_scores(other, method, by, window, _ends(other)), reads=other.reads
    )
    adds_up, taken = method == "integrated gradients", method == "occlusion"
    parts, sizes = found.scored()
    return replace(
        found,
        checks=Checks(
            miss(scores, answer - baseline) if adds_up else None,
            deletion(question, found.ranked(), answer, baseline, seed),
            rank_correlation(sizes, untrained.scored()[1]),
            off(question, parts, sizes, answer, seed) if taken else None,
        ),
    )


def _suited(question: Question, method: str, by: str) -> str:
    """Choose a method, or refuse one that does not suit."""
    if method not in METHODS:
        raise OptionError(f"There is no method {method!r}. {near(str(method), METHODS)}")
    if method == "auto":
        return "integrated gradients" if question.smooth else "occlusion"
    if not question.smooth and method in BY_SLOPE:
        raise OptionError(
            f"The network reads which values are there, which has no gradient: method={method!r} "
            "would miss that. Use method='occlusion'."
        )
    if method == "attention" and by not in ("step", "window"):
        raise OptionError(f"Attention goes to steps, not by {by!r}. Use by='step'.")
    return method


@torch.no_grad()
def _ends(question: Question) -> tuple[float, float]:
    """Answer for the record, and for its baseline."""
    both = {
        name: torch.stack([read.values, read.baseline]) for name, read in question.reads.items()
    }
    answer, baseline = question.answer(both).double().tolist()
    return answer, baseline


def _scores(
    question: Question, method: str, by: str, window: int | None, ends: tuple[float, float]
) -> dict[str, Floats]:
    match method:
        case "integrated gradients":
            return integrated_gradients(question, *ends)
        case "gradient x input":
            return gradient_times_input(question)
        case "gradient":
            return gradient(question)
        case "occlusion":
            return occlusion(question, by, window, ends[0])
    attended = question.attention()
    if attended is None:
        raise OptionError(
            "This network does not attend to its steps. Use method='occlusion'; networks that "
            "answer for whole records attend where they are trained with pooling='attention'."
        )
    return {name: each.detach().double().numpy()[:, None] for name, each in attended.items()}
