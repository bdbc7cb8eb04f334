"""Occlusion: how the answer falls where a part of the record is taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recurra.explaining.regions import Region, answers_without, regions

if TYPE_CHECKING:
    from recurra.explaining.question import Question, Read
    from recurra.types import Floats

__all__ = ["occlusion"]


def occlusion(question: Question, by: str, window: int | None, answer: float) -> dict[str, Floats]:
    r"""Score each part of a record by what the answer loses without it.

    .. math:: s_R = f(x) - f(x \text{ with } x_R \text{ at the baseline})

    (Zeiler & Fergus 2014, arXiv:1311.2901). What two parts say alike is lost only when both are
    taken away: then both score low.

    Parameters
    ----------
    question : Question
        What is asked.
    by : {"step", "channel", "window", "step and channel"}
        What is taken away at a time.
    window : int, optional
        Steps of a window.
    answer : float
        For the record as it is.

    Returns
    -------
    dict of str to ndarray
        By stream: shape (steps, 1), (1, channels), (windows, 1) or (steps, channels).
    """
    found: dict[str, Floats] = {}
    left: list[Region] = []
    for region in regions(question.reads, by, window):
        if by == "step" and region.start == 0:
            fast = question.occluded_steps(region.stream)
            if fast is not None:
                found[region.stream] = answer - fast.detach().double().numpy()[:, None]
        if region.stream not in found:
            left.append(region)
    lost = answer - answers_without(question, [[region] for region in left])
    owners = np.array([region.stream for region in left], object)
    for name, read in question.reads.items():
        if name not in found:
            found[name] = lost[owners == name].reshape(_shape(read, by))
    return {name: found[name] for name in question.reads}


def _shape(read: Read, by: str) -> tuple[int, int]:
    """Say which shape the scores of a stream have; -1 is as many as there are."""
    channels = len(read.channels) if "channel" in by else 1
    return (-1, channels) if len(read.values) else (0, channels)
