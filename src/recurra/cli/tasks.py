"""What can be learned from records on the command line: tasks, their classes, answers as tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from recurra.cli.several_answers import answers_of_several
from recurra.errors import FileError, OptionError, near

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = [
    "TASKS",
    "Task",
    "class_of",
    "forecasts",
    "load_learner",
    "table_of",
    "task_learned",
    "task_of",
]


@dataclass(frozen=True)
class Task:
    """What is to be learned.

    Parameters
    ----------
    name : str
        What it is called on the command line.
    estimator : str
        The class that learns it.
    target : {"record", "step", "labels", "several"} or None
        What there is one of: a target for each record, for each of its steps, a text for each
        record, several targets of records or steps; None where the records themselves are learned.
    """

    name: str
    estimator: str
    target: Literal["record", "step", "labels", "several"] | None


TASKS = {
    each.name: each
    for each in (
        Task("classify", "Classifier", "record"),
        Task("regress", "Regressor", "record"),
        Task("tag", "Tagger", "step"),
        Task("multitask", "MultiTask", "several"),
        Task("language", "LanguageModel", None),
        Task("transcribe", "Transcriber", "labels"),
        Task("translate", "SequenceToSequence", "labels"),
        Task("anomaly", "AnomalyDetector", None),
        Task("next-step", "NextStep", None),
    )
}
"""All tasks, by name."""


def task_of(name: str) -> Task:
    """Find a task by its name.

    Parameters
    ----------
    name : str
        As the user wrote it.

    Returns
    -------
    Task
        The task.

    Raises
    ------
    OptionError
        If there is none of that name.

    Examples
    --------
    >>> task_of("classify").estimator
    'Classifier'
    """
    if name not in TASKS:
        raise OptionError(f"There is no task {name!r}. {near(name, TASKS)}")
    return TASKS[name]


def class_of(task: Task) -> Any:
    """Import the class that learns a task; torch is imported here.

    Parameters
    ----------
    task : Task
        The task.

    Returns
    -------
    type
        A subclass of `recurra.estimators.learning.learner.Learner`.
    """
    from recurra.estimators.loading import CLASSES

    return CLASSES[task.estimator]


def load_learner(path: Path) -> tuple[Any, Task]:
    """Take up a saved model that learned from records.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    model : Learner
        Fitted.
    task : Task
        What it learned.

    Raises
    ------
    FileError
        If it holds something else; the message says what to use.
    """
    from recurra.estimators import load

    model = load(path)
    return model, task_learned(model, path)


def task_learned(model: Any, path: Path) -> Task:
    """Say what a model has learned from records.

    Parameters
    ----------
    model : estimator
        As it was read.
    path : Path
        From where.

    Returns
    -------
    Task
        What it learned.

    Raises
    ------
    FileError
        If it learned from something else; the message says what to use.
    """
    name = type(model).__name__
    for task in TASKS.values():
        if task.estimator == name:
            return task
    known = ", ".join(each.estimator for each in TASKS.values())
    advice = (
        "Use recurra forecast." if name == "Forecaster" else f"Use recurra.load({str(path)!r})."
    )
    raise FileError(f"{path} holds a {name}, but here one of {known} is read. {advice}")


def forecasts(model: Any) -> bool:
    """Say whether a model learned from series, and forecasts them.

    Parameters
    ----------
    model : estimator
        As it was read.

    Returns
    -------
    bool
        Whether it is a Forecaster or an AutoForecaster.
    """
    return type(model).__name__ in ("Forecaster", "AutoForecaster")


def table_of(
    model: Any, task: Task, X: Any, ids: Sequence[object], probabilities: bool
) -> pd.DataFrame:
    """Answer for records, as a table.

    Parameters
    ----------
    model : Learner
        Fitted.
    task : Task
        What it learned.
    X : object
        The records, as its `predict` takes them.
    ids : sequence
        What they are called.
    probabilities : bool
        Whether to say how probable answers are, too.

    Returns
    -------
    pandas.DataFrame
        A row for each record, or for each of its steps.

    Raises
    ------
    OptionError
        If it has no probabilities.
    """
    import pandas as pd

    if probabilities and task.name not in ("classify", "tag", "multitask", "translate"):
        able = "classify, tag, multitask and translate"
        raise OptionError(f"--probabilities is for models of {able}, not of {task.name}.")
    how = _SAYERS.get(task.name, _each_record)
    return pd.DataFrame(how(model, X, list(ids), probabilities))


def _each_record(model: Any, X: Any, ids: list[object], probabilities: bool) -> dict[str, Any]:
    """Write an answer for each record: a label, a number or several, a text."""
    said = model.predict(X)
    columns: dict[str, Any] = {"id": ids}
    if getattr(said, "ndim", 1) > 1:
        columns |= {f"prediction_{k}": said[:, k] for k in range(said.shape[1])}
    else:
        columns["prediction"] = [_plain(each) for each in said]
    if probabilities:
        chances = model.predict_proba(X)
        if chances.ndim == 1:
            columns["probability"] = chances
        elif chances.ndim > 2:
            raise OptionError("Probabilities of several outputs have no place in one table.")
        else:
            outputs = chances.shape[1] if getattr(said, "ndim", 1) > 1 else None
            names = range(outputs) if outputs else model.classes_.tolist()
            columns |= {f"p({name})": chances[:, k] for k, name in enumerate(names)}
    return columns


def _each_step(model: Any, X: Any, ids: list[object], probabilities: bool) -> dict[str, Any]:
    """Write a label for each step."""
    import numpy as np

    said = model.predict(X)
    columns: dict[str, Any] = _steps(said, ids)
    columns["prediction"] = [label for each in said for label in each]
    if probabilities:
        chances = np.concatenate(model.predict_proba(X))
        names = model.classes_.tolist()
        columns |= {f"p({name})": chances[:, k] for k, name in enumerate(names)}
    return columns


def _oddness(model: Any, X: Any, ids: list[object], _: bool) -> dict[str, Any]:
    """Write how odd each step is, and whether it is an anomaly."""
    import numpy as np

    scores = model.score_samples(X)
    columns = _steps(scores, ids)
    columns["score"] = np.concatenate(scores)
    columns["anomaly"] = np.concatenate(model.predict(X))
    return columns


def _next_rows(model: Any, X: Any, ids: list[object], _: bool) -> dict[str, Any]:
    """Write the row that is to be expected after each record."""
    rows = model.predict(X)
    return {"id": ids, **{name: rows[:, k] for k, name in enumerate(model.channels_)}}


def _likelihoods(model: Any, X: Any, ids: list[object], _: bool) -> dict[str, Any]:
    """Write how well each text was foretold."""
    import numpy as np

    said = model.log_likelihoods(X)
    known = [each[~np.isnan(each)] for each in said]
    return {
        "id": ids,
        "tokens": [len(each) for each in known],
        "log_likelihood": [float(each.sum()) for each in known],
        "perplexity": [float(np.exp(-each.mean())) if len(each) else None for each in known],
    }


def _steps(said: Sequence[Any], ids: Sequence[object]) -> dict[str, Any]:
    """Name the record of each step, and count its steps from 0."""
    return {
        "id": [name for name, each in zip(ids, said, strict=True) for _ in each],
        "step": [step for each in said for step in range(len(each))],
    }


def _plain(said: Any) -> Any:
    """Write an answer that is a list of labels as a text."""
    return " ".join(map(str, said)) if isinstance(said, list | tuple) else said


_SAYERS: dict[str, Callable[[Any, Any, list[object], bool], dict[str, Any]]] = {
    "tag": _each_step,
    "multitask": answers_of_several,
    "anomaly": _oddness,
    "next-step": _next_rows,
    "language": _likelihoods,
}
