"""Why a network answered as it did: which inputs, which steps, which stretch of the past."""

from recurra.explaining.alignment import Alignment
from recurra.explaining.checks import Checks, Deletion
from recurra.explaining.explanation import Explanation, Part
from recurra.explaining.explanations import Explanations
from recurra.explaining.importance import Importance
from recurra.explaining.methods import METHODS, explain
from recurra.explaining.neighbours import Neighbours
from recurra.explaining.question import Question, Read
from recurra.explaining.surrogate import Surrogate
from recurra.explaining.trajectories import Trajectories
from recurra.explaining.what_if import WhatIf

__all__ = [
    "METHODS",
    "Alignment",
    "Checks",
    "Deletion",
    "Explanation",
    "Explanations",
    "Importance",
    "Neighbours",
    "Part",
    "Question",
    "Read",
    "Surrogate",
    "Trajectories",
    "WhatIf",
    "explain",
]
