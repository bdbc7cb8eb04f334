"""Data as people have it, read into a `SequenceDataset`."""

from recurra.data.reading.arrays import from_arrays

__all__ = ["from_arrays"]
