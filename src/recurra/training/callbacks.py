"""Callbacks that write a training down where TensorBoard or MLflow shows it."""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recurra.errors import FileError, OptionError, need

if TYPE_CHECKING:
    from recurra.training.loop import Moment

__all__ = ["MLflow", "TensorBoard"]

AT_ONCE, SECONDS = 500, 10.0  # metrics that wait for MLflow, and how long


class TensorBoard:
    """Writes a training into a folder that TensorBoard shows.

    Loss, learning rate and seconds of every step; the validation loss of every check; how it was
    trained, as text. A training that goes on from a checkpoint goes on in the same folder.

    Parameters
    ----------
    folder : str or path-like
        Where to write; it is made if it is not there.

    Raises
    ------
    OptionError
        If it is no folder.
    FileError
        When the training begins, if it cannot be made.
    MissingExtraError
        When the training begins, if ``recurra[tensorboard]`` is not installed.

    Examples
    --------
    ``model.fit(X, y, callbacks=[TensorBoard("runs/first")])``, and then in a shell
    ``tensorboard --logdir runs``.

    >>> TensorBoard("runs/first").folder
    PosixPath('runs/first')
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        if not isinstance(folder, str | os.PathLike):
            what = f"folder is a {type(folder).__name__}, but it is the path of a folder"  # type: ignore[unreachable]
            raise OptionError(f'{what}: callbacks=[TensorBoard("runs/first")].')
        self.folder = Path(folder)
        self._writer: Any = None
        self._metrics = _Metrics()

    def __enter__(self) -> TensorBoard:
        """Be there before the first step: what is missing is said now."""
        self._module = need(
            "torch.utils.tensorboard", extra="tensorboard", purpose="Writing for TensorBoard"
        )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"Nothing can be written in {self.folder}: {error.strerror}"
            raise FileError(f"{message}. Give a folder that can be written.") from error
        self._metrics = _Metrics()
        return self

    def __call__(self, moment: Moment) -> None:
        """Write down a step.

        Parameters
        ----------
        moment : Moment
            The training after it.
        """
        if self._writer is None:  # of steps that a kill has undone, those before it stay
            self._writer = self._module.SummaryWriter(str(self.folder), purge_step=moment.step)
            rows = [f"| {name} | {value} |" for name, value in _how(moment).items()]
            told = "\n".join(["| option | value |", "|---|---|", *rows])
            self._writer.add_text("training", told, moment.step)
        for name, value in self._metrics.of(moment).items():
            self._writer.add_scalar(name, value, moment.step)

    def __exit__(self, *_: object) -> None:
        """Close the file, however the training ended."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


class MLflow:
    """Writes a training into a run of MLflow.

    Metrics are those of `TensorBoard`, parameters are how it was trained. The run ends as FINISHED,
    KILLED (Ctrl-C or SIGTERM) or FAILED. Each training is a run of its own, one that goes on from a
    checkpoint too; its steps are counted on.

    Parameters
    ----------
    experiment : str
        Its name; it is made if it is not there.
    run : str, optional
        The name of the run; MLflow finds one otherwise.
    tracking_uri : str or path-like, optional
        Where MLflow keeps runs: the address of a server, a data base as ``sqlite:////data/runs.db``.
        By default what ``mlflow.set_tracking_uri`` or ``MLFLOW_TRACKING_URI`` say.

    Raises
    ------
    OptionError
        If a name is no text; or, when the training begins, nothing says where runs are kept:
        MLflow would write into the working directory.
    MissingExtraError
        When the training begins, if ``recurra[mlflow]`` is not installed.

    Examples
    --------
    ``model.fit(X, y, callbacks=[MLflow("wards", tracking_uri="http://localhost:5000")])``

    >>> MLflow("wards").experiment
    'wards'
    """

    def __init__(
        self,
        experiment: str = "recurra",
        *,
        run: str | None = None,
        tracking_uri: str | os.PathLike[str] | None = None,
    ) -> None:
        for name, value in (("experiment", experiment), ("run", run)):
            if not (isinstance(value, str) and value) and not (name == "run" and value is None):
                what = repr(value) if isinstance(value, str) else f"a {type(value).__name__}"
                raise OptionError(f'{name} is {what}, but it is a name: callbacks=[MLflow("a")].')
        self.experiment, self.run, self.tracking_uri = experiment, run, tracking_uri
        self._metrics = _Metrics()
        self._client: Any = None
        self._id, self._waiting, self._sent = "", list[Any](), 0.0

    def __enter__(self) -> MLflow:
        """Be there before the first step: what is missing is said now."""
        mlflow = need("mlflow", extra="mlflow", purpose="Writing for MLflow")
        place = self.tracking_uri
        if place is None and not mlflow.is_tracking_uri_set():
            raise OptionError(
                "Nothing says where MLflow keeps its runs, and it would write them into the "
                "working directory. Give tracking_uri='sqlite:////data/runs.db' or the address of "
                "a server, or set MLFLOW_TRACKING_URI."
            )
        self._client = mlflow.MlflowClient(None if place is None else os.fspath(place))
        self._entities = need("mlflow.entities", extra="mlflow", purpose="Writing for MLflow")
        self._metrics, self._id, self._waiting = _Metrics(), "", []
        return self

    def __call__(self, moment: Moment) -> None:
        """Write down a step; steps are sent some at a time.

        Parameters
        ----------
        moment : Moment
            The training after it.
        """
        if not self._id:
            self._begin(moment)
        now = time.time()
        for name, value in self._metrics.of(moment).items():
            self._waiting.append(self._entities.Metric(name, value, int(now * 1000), moment.step))
        if len(self._waiting) >= AT_ONCE or now - self._sent >= SECONDS:
            self._send()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End the run, and say how it ended."""
        if not self._id:
            return
        self._send()
        stopped = kind is not None and not issubclass(kind, Exception)
        status = "FINISHED" if kind is None else "KILLED" if stopped else "FAILED"
        self._client.set_terminated(self._id, status)

    def _begin(self, moment: Moment) -> None:
        found = self._client.get_experiment_by_name(self.experiment)
        place = self._client.create_experiment(self.experiment) if found is None else None
        number = place if found is None else found.experiment_id
        self._id = self._client.create_run(number, run_name=self.run).info.run_id
        told = [self._entities.Param(name, str(value)) for name, value in _how(moment).items()]
        self._client.log_batch(self._id, params=told)

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._sent = time.time()
        if waiting:
            self._client.log_batch(self._id, metrics=waiting)


class _Metrics:
    """Names what a moment says; knows how long the step before had taken."""

    def __init__(self) -> None:
        self.seconds: float | None = None

    def of(self, moment: Moment) -> dict[str, float]:
        found = {"loss/training": moment.loss, "learning_rate": moment.rate}
        if self.seconds is not None:
            found["seconds_per_step"] = moment.seconds - self.seconds
        self.seconds = moment.seconds
        if moment.validation is not None:
            found["loss/validation"] = moment.validation
        return found


def _how(moment: Moment) -> dict[str, object]:
    """Say what is trained, and how."""
    count = sum(each.numel() for each in moment.model.parameters())
    told = {"network": type(moment.model).__name__, "parameters": count}
    return {**told, **asdict(moment.options)}
