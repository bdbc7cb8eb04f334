"""The training loop and its options."""

from recurra.training.loop import Callback, Log, Moment, train
from recurra.training.options import Training

__all__ = ["Callback", "Log", "Moment", "Training", "train"]
