"""Why a network answered as it did: which inputs, which steps, which stretch of the past."""

from recurra.explaining.question import Question, Read

__all__ = ["Question", "Read"]
