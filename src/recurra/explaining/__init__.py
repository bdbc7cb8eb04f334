"""Why a network answered as it did: which inputs, which steps, which stretch of the past."""

from recurra.explaining.importance import Importance
from recurra.explaining.neighbours import Neighbours
from recurra.explaining.question import Question, Read
from recurra.explaining.surrogates import Surrogate
from recurra.explaining.trajectories import Trajectories
from recurra.explaining.what_if import WhatIf

__all__ = [
    "Importance",
    "Neighbours",
    "Question",
    "Read",
    "Surrogate",
    "Trajectories",
    "WhatIf",
]
