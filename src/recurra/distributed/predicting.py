"""Answers for all records of a folder of Parquet files, by Ray Data, written as Parquet."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recurra.distributed.cluster import started
from recurra.errors import FileError, OptionError, check_count

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["predict_parquet"]


def predict_parquet(
    model: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    id: str,
    time: str,
    workers: int = 2,
    parts: int | None = None,
    probabilities: bool = False,
    **how: Any,
) -> int:
    """Answer for every record of a folder, more than memory holds, and write the answers.

    The rows of a record may lie anywhere: they are first brought together by its identifier. Each
    worker loads the model once.

    Parameters
    ----------
    model : str or path-like
        The file that a `Classifier` or a `Regressor` was saved in; all machines see it.
    folder : str or path-like
        A ``.parquet`` file or a folder of them, with a row for each record and step.
    out : str or path-like
        A folder for the answers, which is not there yet or is empty: Parquet files with the
        columns `id` and ``"prediction"``, in no particular order.
    id : str
        The column that says whose each row is.
    time : str
        The column that says when; it puts the rows of a record in order again.
    workers : int
        How many processes answer.
    parts : int, optional
        How many parts the records are shared out in, one in memory at a time in each worker; by
        default four for each worker.
    probabilities : bool
        Whether a `Classifier` also writes how probable each class is, as ``"probability_<class>"``.
    **how
        Further arguments of `recurra.data.from_long`, such as ``channels``.

    Returns
    -------
    int
        How many records were answered for.

    Raises
    ------
    FileError
        If the model or the folder cannot be read, or there is something in `out`.
    OptionError
        If the model does not answer for records, or not with probabilities.
    MissingExtraError
        If Ray is not installed.
    """
    workers = check_count("workers", workers)
    parts = check_count("parts", parts, optional=True)
    place, source, target = (Path(each).absolute() for each in (model, folder, out))
    how = {**how, "id": id, "time": time}
    _Answers(place, id, probabilities, how)  # says at once what is wrong with the model
    if not source.exists():
        raise FileError(f"There is no {source}. Give a .parquet file or a folder of them.")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FileError(f"There is something in {target} already. Give a new folder.")
    started("Answering for many files")
    import pyarrow.dataset
    from ray.data import ActorPoolStrategy, DataContext, read_parquet

    DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    rows = read_parquet(str(source)).repartition(parts or 4 * workers, keys=[id])
    answers = rows.map_batches(
        _Answers,
        fn_constructor_args=(place, id, probabilities, how),
        batch_size=None,
        batch_format="pandas",
        compute=ActorPoolStrategy(size=workers),
    )
    answers.write_parquet(str(target))
    return int(pyarrow.dataset.dataset(target, format="parquet").count_rows())


class _Answers:
    """Answers for whole records in a table: made once in each worker."""

    def __init__(self, model: Path, name: str, probabilities: bool, how: dict[str, Any]) -> None:
        from recurra.estimators import Classifier, Regressor, load

        self.model, self.name, self.how = load(model), name, how
        if not isinstance(self.model, Classifier | Regressor):
            kind = type(self.model).__name__
            raise OptionError(
                f"{model} holds a {kind}, but a Classifier or a Regressor answers for records."
            )
        self.probabilities = probabilities
        if probabilities and not isinstance(self.model, Classifier):
            raise OptionError("probabilities=True, but only a Classifier has some.")

    def __call__(self, rows: pd.DataFrame) -> pd.DataFrame:
        import pandas as pd

        from recurra.data import read

        if rows.empty:
            return pd.DataFrame()
        records = read(rows, layout="long", **self.how)
        found = pd.DataFrame({self.name: list(records.ids)})
        found["prediction"] = list(self.model.predict(records))
        if self.probabilities:
            shares = self.model.predict_proba(records)
            for k, label in enumerate(self.model.classes_):
                found[f"probability_{label}"] = shares[:, k]
        return found
