import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import check_is_fitted

from recurra import Classifier, Forecaster, Regressor, Training
from recurra.errors import OptionError
from recurra.estimators.estimator import Estimator

X = np.random.default_rng(0).normal(size=(40, 5))
Y = X.sum(1)
TINY = {"hidden_size": 2, "validation": 0, "training": Training(steps=2, progress=False)}


class Outer(Estimator):
    def __init__(self, inner=None, size=1):
        self.inner = inner
        self.size = size


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_options_are_given_and_changed_by_name_also_those_of_an_estimator_inside():
    outer = Outer(Regressor("lstm"))
    assert outer.get_params(deep=False) == {"inner": outer.inner, "size": 1}
    assert outer.get_params()["inner__layer"] == "lstm"
    assert outer.set_params(size=2, inner__hidden_size=7) is outer
    assert (outer.size, outer.inner.hidden_size) == (2, 7)


def test_an_option_and_what_is_inside_it_can_be_changed_together():
    outer = Outer().set_params(inner__layer="rnn", inner=Regressor())
    assert outer.inner.layer == "rnn"


def test_an_option_that_is_not_there_is_refused_and_the_nearest_named():
    with pytest.raises(OptionError, match=r"hiden_size.*Did you mean 'hidden_size'"):
        Regressor().set_params(hiden_size=3)
    with pytest.raises(OptionError, match="layr"):
        Outer(Regressor()).set_params(inner__layr="rnn")


def test_the_repr_shows_what_is_not_as_usual_by_name():
    assert repr(Regressor(layer="lstm", hidden_size=3)) == "Regressor(hidden_size=3, layer='lstm')"
    assert repr(Outer(Forecaster())) == "Outer(inner=Forecaster())"


def test_a_clone_has_the_same_options_copied_and_has_learned_nothing():
    model = Regressor(**TINY, pooling=["last", "mean"]).fit(X, Y)
    made = clone(model)
    assert made.get_params() == model.get_params()
    assert made.pooling is not model.pooling
    with pytest.raises(NotFittedError):
        check_is_fitted(made)
    check_is_fitted(model)


def test_scikit_learn_tells_classifiers_and_regressors_apart():
    assert is_classifier(Classifier())
    assert is_regressor(Regressor())
    assert not is_classifier(Regressor())
    assert not is_regressor(Forecaster())


def test_a_pipeline_in_a_grid_search_changes_options_inside():
    steps = Pipeline([("scale", StandardScaler()), ("model", Regressor(**TINY))])
    found = GridSearchCV(steps, {"model__layer": ["gru", "rnn"]}, cv=2, error_score="raise")
    assert found.fit(X, Y).best_params_["model__layer"] in ("gru", "rnn")


def test_a_notebook_shows_a_picture_unless_text_is_asked_for():
    assert "Regressor" in Regressor()._repr_html_()
    with sklearn.config_context(display="text"):
        assert Regressor()._repr_html_() is None


def test_routing_knows_the_arguments_of_each_method():
    known = get_routing_for_object(Regressor())
    assert known.partial_fit.requests == {"sample_weight": None, "callbacks": None}
    assert known.score.requests == {"sample_weight": None}
    assert known.predict.requests == {}
    assert get_routing_for_object(Forecaster()).predict.requests.keys() == {"h", "level", "future"}


@pytest.mark.usefixtures("routing")
def test_routing_hands_on_what_is_asked_for_also_to_a_clone_and_after_a_pickle():
    model = Regressor(**TINY).set_fit_request(sample_weight="mass")
    model = pickle.loads(pickle.dumps(clone(model.set_score_request(sample_weight=True))))
    assert model.get_metadata_routing().fit.requests["sample_weight"] == "mass"
    mass = np.r_[np.zeros(20), np.ones(20)]
    given = {"mass": mass, "sample_weight": np.ones(40)}
    heavy = cross_validate(model, X, Y, cv=4, params=given, return_estimator=True)
    assert len(heavy["estimator"]) == 4
    assert np.isfinite(heavy["test_score"]).all()
    light = cross_validate(model, X, Y, cv=4, params={**given, "mass": mass[::-1]})
    assert (light["test_score"] != heavy["test_score"]).any()


@pytest.mark.usefixtures("routing")
def test_what_is_passed_and_was_not_asked_for_is_scikit_learns_error():
    with pytest.raises(ValueError, match="not explicitly set as requested"):
        cross_validate(Regressor(**TINY), X, Y, cv=2, params={"sample_weight": np.ones(40)})


def test_a_request_for_what_a_method_does_not_take_is_refused_and_changes_nothing():
    model = Regressor()
    with pytest.raises(TypeError, match="fit takes no 'weight'"):
        model.set_fit_request(weight=True)
    with pytest.raises(ValueError, match="valid identifier"):
        model.set_fit_request(sample_weight="1 kg")
    assert model.get_metadata_routing().fit.requests["sample_weight"] is None


def test_a_request_is_of_one_model_alone():
    Regressor().set_fit_request(sample_weight=True)
    assert Regressor().get_metadata_routing().fit.requests["sample_weight"] is None
