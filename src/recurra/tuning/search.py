"""The search itself: trials until all are done, the best of them confirmed, and learned."""

from __future__ import annotations

import os
import time
from math import nan
from typing import TYPE_CHECKING, Any

import pandas as pd
from tqdm.auto import tqdm

from recurra.errors import OptionError, TrainingError, check_count, need
from recurra.estimators import Forecaster
from recurra.estimators.learning.options import check_seed
from recurra.training.progress import hidden
from recurra.training.ranks import check_alone
from recurra.tuning.configured import configured, own_values, settled, training_changes
from recurra.tuning.confirming import RIVALS, SHARE, confirm, count_pairs
from recurra.tuning.defaults import default_space
from recurra.tuning.judging import Judge, check_estimator, judge_for
from recurra.tuning.resampling import Resampling
from recurra.tuning.result import Tuning, ranking
from recurra.tuning.space import Choice, Real, Space, Whole, check_space, decoded, encoded

if TYPE_CHECKING:
    from recurra.tuning.board import Attempt, Board
    from recurra.tuning.working import Work

__all__ = ["tune"]


def tune(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    space: Space | None = None,
    trials: int | None = None,
    seconds: float | None = None,
    metric: str | None = None,
    by: Resampling | None = None,
    pruning: bool = True,
    storage: str | os.PathLike[str] | None = None,
    study: str = "tune",
    seed: int = 0,
    refit: bool = True,
    progress: bool | None = None,
    **how: Any,
) -> Tuning:
    """Search for a better configuration of an estimator, and fit it to all data.

    The first trial is the estimator as it is given; the others change what `space` names, drawn by
    tree-structured Parzen estimators (Bergstra et al. 2011). All are scored on the same parts of
    the data, which no trial has learned from. In the end the best and the default learn again, in
    pairs, from other parts; the best is taken if it gains more than half a standard error there,
    else the next best is asked, and the third; else the default stays. Whatever is to test the
    result, keep out of `X`.

    Parameters
    ----------
    estimator : estimator
        Any of this library; it stays as it is.
    X, y
        What its ``fit`` takes; for a `Forecaster` the table alone.
    space : dict of str to Choice, Whole or Real, optional
        What may be tried, by the name of the parameter; of its training as
        ``"training.learning_rate"``. By default :func:`recurra.tuning.default_space`.
    trials : int, optional
        How many, those of all processes and of earlier calls on this study together. The
        comparison in the end takes a fifth of their trainings more for each trial that is asked,
        but three pairs at least.
    seconds : float, optional
        How long this call searches; the last fifth is kept for the comparison. A trial that runs
        when its time is up is left, and begun anew by the next call; the first is always finished.
    metric : str, optional
        What to score by: a measure of the estimator's report, such as ``"accuracy"``; of forecasts
        ``"MASE"``, ``"OWA"``, ``"sMAPE"`` or ``"RMSE"``. By default MASE for forecasts, log loss
        for a `Classifier` (few records tie in accuracy), RMSE for a `Regressor`.
    by : HeldOut, Folds or Origins, optional
        What trials are scored on. By default a fifth of the records; five folds of fewer than 500;
        of less than ten records learned for themselves the ends; of series two origins. Records of
        one group stay together.
    pruning : bool
        Whether to stop a trial whose validation loss, or mean score of the folds so far, is worse
        than half of the others' was by then.
    storage : str or path-like, optional
        A file, for any number of processes on this machine; or the URL of a database, such as
        ``"postgresql://host/name"``, for several machines. What is there is gone on with.
    study : str
        What the search is called there.
    seed : int
        Source of all chance: same seed, same data, one process, same trials to the bit. What is
        drawn in a training is decided by the estimator's own seed, the same in each trial; in the
        comparison each pair has another.
    refit : bool
        Whether to fit what is taken to all of `X` in the end.
    progress : bool, optional
        Whether to show a bar; None for only in a terminal or a notebook.
    **how
        Further arguments of the estimator's ``fit``, such as ``groups`` and ``sample_weight``.

    Returns
    -------
    Tuning
        Print it. Its ``model`` is fitted, its ``trials`` tell of all.

    Raises
    ------
    OptionError
        If an option is impossible, a parameter is not known, there is no budget, or the study in
        the storage is of something else.
    DataError
        If something is wrong with the data.
    TrainingError
        If every trial fails.
    FileError
        If the storage cannot be opened.
    MissingExtraError
        If Optuna is not installed.

    Notes
    -----
    A process may be killed at any moment. What it was at is found by the others, or by the next
    call, and begun anew with the same parameters: at once where it ran on the same machine, after
    two minutes of silence where it ran on another. Folds that it has scored are not learned again.
    So of `trials` each is finished once, and each training of the comparison, which processes share
    as well.

    Examples
    --------
    >>> import recurra as rc
    >>> X = [[k % 3, k % 3 + 1.0, k % 3] for k in range(30)]
    >>> y = [k % 3 for k in range(30)]
    >>> model = rc.Regressor(hidden_size=4, training=rc.Training(steps=20))
    >>> found = rc.tune(model, X, y, trials=2, space={"hidden_size": rc.tuning.Whole(2, 8)},
    ...                 by=rc.tuning.HeldOut(0.3))
    >>> found.trials.state.tolist(), found.score <= found.default_score
    (['finished', 'finished'], True)
    """
    need("optuna", extra="tune", purpose="Tuning")
    check_alone(
        "tune",
        "Start it in as many processes as you like by themselves, not by torchrun, "
        "with one storage='study.journal': they share its trials.",
    )
    check_estimator(estimator)
    _check_budget(trials, seconds)
    chosen = check_space(default_space(estimator) if space is None else space, estimator)
    judge = judge_for(estimator, (X, y, _checked(how)), metric, by)
    board = _open_board(estimator, judge, chosen, trials, check_seed(seed), (storage, study))
    begun = time.monotonic()
    end = None if seconds is None else begun + seconds
    until = None if seconds is None else begun + (1 - SHARE) * seconds
    disable = hidden(progress)
    with tqdm(total=trials, desc="tuning", unit="trial", disable=disable) as bar:
        _work(estimator, judge, board, until, pruning).run(bar)
    found = _decided(estimator, judge, chosen, board, end, disable)
    if not refit:
        return found
    model = configured(estimator, found.parameters)
    settled(model.fit(X) if isinstance(model, Forecaster) else model.fit(X, y, **how))
    return Tuning(**{**found.__dict__, "model": model})


def _open_board(
    estimator: Any,
    judge: Judge,
    space: dict[str, Choice | Whole | Real],
    trials: int | None,
    seed: int,
    where: tuple[str | os.PathLike[str] | None, str],
) -> Board:
    """Open the study, and see that it is of the same."""
    from recurra.tuning.board import Board
    from recurra.tuning.storage import open_storage, open_study

    storage, name = open_storage(where[0]), where[1]
    options = estimator.get_params(deep=False) | training_changes(estimator)
    about = {
        "estimator": f"{type(estimator).__name__} with {options!r}",
        "space": repr(space),
        "metric": judge.measure,
        "way of scoring": judge.told,
        "data": judge.digest,
        "seed": str(seed),
    }
    open_study(storage, name, about, judge.greater)
    default = encoded(space, own_values(estimator, space))
    return Board(name, storage, space, default, trials, seed)


def _work(
    estimator: Any, judge: Judge, board: Board, deadline: float | None, pruning: bool
) -> Work:
    """Say what a trial is."""
    from recurra.tuning.watching import Watch
    from recurra.tuning.working import Work

    def score(attempt: Attempt, until: float | None) -> float:
        watch = Watch(attempt.trial, judge.greater, pruning, until, attempt.known)
        return judge.score(configured(estimator, attempt.parameters, progress=False), watch)

    return Work(board, score, deadline, vital=True)


def _decided(
    estimator: Any,
    judge: Judge,
    space: dict[str, Choice | Whole | Real],
    board: Board,
    deadline: float | None,
    disable: bool | None,
) -> Tuning:
    """Take the first of the best trials that is better than the default where none was chosen."""
    table = _table(estimator, space, board)
    ranked = ranking(table, judge.greater)
    if not ranked:
        errors = table[table["state"] == "failed"]["error"]
        raise TrainingError(
            f"None of {len(table)} trials finished. The first failed so: {errors.iloc[0]} Narrow "
            "the space, or fit the estimator by itself to see more."
        )
    rows, counted = table.set_index("trial"), board.counted()
    taken, confirmations = 0, []
    if rows["state"].get(0) == "failed":
        taken = ranked[0]
    else:
        pairs = count_pairs(len(table), judge.trainings)
        for trial in ranked[: ranked.index(0)][:RIVALS]:
            rival = trial, decoded(space, counted[trial].params)
            confirmations.append(confirm(estimator, judge, rival, board, pairs, deadline, disable))
            if confirmations[-1].holds:
                taken = trial
                break
    return Tuning(
        estimator=type(estimator).__name__,
        measure=judge.measure,
        greater=judge.greater,
        judged_on=judge.told,
        parameters=decoded(space, counted[taken].params) if taken else {},
        score=float(rows["score"].get(taken, nan)),
        default_score=float(rows["score"].get(0, nan)),
        trials=table,
        confirmations=tuple(confirmations),
    )


def _table(estimator: Any, space: dict[str, Choice | Whole | Real], board: Board) -> pd.DataFrame:
    """List all trials; None for what an estimator chooses by its data."""
    from recurra.tuning.board import ERROR

    states = {"COMPLETE": "finished", "PRUNED": "stopped early", "FAIL": "failed"}
    attempts = board.attempts()
    rows = []
    for place, trial in board.counted().items():
        took = trial.duration.total_seconds() if trial.duration else float("nan")
        score = trial.value if trial.state.name == "COMPLETE" else None
        told = {
            "trial": place,
            "score": float("nan") if score is None else score,
            "state": states.get(trial.state.name, "running"),
            "seconds": took,
            "attempts": len(attempts[place]),
            "error": trial.user_attrs.get(ERROR, ""),
        }
        values = decoded(space, trial.params) if place else own_values(estimator, space)
        rows.append((told, dict.fromkeys(space) | values))
    table = pd.DataFrame([told for told, _ in rows])
    for name in space:  # as objects: None among whole numbers would make fractions of them
        table[name] = pd.Series([values[name] for _, values in rows], dtype=object)
    return table


def _check_budget(trials: int | None, seconds: float | None) -> None:
    """Refuse a search that would never end, or never begin."""
    if trials is None and seconds is None:
        raise OptionError("There is no budget. Give trials=50, or seconds=600, or both.")
    if trials is not None:
        check_count("trials", trials)
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if seconds is not None and not (number and seconds > 0):
        raise OptionError(f"seconds={seconds!r}, but it must be a positive number.")


def _checked(how: dict[str, Any]) -> dict[str, Any]:
    """Refuse what the search decides itself."""
    for name in ("validation", "callbacks"):
        if how.get(name) is not None:
            raise OptionError(f"{name}= is for fit: a search holds records out by itself.")
    return how
