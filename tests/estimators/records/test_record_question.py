from functools import cache

import numpy as np
import pytest
import torch

from recurra import Classifier, MultiTask, Regressor, Tagger, Training, load
from recurra.data import Stream, from_arrays, from_images
from recurra.data.sequences import SequenceDataset
from recurra.errors import DataError, NotFittedError, OptionError
from recurra.explaining.gradients import gradients

SHORT = Training(steps=30, progress=False)
FEW = {"hidden_size": 6, "training": SHORT, "validation": 0}
CHANCE = np.random.default_rng(0)
X = CHANCE.normal(size=(40, 7, 3))
GAPPY = np.where(CHANCE.random(X.shape) < 0.2, np.nan, X)
Y = np.where(X[:, 3, 1] > 0, "up", "down")
NUMBERS = 50 + 9 * X[:, 3, 1]
TEXTS = ["the good film was nice", "a bad film and dull"] * 20
WORDS = [text.split() for text in TEXTS]
TAGS = [["ADJ" if word in ("good", "bad", "nice", "dull") else "X" for word in w] for w in WORDS]
TIMES = np.datetime64("2024-01-01", "ns") + np.cumsum(
    CHANCE.integers(1, 9, (40, 7)), 1
) * np.timedelta64(1, "h")


def signals():
    values = CHANCE.normal(size=(40 * 90, 1))
    return SequenceDataset(
        tuple(range(40)),
        {"wave": Stream(values, np.arange(0, 3601, 90), ("left",), "signal", rate=100.0)},
    )


def colours():
    values = np.stack([X[..., 0] > 0, X[..., 1]], -1).reshape(-1, 2).astype(float)
    labels = {"colour": ("red", "blue")}
    offsets = np.arange(0, 281, 7)
    return SequenceDataset(
        tuple(range(40)), {"x": Stream(values, offsets, ("colour", "size"), categories=labels)}
    )


def frames():
    return from_images(
        [CHANCE.integers(0, 255, (3, 6, 5), np.uint8) for _ in range(40)], read="frames"
    )


def documents():
    return {"x": X, "note": TEXTS}


def log_odds(chances, label, model):
    p = chances[list(model.classes_).index(label)]
    return np.log(p / (1 - p))


MODELS = {
    "numbers": lambda: (Classifier(**FEW), X, Y, {}),
    "holes": lambda: (Classifier(**FEW), GAPPY, Y, {}),
    "layer that decays": lambda: (Classifier("grud", **FEW), GAPPY, Y, {}),
    "uneven times": lambda: (Classifier(**FEW), list(GAPPY), Y, {"times": list(TIMES)}),
    "static": lambda: (Classifier(**FEW), X, Y, {"static": X[:, 0, :2]}),
    "static beside a layer that decays": lambda: (
        Classifier("grud", **FEW), GAPPY, Y, {"static": X[:, 0, :2]}
    ),
    "categories": lambda: (Classifier(**FEW, encoder_size=4), colours(), Y, {}),
    "texts": lambda: (Classifier(**FEW), TEXTS, Y, {}),
    "several streams": lambda: (Classifier(**FEW), documents(), Y, {}),
    "joined streams": lambda: (
        Classifier(**FEW, join="gated"), {"a": X[..., :1], "b": X[..., 1:]}, Y, {}
    ),
    "convolutions, shortcut, both ways": lambda: (
        Classifier("lstm", **FEW, front="convolution", shortcut=True, bidirectional=True,
                   pooling=("last", "attention")), X, Y, {}
    ),
    "labels in order": lambda: (Classifier(**FEW, ordinal=["down", "up"]), X, Y, {}),
    "signals": lambda: (Classifier(**FEW, treatments=[]), signals(), Y, {}),
    "frames": lambda: (Classifier(**FEW), frames(), Y, {}),
}  # fmt: skip


@cache
def fitted(name):
    model, records, labels, beside = MODELS[name]()
    return model.fit(records, labels, **beside), records, beside


def first(records, beside):
    if isinstance(records, dict):
        one = {name: each[:1] for name, each in records.items()}
    else:
        one = records.take([0]) if isinstance(records, SequenceDataset) else records[:1]
    return one, {name: each[:1] for name, each in beside.items()}


def asked_of(name, target="up", **more):
    model, records, beside = fitted(name)
    one, beside = first(records, beside)
    return model._question(one, target, **beside, **more)


def values_of(question):
    return {name: read.values[None] for name, read in question.reads.items()}


@pytest.mark.parametrize("name", MODELS)
def test_what_is_asked_is_what_predict_answers(name):
    model, records, beside = fitted(name)
    one, beside = first(records, beside)
    question = model._question(one, "up", **beside)
    assert question.asked == "log odds of 'up'"
    chances = model.predict_proba(one, **beside)[0]
    with torch.no_grad():
        answer = float(question.answer(values_of(question))[0])
    assert answer == pytest.approx(log_odds(chances, "up", model), abs=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_integrated_gradients_add_up(name):
    model, records, beside = fitted(name)
    one, beside = first(records, beside)
    if name.endswith("decays"):
        why = model.explain(one, **beside)
        assert (why.method, why.checks.completeness) == ("occlusion", None)
        return
    why = model.explain(one, **beside)
    assert why.method == "integrated gradients"
    assert why.checks.completeness <= 0.005
    assert sum(each.sum() for each in why.scores.values()) == pytest.approx(
        why.answer - why.baseline, rel=0.05, abs=0.01
    )


@pytest.mark.parametrize("name", MODELS)
def test_a_changed_record_does_not_depend_on_its_neighbours(name):
    question = asked_of(name)
    torch.manual_seed(0)
    many = {
        key: torch.cat([read.values[None], torch.randn(4, *read.values.shape) + read.baseline])
        for key, read in question.reads.items()
    }
    with torch.no_grad():
        together = question.answer(many)
        alone = [question.answer({k: v[n : n + 1] for k, v in many.items()}) for n in range(5)]
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_all_taken_away_leaves_the_answer_of_the_baseline(name):
    model, records, beside = fitted(name)
    one, beside = first(records, beside)
    why = model.explain(one, method="occlusion", **beside)
    assert why.checks.deletion.answers[-1] == why.baseline
    steps = max(len(read.values) for read in why.reads.values())
    whole = model.explain(
        one, method="occlusion", by="window", window=steps, checks=False, **beside
    )
    if len(whole.scores) == 1:
        (score,) = whole.scores.values()
        assert score.item() == pytest.approx(why.answer - why.baseline, abs=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_scores_are_of_the_channels_and_steps_of_the_user(name):
    model, records, beside = fitted(name)
    one, beside = first(records, beside)
    why = model.explain(one, checks=False, by="step and channel", **beside)
    wanted = {
        "texts": {"text": ("token",)},
        "several streams": {"x": ("x0", "x1", "x2"), "note": ("token",)},
        "joined streams": {"a": ("x0",), "b": ("x0", "x1")},
        "categories": {"x": ("size", "colour")},
        "signals": {"wave": ("left",)},
        "frames": {"image": tuple(f"{r},{c}" for r in range(6) for c in range(5))},
    }.get(name, {"x": ("x0", "x1", "x2")})
    found = {key: read.channels for key, read in why.reads.items() if key != "static"}
    if name == "uneven times":
        wanted = {"x": (*wanted["x"], *found["x"][3:])}  # and the time between steps
        assert len(found["x"]) == 4
    assert found == wanted
    assert ("static" in why.reads) == ("static" in name)
    for key, read in why.reads.items():
        assert why.scores[key].shape == (len(read.steps), len(read.channels))
        assert read.shown is None or read.shown.shape == why.scores[key].shape
    assert str(why)


def test_gradients_are_those_of_small_differences():
    question = asked_of("convolutions, shortcut, both ways")
    question.network = question.network.double()
    try:
        values = values_of(question)["x"].double()
        slopes = gradients(question, {"x": values})["x"][0]
        for t, k in [(0, 0), (3, 1), (6, 2)]:
            moved = values.repeat(2, 1, 1)
            moved[0, t, k] += 1e-5
            moved[1, t, k] -= 1e-5
            with torch.no_grad():
                above, below = question.answer({"x": moved})
            assert float(slopes[t, k]) == pytest.approx(float(above - below) / 2e-5, abs=1e-6)
    finally:
        question.network.float()


def test_a_token_goes_with_its_part_of_the_bag():
    model, records, _ = fitted("texts")
    question = model._question(records[:1], "up")
    read = question.reads["text"]
    bag = model.network_.bags[0]
    assert read.values.shape[1] == model.network_.encoders[0].width + bag.outputs
    assert read.values[:, -bag.outputs :].abs().sum() > 0
    assert read.steps == ("the", "good", "film", "was", "nice")


def test_a_word_never_seen_is_named_and_can_be_asked_about():
    model, _, _ = fitted("texts")
    why = model.explain(["the zyxgh film"])
    assert why.reads["text"].steps == ("the", "zyxgh", "film")
    assert "zyxgh" in str(why)


def test_a_mask_says_that_nothing_is_there_where_a_value_is_taken_away():
    question = asked_of("layer that decays")
    read = question.reads["x"]
    assert read.columns == ("x0", "x1", "x2") * 2
    there = ~np.isnan(GAPPY[0])
    assert np.array_equal(read.values[:, 3:].bool().numpy(), there)
    assert np.array_equal(np.isnan(read.shown), ~there)
    assert not read.baseline.any()
    model, records, _ = fitted("layer that decays")
    without = records[:1].copy()
    without[0, 5] = np.nan
    scores = model.explain(records[:1], "up", method="occlusion", checks=False).by_step()
    left = log_odds(model.predict_proba(without)[0], "up", model)
    whole = log_odds(model.predict_proba(records[:1])[0], "up", model)
    assert scores[5] == pytest.approx(whole - left, abs=1e-4)
    with pytest.raises(OptionError, match="Use method='occlusion'"):
        model.explain(records[:1], method="integrated gradients")


def test_columns_that_tell_of_holes_say_at_the_baseline_that_nothing_was_ever_seen():
    question = asked_of("holes")
    model, _, _ = fitted("holes")
    treated = question.looks.treated["x"].channels
    read = question.reads["x"]
    observed = [k for k, name in enumerate(treated) if name.endswith(":observed")]
    since = [k for k, name in enumerate(treated) if name.endswith(":since")]
    numbers = [k for k, name in enumerate(treated) if ":" not in name]
    assert len(observed) == len(since) == len(numbers) == 3
    assert not read.baseline[:, observed + numbers].any()
    nothing = model.preprocessor_.transform(from_arrays([np.full((7, 3), np.nan)])).stream
    assert np.allclose(read.baseline[:, since], nothing.values[:, since])
    assert (read.baseline[1:, since] > read.baseline[:-1, since]).all()


def test_steps_on_a_calendar_are_called_by_their_times():
    question = asked_of("uneven times")
    assert np.array_equal(np.array(question.reads["x"].steps), TIMES[0])
    assert asked_of("numbers").reads["x"].steps == tuple(range(7))
    assert asked_of("signals").reads["wave"].steps[:3] == (0.0, 0.01, 0.02)


def test_values_are_shown_in_the_units_of_the_user():
    shown = asked_of("holes").reads["x"].shown
    assert np.array_equal(shown, GAPPY[0], equal_nan=True)
    assert np.isnan(asked_of("categories").reads["x"].shown[:, 1]).all()


def test_another_record_can_be_the_baseline():
    model, records, _ = fitted("numbers")
    why = model.explain(records[:1], "up", baseline=records[1:2])
    other = log_odds(model.predict_proba(records[1:2])[0], "up", model)
    assert why.baseline == pytest.approx(other, abs=1e-4)
    assert why.checks.completeness <= 0.005
    same = model.explain(records[:1], "up", baseline=records[:1], checks=False)
    assert not same.scores["x"].any()


def test_a_baseline_of_another_length_is_refused():
    model, records, _ = fitted("numbers")
    with pytest.raises(OptionError, match="The baseline has 3 steps in stream 'x', but the rec"):
        model.explain(records[:1], baseline=records[:1, :3])
    with pytest.raises(OptionError, match="baseline holds 2 records"):
        model.explain(records[:1], baseline=records[:2])


def test_the_predicted_label_is_asked_for_unless_another_is_named():
    model, records, _ = fitted("numbers")
    for place in range(6):
        one = records[place : place + 1]
        why = model.explain(one, method="gradient x input", checks=False)
        assert why.asked == f"log odds of {model.predict(one)[0]!r}"
        up, down = (model.explain(one, label, checks=False).answer for label in ("up", "down"))
        assert up == pytest.approx(-down, abs=1e-6)


def test_labels_are_asked_at_the_temperature_of_the_model():
    model = Classifier(hidden_size=6, training=SHORT, validation=0.4).fit(X, Y)
    assert model.temperature_ != 1.0
    why = model.explain(X[:1], "up", checks=False)
    wanted = log_odds(model.predict_proba(X[:1])[0], "up", model)
    assert why.answer == pytest.approx(wanted, abs=1e-4)


def test_a_number_is_in_the_units_of_y():
    model = Regressor(**FEW).fit(X, NUMBERS)
    why = model.explain(X[:1])
    assert why.asked == "number 'y'"
    assert why.answer == pytest.approx(model.predict(X[:1])[0], abs=1e-4)
    assert why.checks.completeness <= 0.005


def test_one_of_several_numbers_is_named():
    model = Regressor(**FEW).fit(X, np.stack([NUMBERS, X[:, 0, 0]], 1))
    with pytest.raises(OptionError, match="'y' has 2 outputs, 0 to 1: say which, as in target=0"):
        model.explain(X[:1])
    for place in range(2):
        why = model.explain(X[:1], place, checks=False)
        assert why.answer == pytest.approx(model.predict(X[:1])[0, place], abs=1e-4)
    assert why.asked == "number 'y', output 1"


def test_one_of_several_labels_is_named_with_its_output():
    two = np.stack([Y, np.where(X[:, 0, 0] > 0, "up", "down")], 1)
    model = Classifier(**FEW).fit(X, two)
    with pytest.raises(OptionError, match=r"as in target=\(0, label\)"):
        model.explain(X[:1], "up")
    why = model.explain(X[:1], (1, "up"), checks=False)
    p = model.predict_proba(X[:1])[0, 1]
    assert why.answer == pytest.approx(np.log(p / (1 - p)), abs=1e-4)
    assert why.asked == "log odds of 'up' in output 1"


def test_one_of_several_tasks_is_named():
    targets = {"ill": Y, "fever": NUMBERS, "each": [[*"abcabca"]] * 40}
    model = MultiTask(**FEW).fit(X, targets)
    said = model.predict(X[:1])
    with pytest.raises(OptionError, match="There are several answers: say which, answer='ill'"):
        model.explain(X[:1])
    with pytest.raises(OptionError, match=r"There is no answer 'fevr'. Did you mean 'fever'"):
        model.explain(X[:1], answer="fevr")
    assert model.explain(X[:1], answer="fever").answer == pytest.approx(said["fever"][0], abs=1e-4)
    assert (
        model.explain(X[:1], answer="ill", checks=False).asked == f"log odds of {said['ill'][0]!r}"
    )
    with pytest.raises(OptionError, match="for each of 7 steps: say which, 0 to 6"):
        model.explain(X[:1], answer="each")
    why = model.explain(X[:1], "a", answer="each", step=-1, checks=False)
    p = model.predict_proba(X[:1])["each"][0][-1, 0]
    assert why.answer == pytest.approx(np.log(p / (1 - p)), abs=1e-4)
    assert why.asked == "log odds of 'a' at step 6"


@pytest.mark.parametrize("crf", [False, True])
def test_the_tag_of_a_step_is_explained_by_words_and_letters_together(crf):
    model = Tagger(hidden_size=6, crf=crf, training=SHORT, validation=0).fit(WORDS, TAGS)
    why = model.explain(WORDS[:1], "ADJ", step=1)
    wanted = log_odds(model.predict_proba(WORDS[:1])[0][1], "ADJ", model)
    assert why.answer == pytest.approx(wanted, abs=1e-3)
    assert why.asked == "log odds of 'ADJ' at step 1"
    assert why.checks.completeness <= 0.005
    (read,) = why.reads.values()
    assert read.channels == ("token", "letters")
    assert read.steps == tuple(WORDS[0])
    usual = model.explain(WORDS[:1], step=0, checks=False).asked
    assert usual == f"log odds of {model.predict(WORDS[:1])[0][0]!r} at step 0"
    with pytest.raises(OptionError, match="step=9, but there is an answer for each of 5 steps"):
        model.explain(WORDS[:1], step=9)


def test_attention_is_that_of_the_pooling():
    model, records, _ = fitted("convolutions, shortcut, both ways")
    why = model.explain(records[:1], method="attention")
    assert why.by_step().sum() == pytest.approx(1, abs=1e-5)
    assert (why.by_step() > 0).all()
    with pytest.raises(OptionError, match="trained with pooling='attention'"):
        fitted("numbers")[0].explain(records[:1], method="attention")


def test_an_untrained_network_of_the_same_make_is_another_each_seed():
    question = asked_of("texts")
    one, again, other = (question.randomised(seed) for seed in (0, 0, 1))
    numbers = [float(each.answer(values_of(each)).detach()) for each in (one, again, other)]
    assert numbers[0] == numbers[1] != numbers[2]
    assert not torch.equal(one.reads["text"].values, question.reads["text"].values)
    before = torch.random.get_rng_state()
    question.randomised(3)
    assert torch.equal(before, torch.random.get_rng_state())
    scales = asked_of("layer that decays")
    layer, fresh = (each.network.layers[0] for each in (scales, scales.randomised(0)))
    assert torch.equal(layer.time_scale, fresh.time_scale)


def test_explaining_leaves_the_model_as_it_was(tmp_path):
    model, records, _ = fitted("holes")
    before = {name: each.clone() for name, each in model.network_.state_dict().items()}
    model.explain(records[:1])
    for name, each in model.network_.state_dict().items():
        assert torch.equal(each, before[name])
    assert all(each.grad is None for each in model.network_.parameters())
    model.save(tmp_path / "model.recurra")
    again = load(tmp_path / "model.recurra").explain(records[:1])
    assert np.array_equal(again.scores["x"], model.explain(records[:1]).scores["x"])


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"X": X[:2]}, OptionError, r"X holds 2 records, but .* give X\[:1\], a list of one"),
        ({"X": X[:0]}, (OptionError, DataError), "record"),
        ({"X": [np.zeros((0, 3))]}, DataError, "The record has no steps, so there is nothing to"),
        ({"X": np.full((1, 7, 3), np.nan)}, DataError, "Rows of missing values at the end are no"),
        ({"X": X[:1, :, :2]}, DataError, "channel"),
        ({"target": "upp"}, OptionError, "There is no label 'upp'. Did you mean 'up'?"),
        ({"method": "lime"}, OptionError, "There is no method 'lime'"),
        ({"by": "window", "window": 8}, OptionError, "window=8, but the record has 7 steps"),
        ({"by": "window"}, OptionError, "give window="),
        ({"step": 3}, OptionError, "the answer is for the whole record: leave it out"),
        ({"answer": "z"}, OptionError, "There is no answer 'z'. There are: 'y'"),
        ({"stp": 3}, OptionError, "There is no argument 'stp'"),
        ({"baseline": X[:1, :2]}, OptionError, "Give one of the same length"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_advice(change, error, said):
    model, records, _ = fitted("numbers")
    with pytest.raises(error, match=said):
        model.explain(**{"X": records[:1], **change})


def test_a_hole_that_no_treatment_fills_is_refused_by_name():
    model = Classifier(**FEW, treatments=[]).fit(X, Y)
    with pytest.raises(DataError, match="and no treatment fills it"):
        model.explain(GAPPY[:1])


def test_a_model_that_has_learned_nothing_says_so():
    with pytest.raises(NotFittedError):
        Classifier().explain(X[:1])
