"""What steps are called in tables and pictures."""

from __future__ import annotations

import numpy as np

__all__ = ["said"]


def said(step: object) -> str:
    """Write what a step is called.

    Parameters
    ----------
    step : object
        A number, a time or a token.

    Returns
    -------
    str
        A number with few digits, a moment as far as it goes, a token as it is.

    Examples
    --------
    >>> said(0.1 + 0.2), said(np.datetime64("2024-05-01T00:00:00.0", "ns")), said("word")
    ('0.3', '2024-05-01', 'word')
    """
    if isinstance(step, np.datetime64):
        text = str(step.astype("M8[s]") if step.astype("M8[s]") == step else step)
        return text.replace("T", " ").removesuffix(" 00:00:00")
    if isinstance(step, float | np.floating):
        return f"{step:.10g}"
    return repr(step) if isinstance(step, str) and step != step.strip() else str(step)
