"""Several targets at once on the command line: what each is, and reading them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from recurra.errors import DataError, OptionError, near

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from recurra.data import SequenceDataset

__all__ = ["Aim", "aims_in", "aims_of", "answers_in", "described", "known_aims", "read_several"]

KINDS = ("classes", "numbers")


class Aim(NamedTuple):
    """What one target of several is.

    Parameters
    ----------
    level : {"record", "step"}
        Whether there is one for each record, or for each of its steps.
    kind : {"classes", "numbers"}
        What it holds.
    """

    level: Literal["record", "step"]
    kind: Literal["classes", "numbers"]


def aims_in(frame: pd.DataFrame, said: Sequence[str], who: str | None) -> dict[str, Aim]:
    """Look what columns of targets hold.

    Parameters
    ----------
    frame : DataFrame
        The table.
    said : sequence of str
        The columns; ``name=numbers`` and ``name=classes`` say what one holds.
    who : str or None
        The column that says which record a row belongs to; None where each row is one.

    Returns
    -------
    dict of str to Aim
        Floats are numbers, all else is classes, unless it was said. A target is one for each step
        where it changes within a record. Columns that are not there are classes of a record.

    Raises
    ------
    DataError
        If fractions are said to be classes, or a cell holds a list.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"stay": [1, 1, 2], "died": [0, 0, 1], "pain": [3, 4, 2]})
    >>> aims_in(frame, ["died", "pain=numbers"], "stay")["pain"]
    Aim(level='step', kind='numbers')
    """
    aims = {}
    for each in said:
        name, kind = _parted(each)
        if name not in frame:
            aims[name] = Aim("record", "classes")
            continue
        floats = frame[name].dtype.kind == "f"
        if kind == "classes" and floats and (frame[name].dropna() % 1 != 0).any():
            message = "Classes are text or whole numbers, but fractions are here"
            hint = f"Pass --target-column {name}, without =classes."
            raise DataError(message, code="no_label", column=name, hint=hint)
        changes = who is not None and _changes(frame, name, who)
        aims[name] = Aim(
            "step" if changes else "record", kind or ("numbers" if floats else "classes")
        )
    return aims


def _changes(frame: pd.DataFrame, name: str, who: str) -> bool:
    """Whether a column changes within a record."""
    import numpy as np

    from recurra.data.reading.cells import numbered

    owners, codes = numbered(frame[who], who)[0], numbered(frame[name], name)[0]
    return np.unique([owners, codes], axis=1).shape[1] > len(np.unique(owners))


def aims_of(model: Any) -> dict[str, Aim] | None:
    """Ask a model for its targets.

    Parameters
    ----------
    model : Learner
        Fitted.

    Returns
    -------
    dict of str to Aim, or None
        None if it learned no several targets.
    """
    if type(model).__name__ != "MultiTask":
        return None
    answers = model.network_.plan.answers
    return {k: Aim(a.level, "classes" if a.classes else "numbers") for k, a in answers.items()}


def known_aims(
    file: Path, frame: pd.DataFrame, said: Sequence[str], known: Mapping[str, Aim], wanted: bool
) -> dict[str, Aim]:
    """Take the columns of targets that are known already, such as those of a model.

    Parameters
    ----------
    file : Path
        Where the table comes from.
    frame : DataFrame
        The table.
    said : sequence of str
        The columns the user named.
    known : dict of str to Aim
        All targets.
    wanted : bool
        Whether all have to be there.

    Returns
    -------
    dict of str to Aim
        Those that are there.

    Raises
    ------
    OptionError
        If the user named one that is not known, or as something else.
    DataError
        If one is missing.
    """
    for each in said:
        name, kind = _parted(each)
        if name not in known:
            raise OptionError(f"No target {name!r} was learned. {near(name, known)}")
        if kind not in (None, known[name].kind):
            raise OptionError(f"Target {name!r} was learned as {known[name].kind}. Leave {kind!r}.")
    for name in known:
        if wanted and name not in frame:
            hint = f"{near(name, frame.columns)} Add it; its cells are empty where it is not known."
            message = f"{file} has no column {name!r}, which is a target that was learned"
            raise DataError(message, code="missing_column", hint=hint)
    return {name: aim for name, aim in known.items() if name in frame}


def described(aims: Mapping[str, Aim]) -> str:
    """Say what is learned.

    Parameters
    ----------
    aims : dict of str to Aim
        The targets.

    Returns
    -------
    str
        A sentence.

    Examples
    --------
    >>> described({"died": Aim("record", "classes"), "pain": Aim("step", "numbers")})
    "to be learnt: 'died' (classes, for each record), 'pain' (numbers, for each step)."
    """
    said = [f"{name!r} ({aim.kind}, for each {aim.level})" for name, aim in aims.items()]
    return f"to be learnt: {', '.join(said)}."


def read_several(frame: pd.DataFrame, aims: Mapping[str, Aim], **how: Any) -> SequenceDataset:
    """Read a long table with targets of records beside targets of steps.

    Parameters
    ----------
    frame : DataFrame
        A row for every record and step.
    aims : dict of str to Aim
        The targets.
    **how
        The columns ``id``, ``time``, ``group`` and ``static`` of `recurra.data.from_long`.

    Returns
    -------
    SequenceDataset
        With all targets, in their order.
    """
    from recurra.data import read

    taken = {how["id"], how["time"], how["group"], *how["static"], *aims}
    channels = [name for name in frame.columns if name not in taken]
    how = {"layout": "long", "channels": channels, **how}
    parts = []
    for level in sorted({aim.level for aim in aims.values()}) or ["record"]:
        own = {name: aim.kind for name, aim in aims.items() if aim.level == level}
        parts.append(read(frame, target=own, target_for=level, **how))
    found = {name: target for part in parts for name, target in part.targets.items()}
    return replace(parts[0], targets={name: found[name] for name in aims})


def answers_in(column: pd.Series, kind: Literal["classes", "numbers"]) -> list[Any]:
    """Read a column of targets, one for each row.

    Parameters
    ----------
    column : pandas.Series
        The column.
    kind : {"classes", "numbers"}
        What it holds.

    Returns
    -------
    list
        Labels, or floats; None or NaN where it is not known.

    Raises
    ------
    DataError
        If it holds something else.

    Examples
    --------
    >>> import pandas as pd
    >>> answers_in(pd.Series([1.0, None], name="stars"), "classes")
    [1, None]
    """
    import pandas as pd

    from recurra.data.reading.cells import read_answers
    from recurra.data.tables.places import Places

    places = Places(pd.Series(range(len(column))))
    target = read_answers(column, str(column.name), places, kind)
    values = target.values[:, 0].tolist()
    if not target.classes:
        return values
    return [None if code < 0 else target.classes[code] for code in values]


def _parted(said: str) -> tuple[str, Literal["classes", "numbers"] | None]:
    """Part the name of a column from what it holds, if that was said."""
    name, equals, kind = said.rpartition("=")
    return (name, kind) if equals and kind in KINDS else (said, None)  # type: ignore[return-value]
