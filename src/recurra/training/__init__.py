"""The training loop and its options."""

from recurra.training.loop import Log, train
from recurra.training.options import Training

__all__ = ["Log", "Training", "train"]
