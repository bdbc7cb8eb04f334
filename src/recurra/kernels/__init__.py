"""Recurrences as pure functions of tensors: the definition of each cell, and what runs it fast.

One folder holds one cell; ``reference.py`` in it is the definition, in plain PyTorch. `run` takes
a whole stack of layers and gives it to the best backend, `choose` says which one and why,
`describe` what there is on this machine, and ``with backend("reference"):`` forces one. All tensors
are time-major: ``(time, batch, …)``.
"""

from recurra.kernels.description import describe
from recurra.kernels.dispatch import Choice, backend, choose, run
from recurra.kernels.recurrence import Kernel, Masks, State, Weights
from recurra.kernels.stack import Stack

__all__ = [
    "Choice",
    "Kernel",
    "Masks",
    "Stack",
    "State",
    "Weights",
    "backend",
    "choose",
    "describe",
    "run",
]
