"""The trials of a search, run by tasks of Ray that share the study."""

from __future__ import annotations

import os
from typing import Any

from recurra.distributed.cluster import started
from recurra.errors import OptionError, RecurraError, check_count
from recurra.tuning import Tuning, tune

__all__ = ["tune_on_ray"]

RETRIES = 10  # times that a task is started anew whose process died


def tune_on_ray(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    storage: str | os.PathLike[str],
    workers: int = 2,
    resources: dict[str, float] | None = None,
    **how: Any,
) -> Tuning:
    """Search for a better configuration on the machines of a Ray cluster.

    Each task runs `recurra.tune` on the same study, until all trials are done: what one that died
    was at is begun anew by the others.

    Parameters
    ----------
    estimator, X, y
        As for `recurra.tune`.
    storage : str or path-like
        A file, where all tasks run on this machine; else the URL of a database that all machines
        reach, such as ``"postgresql://host/name"``.
    workers : int
        How many tasks at a time.
    resources : dict of str to float, optional
        What each needs, such as ``{"CPU": 2}``; one CPU by default.
    **how
        Further arguments of `recurra.tune`, such as ``trials`` and ``space``.

    Returns
    -------
    Tuning
        As `recurra.tune` gives it; the model is fitted in this process.

    Raises
    ------
    OptionError, DataError, TrainingError, FileError
        As for `recurra.tune`.
    MissingExtraError
        If Ray or Optuna is not installed.
    """
    workers = check_count("workers", workers)
    if storage is None:
        raise OptionError(
            "storage=None, but tasks share a study. Give a file, or a database's URL."
        )
    ray = started("A search on several machines")
    place = storage if "://" in str(storage) else os.path.abspath(storage)
    plan = {**how, "storage": place, "refit": False, "progress": False}
    needs = dict(resources or {})
    cores, graphics = needs.pop("CPU", 1), needs.pop("GPU", 0)
    search = ray.remote(_search).options(
        num_cpus=cores, num_gpus=graphics, resources=needs, max_retries=RETRIES
    )
    work = ray.put((estimator, X, y, plan))
    try:
        ray.get([search.remote(work) for _ in range(workers)])
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, RecurraError):
            raise error.cause from None
        raise
    if how.get("seconds") is not None:
        how = {**how, "seconds": 1e-3}  # the time is up: what is there is put together
    return tune(estimator, X, y, **{**how, "storage": place})


def _search(work: Any) -> None:
    """What each task does."""
    estimator, X, y, plan = work
    tune(estimator, X, y, **plan)
