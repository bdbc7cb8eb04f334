"""One door for data of any kind: a file, a folder, a table or arrays become a `SequenceDataset`."""

from __future__ import annotations

import inspect
import os
from collections import Counter
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from recurra.data.sequences import SequenceDataset
from recurra.data.tables.files import read_table
from recurra.data.tables.text import Expected
from recurra.errors import DataError, FileError, OptionError, near

__all__ = ["read"]

FILES = {
    ".ts": "archive.from_ts",
    ".arff": "arff.from_arff",
    ".jsonl": "lines.from_lines",
    ".ndjson": "lines.from_lines",
    ".npz": "flat.from_npz",
}
"""The reader of each ending, in this folder; imported when first used."""
FAMILIES = {
    "audio.from_audio": "audio.AUDIO_ENDINGS",
    "images.from_images": "images.IMAGE_ENDINGS",
    "text.from_text": "text.TEXT_ENDINGS",
}
"""The readers of files with one record each, and of folders of them; and where endings are said."""
TABLES = (".csv", ".tsv", ".parquet")
LAYOUTS = {
    "long": "long.from_long",
    "wide": "wide.from_wide",
    "events": "events.from_events",
    "nested": "nested.from_nested",
    "ucr": "ucr.from_ucr",
}
ADVICE = (
    "Say what a row is: layout='long', a row for every record and step (with id= and time=); "
    "layout='wide', a column or a row for every record (with records='columns' or 'rows'); or "
    "layout='events', a row for every measurement (with id=, time=, variable= and value=). Also "
    "layout='nested' for sequences in cells, layout='ucr' for a file of UCR's, without a header."
)
LONGEST_NAME = 4096


def read(source: Any, *, layout: str | None = None, **how: Any) -> SequenceDataset:
    """Read data of any kind.

    Parameters
    ----------
    source : str, Path, DataFrame, array-like or dict
        A file: ``.csv``, ``.tsv`` (or either ``.gz``), ``.parquet``; ``.ts``, ``.arff``,
        ``.jsonl`` (or any of them ``.gz``), ``.npz``; sound, images and text. A folder of sounds,
        images or texts. A pandas, polars or pyarrow table. A list of arrays, one array, or a dict
        of streams.
    layout : {"long", "wide", "events", "nested", "ucr", "ntc", "nct"}, optional
        How a table is laid out, which is never guessed: a row for every record and step, a column
        or a row for every record, a row for every measurement, sequences in cells, or a file of
        UCR's without a header. For arrays, where the channels are.
    **how
        What the reader of such data takes, as `from_long`, `from_wide`, `from_events`,
        `from_nested`, `from_npz`, `from_lines`, `from_audio`, `from_images`, `from_text` and
        `from_arrays` say. For ``.csv`` and ``.tsv`` also ``quoted=False``, where ``"`` is a letter
        and encloses nothing, as `read_table` says.

    Returns
    -------
    SequenceDataset
        The records.

    Raises
    ------
    FileError
        If a file is missing, damaged, or of a kind that is not read.
    DataError
        If what it holds is wrong; with the place.
    OptionError
        If it is not said what a table's rows and columns are.

    Examples
    --------
    >>> read([[1.0, 2.0], [3.0]], y=["up", "down"])
    SequenceDataset(2 records; x: 1 channel, 1 to 2 steps; targets: y)
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"who": [*"aab"], "day": [1, 2, 1], "pulse": [60.0, 62.0, 70.0]})
    >>> read(frame, layout="long", id="who", time="day")
    SequenceDataset(2 records; values: 1 channel, 1 to 2 steps)
    """
    if isinstance(source, SequenceDataset):
        return source
    if isinstance(source, str | os.PathLike):
        return _from_path(source, layout, how)
    if isinstance(source, list | tuple) and source and isinstance(source[0], os.PathLike):
        return _called(_family(_ending(Path(source[0]))), list(source), how)
    if isinstance(source, list | tuple) and source and isinstance(source[0], str):
        message = "A list of text came, which may be texts or paths"
        raise OptionError(f"{message}. Use from_text for texts, pathlib.Path for paths.")
    if hasattr(source, "columns") or hasattr(source, "column_names"):
        return _called(_layout(layout, "The table"), source, how)
    if isinstance(source, list | tuple | np.ndarray | Mapping) or hasattr(source, "detach"):
        layouts = {} if layout is None else {"layout": layout}
        return _called("arrays.from_arrays", source, {**layouts, **how})
    if layout == "nested" or type(source).__module__.split(".")[0] in ("pyarrow", "awkward"):
        return _called(LAYOUTS["nested"], source, how)
    message = f"A {type(source).__name__} came, but a path, a table, arrays or a dict is read"
    raise DataError(message, code="not_data", hint="See recurra.data.read.")


def _from_path(
    source: str | os.PathLike[str], layout: str | None, how: dict[str, Any]
) -> SequenceDataset:
    """Read a file or a folder."""
    name = str(source)
    if "\0" in name or "\n" in name or len(name) > LONGEST_NAME:
        message = "A text came that is no path"
        raise OptionError(f"{message}. Use from_text([text]) to read it as a text.")
    path = Path(name)
    if path.is_dir():
        return _called(_folder(path), path, how)
    ending = _ending(path)
    if ending in FILES:
        return _called(FILES[ending], path, how)
    if ending not in TABLES:
        return _called(_family(ending, path), path, how)
    reader = _layout(layout, str(path))
    if layout == "ucr":
        return _called(reader, path, {"separator": "," if ending == ".csv" else "\t", **how})
    quoted = how.get("quoted")
    how = {option: value for option, value in how.items() if option != "quoted"}
    texts = [how.get(role) for role in ("id", "variable")]
    expected = Expected(text=tuple(one for one in texts if isinstance(one, str)))
    if isinstance(outcomes := how.get("outcomes"), str | os.PathLike):
        how = {**how, "outcomes": read_table(outcomes, Expected(text=expected.text[:1]))}
    _bound(reader, path, how)
    return _called(reader, read_table(path, expected, quoted=quoted), how)


def _ending(path: Path) -> str:
    """Give the ending of a file's name, that of what is packed if it is gzipped."""
    endings = [each.lower() for each in path.suffixes]
    return endings[-2] if endings[-1:] == [".gz"] and len(endings) > 1 else (endings or [""])[-1]


def _layout(layout: str | None, what: str) -> str:
    """Find the reader of a table."""
    if layout is None:
        raise OptionError(f"{what} may be laid out in several ways, and none is guessed. {ADVICE}")
    if layout not in LAYOUTS:
        raise OptionError(f"There is no layout {layout!r}. {near(layout, LAYOUTS)} {ADVICE}")
    return LAYOUTS[layout]


def _endings(family: str) -> tuple[str, ...]:
    """Give the endings a reader of many files knows."""
    module, name = FAMILIES[family].split(".")
    found: tuple[str, ...] = getattr(import_module(f"{__package__}.{module}"), name)
    return found


def _family(ending: str, path: Path | None = None) -> str:
    """Find the reader of files with one record each."""
    for family in FAMILIES:
        if ending in _endings(family):
            return family
    known = sorted({*FILES, *TABLES, *(end for family in FAMILIES for end in _endings(family))})
    shown = "" if path is None else f"{path} has "
    raise FileError(f"{shown}an ending that is not read: {ending!r}. Read are {', '.join(known)}.")


def _folder(path: Path) -> str:
    """Find the reader of a folder by what lies in it."""
    endings = Counter(_ending(each) for each in path.rglob("*") if each.is_file())
    there = [family for family in FAMILIES if any(end in endings for end in _endings(family))]
    if len(there) == 1:
        return there[0]
    names = " and ".join(family.split(".")[1] for family in there)
    if there:
        raise FileError(f"{path} holds files of several kinds. Read them with {names}.")
    message = f"{path} holds no sounds, images or texts"
    known = ", ".join(sorted(end for end in endings if end in FILES or end in TABLES))
    hint = f" Files of other kinds are read one by one: it has {known}." if known else ""
    raise FileError(f"{message}.{hint}")


def _called(reader: str, source: Any, how: dict[str, Any]) -> SequenceDataset:
    """Call a reader by name."""
    return _bound(reader, source, how)(source, **how)


def _bound(reader: str, source: Any, how: dict[str, Any]) -> Callable[..., SequenceDataset]:
    """Import a reader, and refuse what it does not take or still needs."""
    module, name = reader.split(".")
    function: Callable[..., SequenceDataset] = getattr(
        import_module(f"{__package__}.{module}"), name
    )
    signature = inspect.signature(function)
    known = list(signature.parameters)[1:]
    for option in how:
        if option not in known:
            raise OptionError(f"{name} has no option {option!r}. {near(option, known)}")
    try:
        signature.bind(source, **how)
    except TypeError as error:
        raise OptionError(f"{name} needs more to read this: {error}.") from error
    return function
