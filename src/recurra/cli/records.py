"""From the file the user names to records, and what is to be learnt of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recurra.cli.messages import note
from recurra.cli.record_options import ID, TARGET, TIME, RecordColumns
from recurra.errors import DataError, FileError, OptionError, near

if TYPE_CHECKING:
    import pandas as pd

    from recurra.cli.tasks import Task
    from recurra.data import SequenceDataset

__all__ = ["Given", "read_records"]

TABLES = (".csv", ".tsv", ".parquet")


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
    """

    X: Any
    y: Any
    ids: tuple[object, ...]
    groups: Any = None

    @property
    def answered(self) -> bool:
        """Whether it is known what is to be learnt."""
        return self.y is not None or bool(getattr(self.X, "targets", None))


def read_records(
    file: Path, columns: RecordColumns, task: Task, *, wanted: bool, quiet: bool
) -> Given:
    """Read a file.

    Parameters
    ----------
    file : Path
        The file, or a folder.
    columns : RecordColumns
        What the user said of it.
    task : Task
        What it is read for.
    wanted : bool
        Whether the target has to be there; else it is read where it is.
    quiet : bool
        Whether to say nothing of a file that is read as one record.

    Returns
    -------
    Given
        The records.

    Raises
    ------
    FileError, DataError, OptionError
        If it cannot be read so; the message says which option helps.
    """
    if not file.exists():
        raise FileError(f"{file} does not exist. Look at its name.")
    name = file.name.lower().removesuffix(".gz")
    if file.is_dir() or not name.endswith(TABLES):
        given = _other(file, name, columns, task)
    elif columns.layout == "ucr":
        from recurra.data import read

        given = _of_dataset(read(file, layout="ucr"))
    else:
        given = _Table.read(file, columns, task, wanted, quiet).given()
    if wanted and task.target is not None and not given.answered:
        message = f"{file} does not say what is to be learnt"
        raise DataError(message, code="no_target", hint=_advice(file, task))
    return given if task.target is not None else _alone(given)


def _other(file: Path, name: str, columns: RecordColumns, task: Task) -> Given:
    """Read what is no table."""
    from recurra.data import from_text, read

    if task.name == "language":
        texts = sorted(file.rglob("*.txt")) if file.is_dir() else [file]
        if not texts or (not name.endswith((".txt", ".text")) and not file.is_dir()):
            raise FileError(f"{file} is no text. Give a .txt, a folder of them, or --text-column.")
        return Given(texts, None, tuple(map(str, texts)))
    if name.endswith((".txt", ".text")):
        if columns.separator is not None:
            return _of_dataset(from_text(file, separator=columns.separator))
        lines = file.read_text("utf-8").splitlines()
        return Given(lines, None, tuple(range(len(lines))))
    if file.is_dir() and task.target == "labels":
        return _sounds_with_texts(file)
    if file.is_dir():
        labels = columns.labels_from or ("folder" if _has_folders(file) else None)
        return _of_dataset(read(file, labels_from=labels))
    dataset = read(file)
    if columns.target_column is not None:
        if columns.target_column not in dataset.targets:
            hint = f"{near(columns.target_column, dataset.targets)} Pass --target-column NAME."
            message = f"{file} has no target {columns.target_column!r}"
            raise DataError(message, code="missing_column", hint=hint)
        from dataclasses import replace

        chosen = {columns.target_column: dataset.targets[columns.target_column]}
        dataset = replace(dataset, targets=chosen)
    return _of_dataset(dataset)


def _has_folders(folder: Path) -> bool:
    return any(each.is_dir() for each in folder.iterdir())


def _sounds_with_texts(folder: Path) -> Given:
    """Read recordings, and what is said in each from a text of the same name beside it."""
    from recurra.data.reading.audio import AUDIO_ENDINGS

    sounds = sorted(each for each in folder.rglob("*") if each.suffix.lower() in AUDIO_ENDINGS)
    if not sounds:
        raise FileError(f"{folder} holds no sounds. Read are {', '.join(AUDIO_ENDINGS)}.")
    texts = [each.with_suffix(".txt") for each in sounds]
    there = [each.exists() for each in texts]
    names = tuple(str(each.relative_to(folder)) for each in sounds)
    if not any(there):
        return Given(sounds, None, names)
    if not all(there):
        lacking = texts[there.index(False)]
        raise FileError(f"There is no {lacking}. Write there what is said in the sound beside it.")
    return Given(sounds, [each.read_text("utf-8").strip() for each in texts], names)


@dataclass(frozen=True)
class _Table:
    """A table whose columns have roles."""

    file: Path
    frame: pd.DataFrame
    columns: RecordColumns
    task: Task
    target: str | None

    @classmethod
    def read(
        cls, file: Path, columns: RecordColumns, task: Task, wanted: bool, quiet: bool
    ) -> _Table:
        """Read the file, and look for its columns."""
        from recurra.data.tables.files import read_table
        from recurra.data.tables.text import Expected

        labels = columns.target_column or TARGET
        texts = [columns.id_column or ID, columns.text_column, columns.file_column]
        texts += [labels] if task.target == "labels" else []
        frame = read_table(file, Expected(text=tuple(each for each in texts if each is not None)))
        target = None
        if task.target is not None and (wanted or labels in frame):
            target = labels
        table = cls(file, frame, columns, task, target)
        table._require()
        return table._as_one(quiet)

    @property
    def who(self) -> str:
        return self.columns.id_column or ID

    @property
    def when(self) -> str | None:
        return None if self.columns.no_time else self.columns.time_column or TIME

    def given(self) -> Given:
        """Read the records."""
        columns, frame = self.columns, self.frame
        if columns.file_column is not None:
            paths = [self.file.parent / each for each in frame[columns.file_column]]
            return self._beside(paths, frame[columns.file_column].tolist())
        if columns.text_column is not None and self.task.target == "step":
            return self._words(columns.text_column)
        if columns.text_column is not None:
            ids = frame[self.who] if self.who in frame else range(len(frame))
            return self._beside(_texts(frame[columns.text_column]), list(ids))
        return _of_dataset(self._measured())

    def _beside(self, X: list[Any], ids: list[object]) -> Given:
        """Add what stands in the same row as each record."""
        y = None
        if self.target is not None:
            said = self.frame[self.target]
            y = _texts(said) if self.task.target == "labels" else said.tolist()
        group = self.columns.group_column
        return Given(X, y, tuple(ids), None if group is None else self.frame[group].tolist())

    def _words(self, column: str) -> Given:
        """Put the words of each record together, and their labels."""
        parts = list(self.frame.groupby(self.who, sort=False))
        y = None if self.target is None else [part[self.target].tolist() for _, part in parts]
        ids = tuple(name for name, _ in parts)
        group = self.columns.group_column
        groups = None if group is None else [part[group].iloc[0] for _, part in parts]
        return Given([part[column].tolist() for _, part in parts], y, ids, groups)

    def _measured(self) -> SequenceDataset:
        """Read measurements."""
        from recurra.data import read

        columns, roles = self.columns, {"target": self.target, "group": self.columns.group_column}
        how: dict[str, Any] = {"static": columns.static or (), **roles}
        if columns.layout == "wide":
            who = self.who if self.who in self.frame else None
            return read(self.frame, layout="wide", records="rows", id=who, **how)
        level = "step" if self.task.target == "step" else "record"
        how |= {"id": self.who, "time": self.when, "target_for": level}
        return read(self.frame, layout="long", **how)

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
        one_each = columns.file_column or columns.text_column
        roles = [
            (self.target, "--target-column"),
            (columns.text_column, "--text-column"),
            (columns.file_column, "--file-column"),
            (columns.group_column, "--group-column"),
            (columns.id_column, "--id-column"),
            *((each, "--static-column") for each in columns.static or ()),
        ]
        if self.task.name == "language" and one_each is None:
            message = f"Of {self.file} it is not said which column holds texts"
            raise OptionError(f"{message}. Pass --text-column NAME.")
        if one_each is None and columns.layout == "long":
            roles.append((self.when, "--time-column"))
        steps = columns.layout == "long" and (one_each is None or self.task.target == "step")
        if steps and self.task.target is not None:  # else it may be one record
            roles.append((self.who, "--id-column"))
        return {name: flag for name, flag in roles if name is not None}

    def _as_one(self, quiet: bool) -> _Table:
        """Take a table without identifiers for one record, where that can be."""
        columns = self.columns
        one_each = columns.file_column or columns.text_column
        if self.who in self.frame or one_each or columns.layout != "long":
            return self
        if not quiet:
            note(f"{self.file} has no column {self.who!r}: it is read as one record.")
        frame = self.frame.copy(deep=False)
        frame.insert(0, self.who, self.file.name.split(".")[0] or self.file.name)
        return _Table(self.file, frame, columns, self.task, self.target)


def _texts(column: pd.Series) -> list[Any]:
    """List texts; an empty cell is an empty one."""
    return column.astype(object).where(column.notna(), "").tolist()


def _flags(flags: Any) -> str:
    """Say what to pass."""
    said = " and ".join(f"{flag} NAME" for flag in dict.fromkeys(flags))
    if "--time-column" in said:
        said += ", or --no-time if the rows are steps as they stand"
    return said


def _of_dataset(dataset: SequenceDataset) -> Given:
    return Given(dataset, None, dataset.ids)


def _alone(given: Given) -> Given:
    """Leave targets away where the records themselves are learned."""
    from dataclasses import replace

    from recurra.data import SequenceDataset

    if isinstance(given.X, SequenceDataset) and given.X.targets:
        return Given(replace(given.X, targets={}), None, given.ids)
    return given


def _advice(file: Path, task: Task) -> str:
    """Say how a target can be told."""
    if file.is_dir() and task.target == "labels":
        return "Put a .txt of the same name beside each sound, or give a table with --file-column."
    if file.is_dir():
        return "Put the files into folders that are called as their labels, or pass --labels-from."
    if file.suffix.lower() in (".txt", ".text"):
        return "Pass --separator TEXT if a label begins each line, or give a table."
    return "Give a file that has a target."
