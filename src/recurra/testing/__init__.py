"""The laws as functions: check a layer, a kernel or an estimator of your own against them.

Needs hypothesis, ``pip install 'recurra[dev]'``; nothing in Recurra itself imports this room.
"""

from recurra.testing.estimator_case import EstimatorCase
from recurra.testing.estimators import ESTIMATOR_LAWS, check_estimator
from recurra.testing.kernels import BACKENDS, check_gradients, check_kernel, draw_weights
from recurra.testing.layers import LAWS, check_layer
from recurra.testing.sequences import CHANNELS, datasets
from recurra.testing.strategies import RaggedBatch, lengths, ragged_batches

__all__ = [
    "BACKENDS",
    "CHANNELS",
    "ESTIMATOR_LAWS",
    "LAWS",
    "EstimatorCase",
    "RaggedBatch",
    "check_estimator",
    "check_gradients",
    "check_kernel",
    "check_layer",
    "datasets",
    "draw_weights",
    "lengths",
    "ragged_batches",
]
