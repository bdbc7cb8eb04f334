"""Why a network answered as it did: which inputs, which steps, which stretch of the past."""

from recurra.explaining.alignment import Alignment
from recurra.explaining.checks import Checks, Deletion
from recurra.explaining.explanation import Explanation, Part
from recurra.explaining.methods import METHODS, explain
from recurra.explaining.question import Question, Read

__all__ = [
    "METHODS",
    "Alignment",
    "Checks",
    "Deletion",
    "Explanation",
    "Part",
    "Question",
    "Read",
    "explain",
]
