"""The gated recurrent unit: one state, a gate that resets and a gate that updates."""

from recurra.kernels.gru.reference import gru, step

__all__ = ["gru", "step"]
