"""Aliases for the arrays that travel between the rooms."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "Booleans", "Floats", "Integers", "Reals"]

Array = npt.NDArray[Any]
Booleans = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float32]
