"""Answers for several targets at once, as the columns of one table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from recurra.errors import OptionError

__all__ = ["answers_of_several"]


def answers_of_several(
    model: Any, X: Any, ids: Sequence[object], probabilities: bool
) -> dict[str, Any]:
    """Write the answers of a model of several targets as columns.

    Parameters
    ----------
    model : MultiTask
        Fitted.
    X : object
        The records.
    ids : sequence
        What they are called.
    probabilities : bool
        Whether to say how probable labels are, too.

    Returns
    -------
    dict of str to array-like
        With a row for each record; or, where a target is one for each step, for each step, and the
        answers for a record stand in all of its rows.

    Raises
    ------
    OptionError
        If there is no table of such answers.
    """
    import numpy as np

    said = model.predict(X)
    chances = model.predict_proba(X) if probabilities else {}
    if probabilities and not chances:
        raise OptionError("--probabilities is for labels, but all targets are numbers. Leave it.")
    sizes = {tuple(map(len, each)) for each in said.values() if isinstance(each, list)}
    if len(sizes) > 1:
        message = "Steps of several streams have no place in one table"
        raise OptionError(f"{message}. Use recurra.load(...).predict(...) in Python.")
    lengths = sizes.pop() if sizes else None

    def rows(found: Any) -> Any:
        if isinstance(found, list):
            return np.concatenate(found)
        return found if lengths is None else np.repeat(found, lengths, axis=0)

    columns: dict[str, Any] = {"id": list(ids)}
    if lengths is not None:
        columns["id"] = [name for name, n in zip(ids, lengths, strict=True) for _ in range(n)]
        columns["step"] = [step for n in lengths for step in range(n)]
    for name, found in said.items():
        columns |= _named(f"prediction_{name}", rows(found))
        if name in chances:
            shares, labels = rows(chances[name]), model.answers_[name].classes
            if shares.ndim > 2:
                raise OptionError("Probabilities of several outputs have no place in one table.")
            columns |= {f"p({name}={label})": shares[:, k] for k, label in enumerate(labels)}
    return columns


def _named(name: str, found: Any) -> dict[str, Any]:
    """Name a column, or one for each of several outputs."""
    if found.ndim == 1:
        return {name: found}
    return {f"{name}_{k}": found[:, k] for k in range(found.shape[1])}
