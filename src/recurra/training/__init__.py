"""The training loop, its options, and how it is kept and gone on with."""

from recurra.training.callbacks import MLflow, TensorBoard
from recurra.training.checkpoints import Checkpoints
from recurra.training.course import Log
from recurra.training.learning_rates import RateCurve, find_learning_rate
from recurra.training.loop import Callback, Moment, train
from recurra.training.options import Training

__all__ = [
    "Callback",
    "Checkpoints",
    "Log",
    "MLflow",
    "Moment",
    "RateCurve",
    "TensorBoard",
    "Training",
    "find_learning_rate",
    "train",
]
