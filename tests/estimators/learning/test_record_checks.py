"""What estimators of records refuse, and what they tell of."""

import numpy as np
import pytest

from recurra import Classifier, Regressor, Training
from recurra.data import Scale, from_arrays
from recurra.errors import DataError, DataWarning, OptionError

NAN = float("nan")
LABELS = [0, 1] * 10


def records(number=20):
    random = np.random.default_rng(0)
    return [random.normal(size=(size, 2)) for size in (3 + k % 3 for k in range(number))]


def model(kind=Classifier, **options):
    return kind(hidden_size=2, training=Training(steps=2, progress=False), **options)


@pytest.mark.parametrize("kind", [Classifier, Regressor])
def test_a_record_without_steps_gets_no_answer_and_changes_no_other(kind):
    X = records()
    fitted = model(kind).fit(X, LABELS)
    whole = fitted.predict(X[:3])
    with pytest.warns(DataWarning, match="2 of 5 records have no steps.*the first is 1"):
        some = fitted.predict([X[0], [], X[1], np.zeros((0, 2)), X[2]])
    assert some[[0, 2, 4]].tolist() == whole.tolist()
    assert all(one is None or np.isnan(one) for one in some[[1, 3]])
    with pytest.warns(DataWarning, match="2 of 2"):
        assert len(fitted.predict([[], []])) == 2


def test_static_covariates_tell_of_a_record_without_steps():
    X, static = [*records()[:-1], np.zeros((0, 2))], np.arange(20.0)[:, None]
    fitted = model().fit(X, LABELS, static=static)
    assert np.isfinite(fitted.predict_proba(X, static=static)).all()


def test_a_refused_fit_leaves_the_model_as_it_was():
    X = records()
    fitted = model().fit(X, ["no", "yes"] * 10)
    before = fitted.predict_proba(X)
    with pytest.raises(DataError):
        fitted.set_params(treatments=[Scale()]).fit([x * NAN for x in X], [3, 4] * 10)
    holes = [np.where(x > 1, NAN, x) for x in X]
    with pytest.raises(DataError, match="no treatment fills it"):
        fitted.fit(holes, [3, 4] * 10)
    assert fitted.classes_.tolist() == ["no", "yes"]
    assert np.array_equal(fitted.predict_proba(X), before)


def test_a_layer_that_reads_holes_needs_no_filling():
    X = records()
    X[0][0, 0] = NAN
    fitted = model(layer="grud", treatments=[Scale()]).fit(X, LABELS)
    assert np.isfinite(fitted.predict_proba(X)).all()
    with pytest.raises(DataError, match="stream 'static' is missing"):
        model(layer="grud", treatments=[Scale()]).fit(X, LABELS, static=[[NAN]] + [[1.0]] * 19)


def test_a_hole_that_comes_after_learning_is_filled_and_told():
    fitted = model().fit(records(), LABELS)
    holes = records()
    holes[3][2, 1] = NAN
    with pytest.warns(DataWarning, match=r"1 of \d+ values of 'x' are missing and were filled"):
        assert np.isfinite(fitted.predict_proba(holes)).all()


def test_an_output_that_never_varies_is_answered_exactly(tmp_path):
    X, y = records(), np.column_stack([np.arange(20.0), np.full(20, 0.1)])
    with pytest.warns(DataWarning, match=r"The target 'y1' is always 0\.1"):
        fitted = model(Regressor).fit(X, y)
    assert fitted.predict(X)[:, 1].tolist() == [0.1] * 20


def test_an_output_that_is_never_known_is_refused():
    y = np.column_stack([np.arange(20.0), np.full(20, NAN)])
    with pytest.raises(DataError, match=r"No record .*column 'y1'"):
        model(Regressor).fit(records(), y)


def test_records_without_a_known_number_are_left_out_with_a_count():
    y = [NAN, NAN, *np.arange(18.0)]
    with pytest.warns(DataWarning, match="2 of 20 records have no known target: left out"):
        assert model(Regressor).fit(records(), y).notes_


@pytest.mark.parametrize("labels", [LABELS, ["no", "yes"] * 10])
def test_a_category_that_is_the_label_is_told_of(labels):
    offsets = np.arange(21)
    data = from_arrays([[x] for x in range(20)], labels)
    values = np.array(LABELS, float)[:, None]
    copy = data.stream.__class__(values, offsets, ("c",), categories={"c": tuple(labels[:2])})
    with pytest.warns(DataWarning, match="'c' of 'x' equals the target 'y' in all 20 records"):
        model().fit(data.with_streams(x=copy))


def test_an_unknown_argument_is_answered_with_a_guess():
    with pytest.raises(OptionError, match=r"There is no argument 'tmes'. Did you mean 'times'"):
        model().fit(records(), LABELS, tmes=3)
