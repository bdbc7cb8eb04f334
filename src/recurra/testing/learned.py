"""What two fitted estimators learned, held against each other."""

from __future__ import annotations

from typing import Any

import torch

from recurra.testing.answers import apart

__all__ = ["are_same", "same_treatments", "same_weights", "weights_apart"]


def are_same(one: Any, other: Any) -> bool:
    """Say whether all weights are the same to the bit.

    Parameters
    ----------
    one, other : Learner
        Fitted.

    Returns
    -------
    bool
        True if they are.
    """
    ours, theirs = one.network_.state_dict(), other.network_.state_dict()
    if [*ours] != [*theirs]:
        return False
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


def weights_apart(one: Any, other: Any) -> float:
    """Say how far the farthest weights are apart.

    Parameters
    ----------
    one, other : Learner
        Fitted.

    Returns
    -------
    float
        The largest difference.
    """
    pairs = zip(one.network_.parameters(), other.network_.parameters(), strict=True)
    return max(float((a - b).detach().abs().max()) for a, b in pairs)


def same_weights(one: Any, other: Any, said: str) -> None:
    """Check that all weights are the same to the bit.

    Parameters
    ----------
    one, other : Learner
        Fitted.
    said : str
        What is wrong if they are not.
    """
    assert are_same(one, other), said


def same_treatments(one: Any, other: Any, said: str) -> None:
    """Check that treatments learned the same to the bit.

    Parameters
    ----------
    one, other : Learner
        Fitted.
    said : str
        What is wrong if they did not.
    """
    ours, theirs = one.preprocessor_, other.preprocessor_
    assert str(ours.header()) == str(theirs.header()), said
    assert apart(ours.arrays(), theirs.arrays()) == 0.0, said
