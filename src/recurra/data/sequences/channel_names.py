"""What a channel that nobody named is called: by its place."""

from __future__ import annotations

__all__ = ["channel_name", "channel_names"]


def channel_name(place: int) -> str:
    """Name a channel by its place.

    Parameters
    ----------
    place : int
        Counted from 0.

    Returns
    -------
    str
        The name.

    Examples
    --------
    >>> channel_name(2)
    'x2'
    """
    return f"x{place}"


def channel_names(count: int) -> tuple[str, ...]:
    """Name all channels by their places.

    Parameters
    ----------
    count : int
        How many there are.

    Returns
    -------
    tuple of str
        Their names, in order.

    Examples
    --------
    >>> channel_names(3)
    ('x0', 'x1', 'x2')
    """
    return tuple(channel_name(place) for place in range(count))
