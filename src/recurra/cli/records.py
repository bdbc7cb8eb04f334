"""From the file the user names to records, and what is to be learnt of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from recurra.cli.record_options import RecordColumns
from recurra.cli.record_table import Given, Table
from recurra.errors import DataError, FileError, OptionError, near

if TYPE_CHECKING:
    from recurra.cli.several import Aim
    from recurra.cli.tasks import Task
    from recurra.data import SequenceDataset

__all__ = ["read_records"]

TABLES = (".csv", ".tsv", ".parquet")


def read_records(
    file: Path,
    columns: RecordColumns,
    task: Task,
    *,
    wanted: bool,
    quiet: bool,
    known: Mapping[str, Aim] | None = None,
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
    known : dict of str to Aim, optional
        What several targets are, if that is known from elsewhere.

    Returns
    -------
    Given
        The records.

    Raises
    ------
    FileError, DataError, OptionError
        If it cannot be read so; the message says which option helps.
    """
    _check_count(columns, task)
    if not file.exists():
        raise FileError(f"{file} does not exist. Look at its name.")
    name = file.name.lower().removesuffix(".gz")
    if file.is_dir() or not name.endswith(TABLES):
        given = _other(file, name, columns, task)
    elif columns.layout == "ucr":
        from recurra.data import read

        given = _of_dataset(read(file, layout="ucr"))
    else:
        given = Table.read(file, columns, task, wanted, known).as_one(quiet).given()
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
    for name in columns.target_column or ():
        if name not in dataset.targets:
            hint = f"{near(name, dataset.targets)} Pass --target-column NAME."
            message = f"{file} has no target {name!r}"
            raise DataError(message, code="missing_column", hint=hint)
    if columns.target_column:
        chosen = {name: dataset.targets[name] for name in columns.target_column}
        dataset = replace(dataset, targets=chosen)
    return _of_dataset(dataset)


def _check_count(columns: RecordColumns, task: Task) -> None:
    """Refuse several targets where one is learned, or none."""
    said = columns.target_column or ()
    if len(said) > 1 and task.target != "several":
        names = ", ".join(map(repr, said))
        count = "no target" if task.target is None else "one target"
        message = f"The task {task.name} has {count}, but --target-column names {names}"
        raise OptionError(f"{message}. Name one, or learn several with the task multitask.")


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


def _of_dataset(dataset: SequenceDataset) -> Given:
    return Given(dataset, None, dataset.ids)


def _alone(given: Given) -> Given:
    """Leave targets away where the records themselves are learned."""
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
