import importlib.util
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import recurra as rc
from recurra.data import SequenceDataset, Stream
from recurra.data.offsets import offsets_of
from recurra.diagnosing import Finding, Measures
from recurra.diagnosing.advising import Advising
from recurra.diagnosing.judging import judge_layer
from recurra.diagnosing.listening import listening
from recurra.diagnosing.measures import measure_layer
from recurra.diagnosing.pictures import draw
from recurra.diagnosing.walking import walked
from recurra.errors import NotFittedError, OptionError
from recurra.layers import LSTM
from recurra.testing.estimator_cases import CASES, brief

ROOT = Path(__file__).parents[2]


def benchmark():
    spec = importlib.util.spec_from_file_location("doctor", ROOT / "benchmarks" / "doctor.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


doctor = benchmark()


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("illness", doctor.ILLNESSES)
def test_a_planted_illness_is_named_with_advice(illness, seed):
    code, fit = doctor.ILLNESSES[illness]
    diagnosis = doctor.examine(fit, seed)
    (found, *_) = diagnosis.of(code)
    assert found.level != "note"
    assert found.sentence.endswith(".")
    assert found.advice.endswith(".")
    assert not diagnosis.healthy


@pytest.mark.parametrize("seed", [0, 1, 2, 4, 10])
def test_a_healthy_network_is_left_in_peace(seed):
    diagnosis = doctor.examine(doctor.healthy, seed)
    assert diagnosis.healthy, str(diagnosis)
    assert "healthy: nothing wrong was found" in str(diagnosis)


def fitted(**options):
    X, y = doctor.copied(0, 3, 12, 80)
    given = {"hidden_size": 8, "validation": 0, "training": brief(20)} | options
    return rc.Regressor(**given).fit(X, y), X, y


@pytest.mark.parametrize("name", CASES)
def test_every_task_can_be_diagnosed_and_stays_as_it_is(name):
    case = CASES[name]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = case.fitted()
        before = {k: v.clone() for k, v in model.network_.state_dict().items()}
        kept, chance = set(vars(model)), torch.get_rng_state()
        diagnosis = model.diagnose(*case.data())
    assert diagnosis.measures.layers
    assert diagnosis.measures.parameters
    assert np.isfinite(diagnosis.measures.loss)
    assert all(torch.equal(before[k], v) for k, v in model.network_.state_dict().items())
    assert all(each.grad is None for each in model.network_.parameters())
    assert set(vars(model)) == kept
    assert not model.network_.training
    assert torch.equal(torch.get_rng_state(), chance)


def test_the_same_question_gets_the_same_answer():
    model, X, y = fitted()
    one, other = model.diagnose(X, y), model.diagnose(X, y)
    assert str(one) == str(other)
    assert one.measures.layers[0].gradient.tolist() == other.measures.layers[0].gradient.tolist()


def test_an_estimator_that_learned_nothing_says_so():
    with pytest.raises(NotFittedError):
        rc.Regressor().diagnose([[1.0]], [1.0])
    with pytest.raises(NotFittedError):
        rc.Forecaster().diagnose(doctor.seasons(0))


def test_a_forecaster_is_held_against_its_season():
    df = doctor.seasons(0, 4, 120)
    model = rc.Forecaster(hidden_size=8, season_length=12, training=rc.Training(30, progress=False))
    found = model.fit(df).diagnose(df).measures
    assert found.seasons == (12,)
    assert len(found.autocorrelation.values) == 61
    assert len(found.by_position) == found.layers[0].steps == 24


def test_a_forecaster_that_misses_its_season_is_told_how_long_it_is():
    random, at = np.random.default_rng(0), np.arange(400)
    rounds = [random.normal(size=25)[at % 25] for _ in range(6)]
    df = pd.concat(pd.DataFrame({"unique_id": k, "ds": at, "y": y}) for k, y in enumerate(rounds))
    training = rc.Training(40, progress=False)
    model = rc.Forecaster("rnn", hidden_size=4, season_length=[], context=24, training=training)
    diagnosis = model.fit(df).diagnose(df)
    (found,) = diagnosis.of("short_memory")
    assert found.numbers["lag"] in (25, 50)
    assert 'Use layer="lstm" or layer="gru".' in found.advice


# ------------------------------------------------------------------ numbers that are none


def test_a_hole_in_the_data_is_traced_to_record_row_and_column():
    model, X, y = fitted(treatments=[])
    X = X.copy()
    X[17, 5, 0] = np.nan
    (found,) = model.diagnose(X, y).of("not_finite")
    assert "record 17, row 5, column 'x0'" in found.sentence
    assert found.numbers == {"record": 17, "row": 5, "column": "x0"}


def test_a_weight_that_is_none_is_named():
    model, X, y = fitted()
    model.network_.layers[0].weight_hh_l0.data[3, 2] = float("nan")
    diagnosis = model.diagnose(X, y)
    (found,) = diagnosis.of("not_finite")
    assert "1 number of the weight 'layers.0.weight_hh_l0' is not finite" in found.sentence
    assert "[3, 2]" in found.sentence
    assert diagnosis.measures.layers == ()


def test_what_overflows_is_traced_to_the_module_the_record_and_the_row():
    X = [np.ones((3, 1)), np.ones((5, 1)), np.ones((4, 1))] * 20
    model = rc.Regressor(
        hidden_size=4, treatments=[], encoder_size=3, training=brief(), validation=0
    ).fit(X, np.arange(60.0))
    for weight in model.network_.encoders[0].parameters():
        weight.data.fill_(1e20)
    X = [each.copy() for each in X]
    X[31][2, 0] = 1e30
    offsets = offsets_of([len(each) for each in X])
    names = tuple(f"r{k}" for k in range(60))
    stream = Stream(np.concatenate(X), offsets, ("x0",))
    data = SequenceDataset(names, {"x": stream})
    (found,) = model.diagnose(data, np.arange(60.0)).of("not_finite")
    assert "says inf first: in record 'r31', row 2" in found.sentence
    assert "encoders.0" in found.place


# ------------------------------------------------------------------ how it is told


def test_a_diagnosis_is_a_table_a_text_and_a_picture():
    model, X, y = fitted()
    diagnosis = model.diagnose(1e4 * X, y)
    assert [*diagnosis.to_frame().columns] == ["code", "level", "place", "sentence", "advice"]
    assert len(diagnosis.to_frame()) == len(diagnosis.findings)
    assert repr(diagnosis).startswith("Diagnosis(Regressor: ")
    text = str(diagnosis)
    assert text.splitlines()[0].startswith("Regressor: 80 records looked at, loss ")
    assert "layers.0  gru" in text
    levels = [each.level for each in diagnosis.findings]
    assert levels == sorted(levels, key=["warning", "advice", "note"].index)


def test_pictures_are_drawn_of_what_there_is():
    pytest.importorskip("matplotlib")
    model, X, y = fitted()
    titles = [axis.get_title(loc="left") for axis in model.diagnose(X, y).plot().axes]
    assert [each for each in titles if each] == [
        "Gradient by lag",
        "Gates",
        "Length of the state",
        "Gradient by parameter",
        "Training",
    ]


def test_dead_units_of_gates_are_not_told_to_leave_relu():
    model, X, y = fitted()
    (layer,) = model.diagnose(X, y).measures.layers
    for activation, said in (("relu", "instead of relu"), ("tanh", "Scale what is read")):
        ill = replace(layer, activation=activation, dead=tuple(range(layer.units)), gates=())
        found = {each.code: each for each in judge_layer(ill, Advising({}))}["dead_units"]
        assert said in found.advice
        assert ("relu" in found.advice) == (activation == "relu")


def test_a_page_of_many_layers_shows_each_line_and_counts_what_is_left_out():
    pytest.importorskip("matplotlib")
    layer = LSTM(2, 4, num_layers=4, bidirectional=True)
    with listening(layer) as calls:
        layer(torch.randn(9, 3, 2))
    layers = tuple(measure_layer(walk) for walk in walked(calls[0]))
    page = draw(Measures("LSTM", 3, 9.0, 1.0, layers), "")
    titles = {axis.get_title(loc="left"): axis for axis in page.axes}
    for title in ("Gradient by lag", "Length of the state"):
        lines = [each for each in titles[title].lines if not each.get_label().startswith("_")]
        named = [each.get_text() for each in titles[title].get_legend().texts]
        assert len(named) == len({each.get_color() for each in lines}) == 6
        assert "(2 layers not drawn)" in titles[title].get_xlabel()
    assert "(12 gates not drawn)" in titles["Gates"].get_xlabel()


def test_advice_names_options_that_the_estimator_has():
    found = doctor.examine(doctor.forgetful, 0).of("short_memory")[0]
    assert found.advice == "Give memory=41, so that gates begin with memories of that length."


def test_a_level_that_is_none_is_refused():
    with pytest.raises(OptionError, match="level='bad'"):
        Finding("a", "bad", "b")
