"""Jordan's cell: the output is fed back."""

from recurra.kernels.jordan.reference import jordan, step

__all__ = ["jordan", "step"]
