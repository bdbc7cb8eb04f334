"""A model that was tried, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from recurra.tuning.auto_members import BaselineMember, NetworkMember

if TYPE_CHECKING:
    from recurra.types import Floats

__all__ = ["Member", "Trial"]

Member = BaselineMember | NetworkMember


@dataclass(frozen=True, eq=False)
class Trial:
    """A model, and how well it forecast the validation windows.

    Parameters
    ----------
    member : BaselineMember or NetworkMember
        The model.
    cost : float
        By the measure of the search; infinite where it failed.
    scores : dict of str to float
        By all measures.
    seconds : float
        Training and forecasting.
    state : {"whole", "cut short", "failed"}
        Whether it was trained for as long as it was meant to be.
    error : str
        Why it failed.
    forecasts : ndarray, shape (origins, series, h)
        What it said.
    """

    member: Member
    cost: float
    scores: dict[str, float]
    seconds: float
    state: str
    error: str = ""
    forecasts: Floats = field(default_factory=lambda: np.empty(0))
