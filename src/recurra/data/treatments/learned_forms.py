"""What each treatment learns looks like, so that a file can be checked before it is believed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from recurra.artifact import take
from recurra.errors import FileError
from recurra.types import Array

__all__ = ["FORMS", "check_learned"]

FLOAT, WHOLE, FLAG = "float64", "int64", "bool"

# Of an array: its type, and its shape, where "n" is a number for each channel, "*" any size.
# Of all else: a type of `recurra.artifact.take`. A "?" at the end of a name: it may be missing.
_SCALING: dict[str, Any] = {
    **dict.fromkeys(("centre", "power", "spread", "unit"), (FLOAT, "n")),
    "sort": (WHOLE, "n"),
    "knots": (FLOAT, "n*"),
    "scores": (FLOAT, "n*"),
}
_LABELS = {"labels": dict[str, list[str | int | float | bool | None]]}
_SPACING = {"spacing": (FLOAT, "*")}
_GAPPY = {"gappy": (FLAG, "n")}

FORMS: dict[str, Mapping[str, Any]] = {
    "Align": {},
    "Calendar": {},
    "Drop": {},
    "Duplicates": {},
    "Elapsed": _SPACING,
    "Encode": _LABELS,
    "Fill": {
        "level": (FLOAT, "n"),
        "never": (FLAG, "n"),
        "season?": (FLOAT, "**"),
        "centre?": (FLOAT, "n"),
        "spread?": (FLOAT, "n"),
        "kept?": (FLOAT, "**"),
    },
    "Gaps": _SPACING,
    "Grams": _LABELS,
    "Indicators": _GAPPY,
    "LogMel": {"rate": float},
    "Outliers": dict.fromkeys(("low", "high", "spread"), (FLOAT, "n")),
    "Resample": {},
    "Scale": _SCALING,
    "SinceObserved": {**_GAPPY, **_SPACING},
    "Sort": {},
    "Spell": {"streams": list[str]},
    "Subwords": {"pieces": str},
    "TargetScale": _SCALING,
    "Vocabulary": _LABELS,
}
_WHOLE = ("Spell",)  # learns of all streams at once: its keys name none


def check_learned(kind: str, learned: Mapping[str, Any], place: str) -> None:
    """Refuse what a treatment of this kind cannot have learned.

    Parameters
    ----------
    kind : str
        The name of its class.
    learned : dict of str
        By ``stream/what`` or ``target/what``: arrays, and what JSON held.
    place : str
        Where it stands, for messages.

    Raises
    ------
    FileError
        If something is missing, too many, or of another type or shape.

    Examples
    --------
    >>> check_learned("Indicators", {"x/channels": ["a"], "x/gappy": np.zeros(2, bool)}, "here")
    Traceback (most recent call last):
    recurra.errors.FileError: here.x/gappy has shape (2,), but there must be 1 in its first axis.
    """
    parts: dict[str, dict[str, Any]] = {}
    for key, value in learned.items():
        name, _, what = ("", "", key) if kind in _WHOLE else key.rpartition("/")
        parts.setdefault(name, {})[what] = value
    for name, own in parts.items():
        _check_part(FORMS[kind], own, f"{place}.{name}/" if name else f"{place}.")


def _check_part(form: Mapping[str, Any], own: dict[str, Any], place: str) -> None:
    """Check what was learned of one stream or target."""
    rest, count = dict(own), None
    if "channels" in rest:
        count = len(take(list[str], rest.pop("channels"), f"{place}channels"))
    elif "centre" in rest and isinstance(rest["centre"], np.ndarray):
        count = rest["centre"].size
    for name, wanted in form.items():
        if name.endswith("?") and name[:-1] not in rest:
            continue
        bare = name.removesuffix("?")
        if bare not in rest:
            raise FileError(f"{place}{bare} is missing.")
        value = rest.pop(bare)
        if isinstance(wanted, tuple):
            _check_array(value, wanted, count, f"{place}{bare}")
        else:
            take(wanted, value, f"{place}{bare}")
    if rest:
        raise FileError(f"{place}{min(rest)} is not known: such a treatment learns no such thing.")


def _check_array(value: Any, wanted: tuple[str, str], count: int | None, place: str) -> None:
    """Check the type and the shape of an array."""
    kind, axes = wanted
    if not isinstance(value, np.ndarray):
        raise FileError(f"{place} must be an array of {kind}, but it is in the header.")
    array: Array = value
    if str(array.dtype) != kind and (kind != FLOAT or array.dtype.kind not in "fiu"):
        raise FileError(f"{place} is an array of {array.dtype}, but it must be of {kind}.")
    if array.ndim != len(axes):
        raise FileError(f"{place} has shape {array.shape}, but it must have {len(axes)} axes.")
    if axes[:1] == "n" and count is not None and array.shape[0] != count:
        raise FileError(
            f"{place} has shape {array.shape}, but there must be {count} in its first axis."
        )
