"""Why a network answered as it did: which inputs, which steps, which stretch of the past."""

from recurra.explaining.checks import Checks, Deletion
from recurra.explaining.explain import explain
from recurra.explaining.explanation import Explanation, Part
from recurra.explaining.question import Question, Read

__all__ = ["Checks", "Deletion", "Explanation", "Part", "Question", "Read", "explain"]
