"""The laws of answering: what an answer may depend on, what is kept, what is refused."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from copy import deepcopy
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import numpy as np

from recurra.artifact import read_model
from recurra.errors import FileError, NotFittedError, OptionError, RecurraError
from recurra.estimators.loading import CLASSES, load
from recurra.testing.advice import advice
from recurra.testing.answers import apart, count, pick
from recurra.testing.estimator_case import EstimatorCase

__all__ = [
    "a_copy_and_a_pickle_answer_the_same",
    "a_record_is_answered_alone_as_among_others",
    "a_saved_one_answers_to_the_bit",
    "going_step_by_step_is_the_same_as_reading",
    "nothing_is_answered_before_learning",
    "records_may_come_in_any_order",
    "the_report_has_a_simple_model_beside_it",
    "what_has_no_steps_is_told",
    "what_is_missing_or_infinite_is_told",
    "wrong_data_are_refused_with_advice",
]

TOLERANCE = 1e-6


def nothing_is_answered_before_learning(case: EstimatorCase) -> None:
    """Check that an estimator that has not learned says so, whatever it is asked.

    Parameters
    ----------
    case : EstimatorCase
        The estimator.
    """
    model: Any = case.make()
    for name in case.methods:
        with advice(f"{name} before fit", NotFittedError):
            getattr(model, name)(case.X)
    with advice("report before fit", NotFittedError):
        model.report()
    if hasattr(model, "stream"):
        needed = [each for each in signature(model.stream).parameters.values() if _is_needed(each)]
        with advice("stream before fit", NotFittedError):
            model.stream(*(pick(case.X, [0]) for _ in needed))
    with tempfile.TemporaryDirectory() as folder:
        with advice("save before fit", NotFittedError):
            model.save(Path(folder) / "model")
        assert not list(Path(folder).iterdir()), "save before fit leaves a file"


def a_record_is_answered_alone_as_among_others(case: EstimatorCase) -> None:
    """Check that neither neighbours nor the padding they cause change an answer.

    Parameters
    ----------
    case : EstimatorCase
        The estimator and its data.
    """
    model = case.fitted()
    among = case.ask(model)
    for place in range(0, case.records, 5):
        alone = case.ask(model, pick(case.X, [place]))
        for name in case.methods:
            distance = apart(alone[name], pick(among[name], [place]))
            said = f"{name} of record {place} alone differs by {distance:.2e} from among others"
            assert distance <= TOLERANCE, said


def records_may_come_in_any_order(case: EstimatorCase) -> None:
    """Check that each record gets its own answer, in whatever order they come.

    Parameters
    ----------
    case : EstimatorCase
        The estimator and its data.
    """
    model = case.fitted()
    order = np.random.default_rng(0).permutation(case.records).tolist()
    straight, turned = case.ask(model), case.ask(model, pick(case.X, order))
    for name in case.methods:
        distance = apart(turned[name], pick(straight[name], order))
        assert distance <= TOLERANCE, f"{name} in another order differs by {distance:.2e}"


def a_saved_one_answers_to_the_bit(case: EstimatorCase) -> None:
    """Check that a file gives back the same answers, options, notes and report, to the bit.

    Parameters
    ----------
    case : EstimatorCase
        The estimator and its data.
    """
    model = case.fitted()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.recurra"
        model.save(path)
        again = _loaded(type(model), path)
        again.save(other := Path(folder) / "again.recurra")
        assert apart(read_model(other), read_model(path)) == 0.0, "saved again, it is another"
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        with advice("a damaged file", FileError):
            _loaded(type(model), path)
    assert type(again) is type(model), f"a {type(again).__name__} came back"
    assert apart(case.ask(again), case.ask(model)) == 0.0, "the answers differ"
    assert str(again.report()) == str(model.report()), "the report differs"
    assert again.notes_ == model.notes_, "the notes differ"
    for name, value in again.get_params(deep=False).items():
        if name != "treatments":
            assert value == getattr(model, name), f"the option {name} differs"
    again.partial_fit(*case.data())  # what comes back can learn


def a_copy_and_a_pickle_answer_the_same(case: EstimatorCase) -> None:
    """Check that `copy.deepcopy` and `pickle` give an estimator of its own that answers the same.

    Parameters
    ----------
    case : EstimatorCase
        The estimator and its data.
    """
    model = case.fitted()
    answers = case.ask(model)
    for how, other in (
        ("a copy", deepcopy(model)),
        ("a pickle", pickle.loads(pickle.dumps(model))),
    ):
        assert apart(case.ask(other), answers) == 0.0, f"{how} answers otherwise"
        other.partial_fit(*case.data())
        assert apart(case.ask(model), answers) == 0.0, f"what {how} learns changes the first"
    for how, new in (("a copy", deepcopy(case.make())), ("a pickle", _pickled(case.make()))):
        assert repr(new) == repr(case.make()), f"{how} of one that has not learned differs"


def the_report_has_a_simple_model_beside_it(case: EstimatorCase) -> None:
    """Check that the report names the estimator's score, and a simple model's by the same measure.

    Parameters
    ----------
    case : EstimatorCase
        The estimator and its data.
    """
    model = case.fitted()
    report = model.report()
    own = {each.measure: each for each in report.scores if each.model == type(model).__name__}
    simple = [each for each in report.scores if each.model != type(model).__name__]
    assert own, "the report has no score of the estimator"
    assert simple, "the report has no simple model beside it"
    assert report.scores[0].model == type(model).__name__, "its own score does not come first"
    for each in report.scores:
        assert np.isfinite(each.value), f"{each.measure} of {each.model} is {each.value}"
    assert {each.measure for each in simple} & {*own}, "they are measured by different measures"
    said = str(report)
    for word in (type(model).__name__, next(iter(own)), simple[0].model):
        assert word in said, f"the printed report does not say {word!r}"


def going_step_by_step_is_the_same_as_reading(case: EstimatorCase) -> None:
    """Check that ``stream()``, fed step by step, says what the full pass says, within 1e-6.

    Where a model cannot be streamed, ``stream()`` refuses with an `OptionError`. What "the same"
    is, ``case.follow`` says.

    Parameters
    ----------
    case : EstimatorCase
        The estimator and its data.
    """
    model = case.fitted()
    assert hasattr(model, "stream"), "it has no stream()"
    if case.follow is None:
        with advice("stream() of what cannot be streamed", OptionError):
            model.stream()
        return
    for place in range(0, case.records, 7):
        streamed, read = case.follow(model, pick(case.X, [place]))
        distance = apart(streamed, read)
        assert distance <= TOLERANCE, f"record {place}, streamed, differs by {distance:.2e}"


def wrong_data_are_refused_with_advice(case: EstimatorCase) -> None:
    """Check that data nothing can be learned from, or of another kind, are refused with advice.

    Parameters
    ----------
    case : EstimatorCase
        The estimator and its data.
    """
    with advice("fit with no records"):
        case.make().fit(*case.data([]))
    with advice("fit with an argument that does not exist", OptionError):
        case.make().fit(*case.data(), no_such_argument=[1.0])
    for what, data in case.wrong.items():
        with advice(f"fit with {what}"):
            case.make().fit(*data)
    if _are_arrays(case.X):
        model = case.fitted()
        for name in case.methods:
            with advice(f"{name} of a stream it never saw"):
                getattr(model, name)({"another": case.X})
            wider = [np.concatenate([each, each], 1) for each in map(_square, case.X)]
            with suppress(RecurraError):  # or what is too much is left out, and told
                getattr(model, name)(wider)


def what_has_no_steps_is_told(case: EstimatorCase) -> None:
    """Check that a record without steps is refused, or is answered and changes no other answer.

    Parameters
    ----------
    case : EstimatorCase
        The estimator and its data.
    """
    if not isinstance(case.X, list) or not hasattr(case.X[0], "__len__"):
        return
    model = case.fitted()
    straight = case.ask(model)
    for name in case.methods:
        try:
            said = getattr(model, name)([case.X[0][:0], *case.X])
        except RecurraError:
            continue
        left_out = count(said) == case.records
        rest = said if left_out else pick(said, range(1, case.records + 1))
        assert apart(_plain(rest), _plain(straight[name])) <= TOLERANCE, (
            f"{name} of others changes where a record has no steps"
        )
    with suppress(RecurraError):
        case.make().fit([case.X[0][:0], *case.X[1:]], case.y)


def what_is_missing_or_infinite_is_told(case: EstimatorCase) -> None:
    """Check that a hole is filled or refused, that no answer gets lost in it, and no infinity read.

    Parameters
    ----------
    case : EstimatorCase
        The estimator and its data.
    """
    if not _are_arrays(case.X):
        return
    model = case.fitted()
    for name in case.methods:
        try:
            said = getattr(model, name)(_spoiled(case.X, np.nan))
        except RecurraError:
            pass
        else:
            assert _all_known(said), f"{name} is unknown where one value is missing"
            rest = range(1, case.records)
            distance = apart(pick(said, rest), pick(getattr(model, name)(case.X), rest))
            assert distance <= TOLERANCE, f"{name} of others changes where a value is missing"
        with advice(f"{name} of an infinite value"):
            getattr(model, name)(_spoiled(case.X, np.inf))
    with advice("fit with an infinite value"):
        case.make().fit(_spoiled(case.X, np.inf), case.y)
    try:
        holes = case.make().fit(_spoiled(case.X, np.nan), case.y)
    except RecurraError:
        return
    assert all(np.isfinite(each).all() for each in _weights(holes)), "a hole spoils the weights"


def _loaded(kind: Any, path: Path) -> Any:
    """Load a file; an estimator of somebody else is not known by name."""
    if CLASSES.get(kind.__name__) is kind:
        return load(path)
    return kind._restore(*read_model(path))


def _is_needed(parameter: Parameter) -> bool:
    """Say whether a call must give an argument."""
    named = parameter.kind in (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL)
    return parameter.default is Parameter.empty and not named


def _pickled(model: Any) -> Any:
    return pickle.loads(pickle.dumps(model))


def _weights(model: Any) -> Iterable[Any]:
    return [each.detach().numpy() for each in model.network_.parameters()]


def _are_arrays(X: Any) -> bool:
    """Say whether records are a list of numbers."""
    if not isinstance(X, list):
        return False
    return all(np.asarray(each).dtype.kind in "fiu" for each in X)


def _square(record: Any) -> Any:
    """Give a record as steps and channels."""
    array = np.asarray(record, float)
    return array[:, None] if array.ndim == 1 else array


def _spoiled(X: Any, value: float) -> list[Any]:
    """Put another value at the beginning of the first record."""
    first = _square(X[0]).copy()
    first[0, 0] = value
    return [first, *map(_square, X[1:])]


def _all_known(said: Any) -> bool:
    """Say whether no answer is NaN or None."""
    if said is None:
        return False
    if isinstance(said, dict):
        return all(_all_known(each) for each in said.values())
    if isinstance(said, list | tuple) or (isinstance(said, np.ndarray) and said.dtype == object):
        return all(_all_known(each) for each in said)
    array = np.asarray(said)
    return array.dtype.kind != "f" or not bool(np.isnan(array).any())


def _plain(said: Any) -> Any:
    """Give answers as a list, for what is asked with an unknown one is of another type."""
    if isinstance(said, dict):
        return {name: _plain(each) for name, each in said.items()}
    return said.tolist() if isinstance(said, np.ndarray) else said
