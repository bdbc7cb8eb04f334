"""The long short-term memory: a cell that gates keep, write and read."""

from recurra.kernels.lstm.reference import lstm, step

__all__ = ["lstm", "step"]
