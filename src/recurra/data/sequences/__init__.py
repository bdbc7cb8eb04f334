"""The ragged container: records of unequal length, with streams on clocks of their own."""

from recurra.data.sequences.dataset import STATIC, Record, SequenceDataset
from recurra.data.sequences.stream import Steps, Stream
from recurra.data.sequences.target import Target

__all__ = ["STATIC", "Record", "SequenceDataset", "Steps", "Stream", "Target"]
