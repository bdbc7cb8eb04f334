"""Records from a table whose columns have roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recurra.cli.messages import note
from recurra.cli.record_options import ID, TARGET, TIME, RecordColumns
from recurra.cli.several import Aim, aims_in, answers_in, known_aims, read_several
from recurra.errors import DataError, OptionError, near

if TYPE_CHECKING:
    import pandas as pd

    from recurra.cli.tasks import Task
    from recurra.data import SequenceDataset

__all__ = ["Given", "Table"]


@dataclass(frozen=True)
class Given:
    """Records that were read.

    Parameters
    ----------
    X : object
        The records, as estimators take them.
    y : list, optional
        What is to be learnt; None where the records bring it, or are learned themselves.
    ids : tuple
        What the records are called.
    groups : list, optional
        Which belong together.
    aims : dict of str to Aim, optional
        What each of several targets of a table is.
    """

    X: Any
    y: Any
    ids: tuple[object, ...]
    groups: Any = None
    aims: Mapping[str, Aim] | None = None

    @property
    def answered(self) -> bool:
        """Whether it is known what is to be learnt."""
        return self.y is not None or bool(getattr(self.X, "targets", None))


@dataclass(frozen=True)
class Table:
    """A table whose columns have roles.

    Parameters
    ----------
    file : Path
        Where it comes from.
    frame : DataFrame
        Its rows.
    columns : RecordColumns
        What the user said of its columns.
    task : Task
        What it is read for.
    targets : tuple of str
        The columns that are to be learnt.
    aims : dict of str to Aim, optional
        What each of several targets is.
    """

    file: Path
    frame: pd.DataFrame
    columns: RecordColumns
    task: Task
    targets: tuple[str, ...] = ()
    aims: Mapping[str, Aim] | None = None

    @classmethod
    def read(
        cls,
        file: Path,
        columns: RecordColumns,
        task: Task,
        wanted: bool,
        known: Mapping[str, Aim] | None,
    ) -> Table:
        """Read a file, and look for its columns.

        Parameters
        ----------
        file, columns, task, wanted, known
            As for `recurra.cli.records.read_records`.

        Returns
        -------
        Table
            With all columns that have to be there.
        """
        from recurra.data.tables.files import read_table
        from recurra.data.tables.text import Expected

        said = columns.target_column or [TARGET]
        texts = [columns.id_column or ID, columns.text_column, columns.file_column]
        texts += said if task.target == "labels" else []
        frame = read_table(file, Expected(text=tuple(each for each in texts if each is not None)))
        table = cls(file, frame, columns, task)
        if task.target == "several":
            table = table._aimed(wanted, known)
        elif task.target is not None and (wanted or said[0] in frame):
            table = replace(table, targets=(said[0],))
        table._require()
        return table

    def _aimed(self, wanted: bool, known: Mapping[str, Aim] | None) -> Table:
        """Look what each of several targets is, or take what is known of them."""
        said = self.columns.target_column
        if known is not None:
            aims = known_aims(self.file, self.frame, said or (), known, wanted)
        else:
            who = self.who if self.has_steps and self.who in self.frame else None
            aims = aims_in(self.frame, said or [TARGET], who)
        return replace(self, targets=tuple(aims), aims=aims)

    @property
    def who(self) -> str:
        """The column that says which record a row belongs to."""
        return self.columns.id_column or ID

    @property
    def when(self) -> str | None:
        """The column that says when a step was."""
        return None if self.columns.no_time else self.columns.time_column or TIME

    @property
    def has_steps(self) -> bool:
        """Whether a row is a step of what was measured."""
        columns = self.columns
        return columns.layout == "long" and not (columns.file_column or columns.text_column)

    def given(self) -> Given:
        """Read the records.

        Returns
        -------
        Given
            With what is to be learnt, where it is there.
        """
        columns, frame = self.columns, self.frame
        if columns.file_column is not None:
            paths = [self.file.parent / each for each in frame[columns.file_column]]
            return self._beside(paths, frame[columns.file_column].tolist())
        if columns.text_column is not None and self.task.target == "step":
            return self._words(columns.text_column)
        if columns.text_column is not None:
            ids = frame[self.who] if self.who in frame else range(len(frame))
            return self._beside(_texts(frame[columns.text_column]), list(ids))
        dataset = self._measured()
        return Given(dataset, None, dataset.ids, None, self.aims)

    def _beside(self, X: list[Any], ids: list[object]) -> Given:
        """Add what stands in the same row as each record."""
        y: Any = None
        if self.aims:
            y = {name: answers_in(self.frame[name], aim.kind) for name, aim in self.aims.items()}
        elif self.targets:
            said = self.frame[self.targets[0]]
            y = _texts(said) if self.task.target == "labels" else said.tolist()
        group = self.columns.group_column
        groups = None if group is None else self.frame[group].tolist()
        return Given(X, y, tuple(ids), groups, self.aims)

    def _words(self, column: str) -> Given:
        """Put the words of each record together, and their labels."""
        parts = list(self.frame.groupby(self.who, sort=False))
        y = [part[self.targets[0]].tolist() for _, part in parts] if self.targets else None
        ids = tuple(name for name, _ in parts)
        group = self.columns.group_column
        groups = None if group is None else [part[group].iloc[0] for _, part in parts]
        return Given([part[column].tolist() for _, part in parts], y, ids, groups)

    def _measured(self) -> SequenceDataset:
        """Read measurements."""
        from recurra.data import read

        columns = self.columns
        how: dict[str, Any] = {"static": columns.static or (), "group": columns.group_column}
        kinds = {name: aim.kind for name, aim in (self.aims or {}).items()}
        target = kinds or self.targets
        if columns.layout == "wide":
            how["id"] = self.who if self.who in self.frame else None
            return read(self.frame, layout="wide", records="rows", target=target, **how)
        how |= {"id": self.who, "time": self.when}
        if self.aims:
            return read_several(self.frame, self.aims, **how)
        level = "step" if self.task.target == "step" else "record"
        return read(self.frame, layout="long", target=target, target_for=level, **how)

    def _require(self) -> None:
        """Refuse a table that lacks columns, and say what to pass."""
        have = [str(name) for name in self.frame.columns]
        wanted = self._wanted()
        missing = [name for name in wanted if name not in have]
        if missing:
            raise DataError(
                f"{self.file} has no column {' and '.join(map(repr, missing))}",
                code="missing_column",
                hint=f"{near(missing[0], have)} Pass {_flags(wanted[name] for name in missing)}.",
            )

    def _wanted(self) -> dict[str, str]:
        """List the columns that have to be there, and the options that name others."""
        columns = self.columns
        roles = [
            *((each, "--target-column") for each in self.targets),
            (columns.text_column, "--text-column"),
            (columns.file_column, "--file-column"),
            (columns.group_column, "--group-column"),
            (columns.id_column, "--id-column"),
            *((each, "--static-column") for each in columns.static or ()),
        ]
        if self.task.name == "language" and not (columns.file_column or columns.text_column):
            message = f"Of {self.file} it is not said which column holds texts"
            raise OptionError(f"{message}. Pass --text-column NAME.")
        if self.has_steps:
            roles.append((self.when, "--time-column"))
        steps = self.has_steps or (columns.layout == "long" and self.task.target == "step")
        if steps and self.task.target is not None:  # else it may be one record
            roles.append((self.who, "--id-column"))
        return {name: flag for name, flag in roles if name is not None}

    def as_one(self, quiet: bool) -> Table:
        """Take a table without identifiers for one record, where that can be.

        Parameters
        ----------
        quiet : bool
            Whether to say nothing of it.

        Returns
        -------
        Table
            With identifiers.
        """
        if self.who in self.frame or not self.has_steps:
            return self
        if not quiet:
            note(f"{self.file} has no column {self.who!r}: it is read as one record.")
        frame = self.frame.copy(deep=False)
        frame.insert(0, self.who, self.file.name.split(".")[0] or self.file.name)
        return replace(self, frame=frame)


def _texts(column: pd.Series) -> list[Any]:
    """List texts; an empty cell is an empty one."""
    return column.astype(object).where(column.notna(), "").tolist()


def _flags(flags: Any) -> str:
    """Say what to pass."""
    said = " and ".join(f"{flag} NAME" for flag in dict.fromkeys(flags))
    if "--time-column" in said:
        said += ", or --no-time if the rows are steps as they stand"
    return said
