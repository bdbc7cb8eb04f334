"""One training by several workers of Ray, which are replaced when they die."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from recurra.distributed.cluster import started
from recurra.errors import RecurraError, TrainingError, check_count
from recurra.estimators import load
from recurra.training import Checkpoints

__all__ = ["fit_on_ray"]

MODEL, SAID = "fitted.recurra", "fitted.said"  # what the first worker leaves
PATIENCE = 120  # seconds until a worker that does not answer is given up


def fit_on_ray(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    workers: int = 2,
    checkpoint: str | os.PathLike[str] | Checkpoints | None = None,
    resume: bool = True,
    failures: int = 3,
    resources: dict[str, float] | None = None,
    **how: Any,
) -> Any:
    """Fit an estimator in several processes, on the machines of a Ray cluster.

    Each worker calls ``fit`` with the same data, and learns from its rows of each batch
    (`recurra.training.ranks`); together they step as one process does. When a worker dies, all are
    started again and go on from the newest checkpoint.

    Parameters
    ----------
    estimator : estimator
        Any of this library with `save`; it stays as it is.
    X, y
        What its ``fit`` takes; for a `Forecaster` the table alone. A `ParquetRecords`, or a path,
        must be there on every machine.
    workers : int
        How many processes; 0 trains in this one, to try things out.
    checkpoint : str, path-like or Checkpoints, optional
        A folder that all machines see, in which the training is kept; by default a temporary one,
        which does on one machine.
    resume : bool
        Whether to go on from what is kept there from the start; after a failure it is done anyway.
    failures : int
        How often dead workers are replaced before it is given up.
    resources : dict of str to float, optional
        What each worker needs, such as ``{"CPU": 2, "GPU": 1}``; one CPU by default.
    **how
        Further arguments of the estimator's ``fit``.

    Returns
    -------
    estimator
        Fitted, as `recurra.load` gives it.

    Raises
    ------
    OptionError
        If an option is impossible.
    TrainingError
        If the workers fail; the message says of what.
    MissingExtraError
        If Ray is not installed.
    """
    workers = check_count("workers", workers, least=0)
    failures = check_count("failures", failures, least=0)
    ray = started("Training on several machines")
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer

    with tempfile.TemporaryDirectory(prefix="recurra-") as temporary:
        kept = Checkpoints.of(temporary if checkpoint is None else checkpoint, resume)
        assert kept is not None
        place = kept.folder.absolute()
        kept = _cleared(replace(kept, folder=place))
        trainer = TorchTrainer(
            _learn,
            train_loop_config={"work": ray.put((estimator, X, y, kept, how))},
            scaling_config=ScalingConfig(num_workers=workers, resources_per_worker=resources),
            torch_config=TorchConfig(timeout_s=PATIENCE),
            run_config=RunConfig(
                name="ray",
                storage_path=str(place),
                failure_config=FailureConfig(max_failures=failures),
            ),
        )
        return _run(trainer, place)


def _run(trainer: Any, place: Path) -> Any:
    """Wait for the workers, and take up what they learned."""
    for each in (MODEL, SAID):
        (place / each).unlink(missing_ok=True)
    try:
        trainer.fit()
    except Exception as error:  # of Ray, which has a class for each way to fail
        raise TrainingError(
            f"The workers failed, and are not replaced any more: {error}"
        ) from error
    if (place / SAID).exists():
        raise TrainingError(f"The workers could not learn. {(place / SAID).read_text()}")
    return load(place / MODEL)


def _cleared(kept: Checkpoints) -> Checkpoints:
    """Begin again where it was asked for, once; the workers always go on from what there is."""
    kept.folder.mkdir(parents=True, exist_ok=True)
    if not kept.resume:
        for each in kept.folder.glob("*.recurra"):
            each.unlink()
    return replace(kept, resume=True)


def _learn(config: dict[str, Any]) -> None:
    """What each worker does."""
    import ray
    from ray import train

    from recurra.estimators import Forecaster

    estimator, X, y, kept, how = ray.get(config["work"])
    data = (X,) if isinstance(estimator, Forecaster) else (X, y)
    leads = train.get_context().get_world_rank() == 0
    try:
        estimator.fit(*data, checkpoint=kept, **how)
    except TrainingError:
        raise  # another attempt may do better: a worker may have died
    except RecurraError as error:
        if leads:
            (kept.folder / SAID).write_text(f"{type(error).__name__}: {error}")
        return
    if leads:
        estimator.save(kept.folder / MODEL)
