"""From the file the user names to a table whose columns are known."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from recurra.cli.messages import note
from recurra.errors import DataError, OptionError, near

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pandas as pd

    from recurra.cli.options import Source
    from recurra.data import Columns

__all__ = ["Opened", "check_future_file", "open_source"]


@dataclass(frozen=True)
class Opened:
    """A file that was read.

    Parameters
    ----------
    file : Path
        Where it is.
    frame : pandas.DataFrame
        Its table; with an identifier, even if it came without.
    columns : Columns
        The roles of its columns.
    single : bool
        Whether it came without an identifier, as one series.
    """

    file: Path
    frame: pd.DataFrame
    columns: Columns
    single: bool

    def read_future(self, file: Path | None) -> pd.DataFrame | None:
        """Read the coming covariates.

        Parameters
        ----------
        file : Path or None
            Where they are.

        Returns
        -------
        pandas.DataFrame or None
            A table with the same identifiers.
        """
        if file is None:
            return None
        from recurra.data import read_table

        columns = self.columns
        frame = read_table(file, columns)
        roles = {columns.time: ("the time stamp", "--time-column")}
        roles |= dict.fromkeys(columns.future, ("a future covariate", "--future"))
        if not self.single:
            roles = {columns.id: ("the identifier", "--id-column"), **roles}
        _require(frame, file, roles, ())
        return _as_one_series(frame, self.file, columns.id) if self.single else frame

    def hand_back(self, table: pd.DataFrame) -> pd.DataFrame:
        """Take the identifier away again if there was none.

        Parameters
        ----------
        table : pandas.DataFrame
            With an identifier.

        Returns
        -------
        pandas.DataFrame
            What the user expects.
        """
        return table.drop(columns=self.columns.id) if self.single else table

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Add what to pass to an error that a forgotten identifier may have caused.

        Yields
        ------
        None
            While the table is looked at.
        """
        try:
            yield
        except DataError as error:
            if self.single and error.code == "duplicate_time":
                message = f"{self.file} has no column {self.columns.id!r} and is read as one series"
                hint = "If it holds several, pass --id-column NAME."
                raise DataError(f"{message}, but {error}", code=error.code, hint=hint) from error
            raise


def open_source(source: Source, quiet: bool) -> Opened:
    """Read the file and look for its columns.

    Parameters
    ----------
    source : Source
        What the user said.
    quiet : bool
        Whether to say nothing of a file that is read as one series.

    Returns
    -------
    Opened
        Its table.

    Raises
    ------
    DataError
        If a column is missing; the message says which option names another.
    """
    from recurra.data import read_table

    columns = source.columns
    frame = read_table(source.file, columns)
    single = source.id_column is None and columns.id not in frame
    roles = {
        columns.time: ("the time stamp", "--time-column"),
        columns.target: ("the target", "--target-column"),
    }
    for role in ("past", "future", "static"):
        roles |= dict.fromkeys(getattr(columns, role), (f"a {role} covariate", f"--{role}"))
    if not single or get_close_matches(columns.id, map(str, frame.columns), n=1, cutoff=0.7):
        roles = {columns.id: ("the identifier", "--id-column"), **roles}
    named = [
        name
        for name in (source.id_column, source.time_column, source.target_column)
        if name is not None
    ]
    _require(frame, source.file, roles, (*named, *columns.covariates))
    if single:
        if not quiet:
            note(f"{source.file} has no column {columns.id!r}: it is read as one series.")
        frame = _as_one_series(frame, source.file, columns.id)
    return Opened(source.file, frame, columns, single)


def check_future_file(columns: Columns, file: Path | None) -> None:
    """Refuse, before anything is learned, to go without the coming covariates.

    Parameters
    ----------
    columns : Columns
        The roles of the columns.
    file : Path or None
        The file that has them.

    Raises
    ------
    OptionError
        If there is a file and no such covariate, or the other way round.
    """
    if columns.future and file is None:
        names = ", ".join(map(repr, columns.future))
        message = f"The coming values of {names} are needed to forecast"
        raise OptionError(
            f"{message}. Pass --future-file FILE, with a row for every series and coming step."
        )
    if file is not None and not columns.future:
        message = f"--future-file {file} is given, but no covariate that is known in advance"
        raise OptionError(f"{message}. Pass --future NAME too.")


def _require(
    frame: pd.DataFrame, file: Path, roles: dict[str, tuple[str, str]], named: Sequence[str]
) -> None:
    """Refuse a table that lacks columns, and say what to pass."""
    have = [str(name) for name in frame.columns]
    missing = [name for name in roles if name not in have]
    if not missing:
        return
    wanted = " and ".join(f"{name!r} ({roles[name][0]})" for name in missing)
    flags = [roles[name][1] for name in missing if name not in named]
    advice = f" Pass {' and '.join(f'{flag} NAME' for flag in flags)}." if flags else ""
    parts = [mark for mark in (";", "\t", "|") if len(have) == 1 and mark in have[0]]
    if parts:
        advice = f" Is it separated by {parts[0]!r}? A .csv is read by commas, a .tsv by tabs."
    raise DataError(
        f"{file} has no column {wanted}",
        code="missing_column",
        hint=near(missing[0], have) + advice,
    )


def _as_one_series(frame: pd.DataFrame, file: Path, name: str) -> pd.DataFrame:
    """Put an identifier before the other columns: the name of the file."""
    frame = frame.copy(deep=False)
    frame.insert(0, name, file.name.split(".")[0] or file.name)
    return frame
