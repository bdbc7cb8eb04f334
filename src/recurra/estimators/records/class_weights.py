"""How much the records of each label count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from recurra.data import SequenceDataset
from recurra.errors import OptionError, near

if TYPE_CHECKING:
    from recurra.types import Array, Floats

__all__ = ["ClassWeight", "check_class_weight", "label_weights", "weigh"]

ClassWeight = Mapping[object, float] | Literal["balanced"] | None


def check_class_weight(weight: ClassWeight) -> None:
    """Refuse weights that are none.

    Parameters
    ----------
    weight : dict, "balanced" or None
        As the user gave it.
    """
    if weight is None or (isinstance(weight, str) and weight == "balanced"):
        return
    if not isinstance(weight, Mapping):
        raise OptionError(f"class_weight={weight!r}, but it is a dict, 'balanced' or None.")
    for label, each in weight.items():
        if not isinstance(each, int | float) or not 0 <= each < np.inf:
            raise OptionError(f"class_weight of {label!r} is {each!r}, but it is 0 or more.")


def label_weights(dataset: SequenceDataset, weight: ClassWeight, classes: Array) -> Floats | None:
    """Find how much each label counts.

    Parameters
    ----------
    dataset : SequenceDataset
        The training part, with one label for each record.
    weight : dict, "balanced" or None
        As the user gave it.
    classes : ndarray
        The labels.

    Returns
    -------
    ndarray of float64, shape (classes,), or None
        So that the records of the training part count 1 each on average.
    """
    if weight is None:
        return None
    codes = dataset.target.values
    if codes.shape[1] > 1:
        raise OptionError(
            f"class_weight={weight!r} goes with one label for each record, but y has "
            f"{codes.shape[1]} columns. Use sample_weight."
        )
    counts = np.bincount(codes[codes >= 0], minlength=len(classes))
    if isinstance(weight, str):
        shares = 1.0 / np.maximum(counts, 1)
    else:
        known = classes.tolist()
        for label in weight:
            if label not in known:
                raise OptionError(
                    f"class_weight names {label!r}, which is no label. {near(str(label), known)}"
                )
        shares = np.array([weight.get(label, 1.0) for label in known])
    whole = (shares * counts).sum()
    if not whole:
        raise OptionError(f"class_weight={weight!r} leaves no record that counts.")
    found: Floats = shares * counts.sum() / whole
    return found


def weigh(dataset: SequenceDataset, shares: Floats | None) -> SequenceDataset:
    """Let each record count as its label does.

    Parameters
    ----------
    dataset : SequenceDataset
        With one label for each record.
    shares : ndarray, shape (classes,), optional
        What `label_weights` returned.

    Returns
    -------
    SequenceDataset
        With weights, times those that were there.
    """
    if shares is None:
        return dataset
    codes = dataset.target.values[:, 0]
    own = np.where(codes >= 0, shares[codes], 1.0)
    return replace(dataset, weights=own if dataset.weights is None else own * dataset.weights)
