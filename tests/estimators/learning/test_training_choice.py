"""Some options of a training are changed; the others still follow from the data."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone

from recurra import Classifier, LanguageModel, Training, load
from recurra.errors import OptionError
from recurra.estimators.learning.record_defaults import default_training

X, Y = [[0.0, 1.0], [1.0, 0.0]] * 6, ["up", "down"] * 6
QUICK = {"steps": 6, "progress": False}


def test_what_is_not_changed_still_follows_from_the_data():
    model = Classifier(hidden_size=4).set_training(**QUICK).fit(X, Y)
    chosen = model.settle_training().training
    assert chosen == replace(default_training(len(X)), **QUICK)
    assert chosen != Training(**QUICK)


def test_a_training_that_is_told_is_changed_itself():
    model = Classifier(training=Training(steps=9)).set_training(batch_size=3)
    assert (model.training.steps, model.training.batch_size) == (9, 3)
    assert model.training_changes == {}


def test_a_training_that_is_told_later_says_everything():
    model = Classifier(hidden_size=4).set_training(steps=500)
    model.set_params(training=Training(steps=3, progress=False)).fit(X, Y)
    assert len(model.log_.loss) == 3


def test_changes_add_up_and_a_clone_has_them_as_its_own():
    model = Classifier().set_training(steps=500).set_training(batch_size=3)
    other = clone(model).set_training(steps=7)
    assert other.training_changes == {"steps": 7, "batch_size": 3}
    assert model.training_changes == {"steps": 500, "batch_size": 3}
    assert other.training is None


def test_a_settled_training_is_that_of_every_clone_whatever_the_data():
    model = Classifier(hidden_size=4).set_training(**QUICK).fit(X, Y).settle_training()
    again = clone(model)
    assert again.training == model.training
    assert again.training_changes == {}


def test_going_once_through_records_is_once_whatever_steps_are_said():
    model = Classifier(hidden_size=4).set_training(batch_size=3, **QUICK).fit(X, Y)
    assert len(model.partial_fit(X, Y).log_.loss) == len(X) / 3
    text = "to be or not to be. " * 60
    writer = LanguageModel(hidden_size=8).set_training(batch_size=2, truncation=50, **QUICK)
    assert len(writer.fit(text).partial_fit(text).log_.loss) == len(text) / (2 * 50)


def test_text_is_learned_for_as_many_steps_as_are_said():
    model = LanguageModel(hidden_size=8).set_training(**QUICK).fit("to be or not to be. " * 60)
    assert len(model.log_.loss) == 6


def test_what_training_does_not_have_is_refused_with_what_is_near():
    with pytest.raises(OptionError, match=r"no option 'step'. Did you mean 'steps'"):
        Classifier().set_training(step=3)


def test_how_it_was_trained_is_not_known_before_fitting_nor_from_a_file(tmp_path):
    with pytest.raises(OptionError, match="Fit it first"):
        Classifier().settle_training()
    Classifier(hidden_size=4).set_training(**QUICK).fit(X, Y).save(tmp_path / "m.recurra")
    loaded = load(tmp_path / "m.recurra")
    assert loaded.training_changes == {}
    assert np.isfinite(loaded.predict_proba(X)).all()
    with pytest.raises(OptionError, match="Fit it first"):
        loaded.settle_training()
