"""Elman's cell: the hidden layer is fed back."""

from recurra.kernels.elman.reference import elman, step

__all__ = ["elman", "step"]
