"""Channels beside those that are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from recurra.data.sequences import Stream
from recurra.data.treatments.stream_treatment import as_floats
from recurra.errors import OptionError
from recurra.types import Array

__all__ = ["with_channels"]


def with_channels(stream: Stream, added: Mapping[str, Array]) -> Stream:
    """Add channels that are known at every step.

    Parameters
    ----------
    stream : Stream
        Of measurements.
    added : dict of str to ndarray, shape (steps,)
        The channels, by name.

    Returns
    -------
    Stream
        Those that were there, with their mask, then the new ones.

    Raises
    ------
    OptionError
        If the stream has a channel of that name.

    Examples
    --------
    >>> stream = Stream(np.array([[1.0], [2.0]]), np.array([0, 2]), ("x",))
    >>> with_channels(stream, {"twice": 2 * stream.values[:, 0]}).values.tolist()
    [[1.0, 2.0], [2.0, 4.0]]
    """
    if not added:
        return stream
    for name in added:
        if name in stream.channels:
            message = f"A channel {name!r} is to be added, but there is one of that name"
            raise OptionError(f"{message}. Was the treatment given twice?")
    values = as_floats(stream.values)
    known = np.ones((stream.rows, len(added)), bool)
    return replace(
        stream,
        values=np.column_stack([values, *(new.astype(values.dtype) for new in added.values())]),
        channels=(*stream.channels, *added),
        observed=None if stream.observed is None else np.hstack([stream.observed, known]),
    )
