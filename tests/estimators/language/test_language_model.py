"""The laws of a language model, on a text that a tiny network learns."""

import json
import warnings

import numpy as np
import pytest
from sklearn.base import clone

from recurra import Training, load
from recurra.data import from_text, from_tokens
from recurra.errors import DataError, DataWarning, NotFittedError, OptionError
from recurra.estimators import LanguageModel
from recurra.estimators.language.language_data import END

TEXT = "to be or not to be, that is the question.\n" * 30
TINY = {"hidden_size": 16, "training": Training(steps=40, batch_size=4, learning_rate=2e-2)}


def learned(text=TEXT, **options) -> LanguageModel:
    return LanguageModel(**{**TINY, **options}).fit(text)


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return learned(training=Training(steps=250, batch_size=4, learning_rate=2e-2))


# ---------------------------------------------------------------------- laws


def test_the_same_seed_gives_the_same_bits_and_another_others():
    one, two, other = learned(seed=1), learned(seed=1), learned(seed=2)
    assert np.array_equal(one.predict_proba("to b"), two.predict_proba("to b"))
    assert one.generate("to", 30) == two.generate("to", 30)
    assert not np.array_equal(one.predict_proba("to b"), other.predict_proba("to b"))


@pytest.mark.parametrize("layer", ["lstm", "gru", "rnn"])
def test_a_session_equals_the_full_pass(layer):
    model = learned(layer=layer, num_layers=2)
    session = model.stream()
    (said,) = model.log_likelihoods("to be that")
    for k, letter in enumerate("to be that"):
        code = model.vocabulary_.index(letter)
        assert abs(np.log(session.probabilities[code]) - said[k]) < 1e-5
        chances = session.step(letter)
        assert abs(chances - model.predict_proba("to be that"[: k + 1])).max() < 1e-6
    assert abs(np.log(chances[-1]) - said[-1]) < 1e-5


def test_a_session_keeps_nothing_but_its_state(model):
    session = model.stream()
    sizes = [sum(part.numel() for each in session.state for part in each)]
    session.read("to be " * 200)
    sizes.append(sum(part.numel() for each in session.state for part in each))
    assert sizes[0] == sizes[1]


def test_documents_beside_it_change_no_score(model):
    texts = ["to be", "that is the question.\n" * 30, "or"]
    together = model.log_likelihoods(texts)
    for text, said in zip(texts, together, strict=True):
        assert abs(model.log_likelihoods(text)[0] - said).max() < 1e-5


def test_a_saved_model_gives_the_same_to_the_bit(model, tmp_path):
    model.save(tmp_path / "text.recurra")
    again = load(tmp_path / "text.recurra")
    assert isinstance(again, LanguageModel)
    assert again.vocabulary_ == model.vocabulary_
    assert np.array_equal(again.predict_proba("to b"), model.predict_proba("to b"))
    assert again.generate("to ", 50, seed=3) == model.generate("to ", 50, seed=3)
    assert str(again.report()) == str(model.report())


def test_the_future_does_not_touch_the_past(model):
    one, two = model.log_likelihoods(["to be or", "to be on"])
    assert np.array_equal(one[:7], two[:7])
    assert one[7] != two[7]


def test_it_is_cloned_and_its_options_are_read():
    model = clone(LanguageModel("gru", unit="byte", weight_dropout=0.1))
    assert model.get_params()["weight_dropout"] == 0.1
    assert model.layer == "gru"


# ---------------------------------------------------------------------- scores


def test_chances_sum_to_one_in_the_order_of_the_vocabulary(model):
    chances = model.predict_proba(["to b", ""])
    assert chances.shape == (2, len(model.vocabulary_))
    assert chances.sum(1) == pytest.approx(1)
    assert model.vocabulary_[int(chances[0].argmax())] == "e"
    assert model.vocabulary_[0] is None
    assert model.vocabulary_[-1] == END


def test_score_perplexity_and_bits_say_the_same(model):
    text = "that is the question.\n"
    said = model.log_likelihoods(text)[0]
    assert said.shape == (len(text) + 1,)
    assert model.score(text) == pytest.approx(said.mean())
    assert model.perplexity(text) == pytest.approx(np.exp(-said.mean()))
    assert model.bits_per_character(text) == pytest.approx(-said.sum() / np.log(2) / len(text))


def test_what_was_learned_is_likelier_than_what_was_not(model):
    assert model.score("to be or not to be") > -1 > model.score("eb ot ton ro eb ot")


def test_bits_per_character_hardly_depend_on_how_a_text_is_read(model, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("to be or not", encoding="utf-8")
    data = from_text(["to be or not"])
    found = [model.bits_per_character(each) for each in (path, data, ["to be or not"])]
    assert found[0] == found[1] == found[2]


def test_the_report_has_a_counting_model_beside_it(model):
    said = str(model.report())
    assert "5-gram (Witten-Bell)" in said
    assert "nats per token" in said
    scores = {(each.model, each.measure): each.value for each in model.report().scores}
    assert scores["LanguageModel", "nats per token"] > 0


def test_the_end_of_the_text_is_what_the_training_is_stopped_by():
    seen = []
    options = Training(steps=10, batch_size=4, check_every=5)
    text = TEXT + "zzz " * 30
    model = LanguageModel(hidden_size=8, training=options, validation=0.1)
    with pytest.warns(DataWarning, match="unknown"):
        model.fit(text, callbacks=[lambda moment: seen.append(moment.validation)])
    assert "z" not in model.vocabulary_
    assert any(each is not None for each in seen)


def test_a_text_of_ones_own_can_stop_the_training():
    model = learned(TEXT, validation=0.5)
    own = LanguageModel(**TINY).fit(TEXT, validation="to be or not to be")
    assert model.report().held_back == own.report().held_back == 1
    assert len(own.log_.validation) > 0


def test_what_was_held_back_is_learned_in_the_end_unless_told_otherwise():
    end = "that is not the answer.\n" * 8
    kept, refit = learned(TEXT + end, refit=False), learned(TEXT + end)
    assert refit.score(end) > kept.score(end) + 0.1
    assert refit.report().scores == kept.report().scores  # of what was not learned yet


def test_text_given_for_validation_is_never_learned():
    options = {**TINY, "training": Training(steps=10, batch_size=4)}
    one = LanguageModel(**options).fit(TEXT, validation="question " * 30)
    two = LanguageModel(**options, refit=False).fit(TEXT, validation="question " * 30)
    assert np.array_equal(one.predict_proba("to b"), two.predict_proba("to b"))


# ---------------------------------------------------------------------- writing


def test_it_goes_on_as_the_text_did(model):
    assert model.generate("to be or ", n=9, temperature=0) == "not to be"
    assert model.generate("that is the q", 99, temperature=0, stop="\n") == "uestion."


def test_the_same_seed_writes_the_same_text(model):
    assert model.generate("to", 60, seed=5) == model.generate("to", 60, seed=5)
    assert len({model.generate("to", 60, seed=seed) for seed in range(4)}) > 1


def test_a_stream_hands_out_what_generate_returns(model):
    pieces = list(model.generate_stream("that", 40, seed=2))
    assert "".join(pieces) == model.generate("that", 40, seed=2)
    assert max(map(len, pieces)) == 1


def test_writing_ends_with_the_document():
    model = learned(["yes", "no"] * 60, training=Training(steps=200, batch_size=4))
    assert {model.generate(seed=seed, temperature=0.1) for seed in range(5)} <= {"yes", "no"}


def test_the_unknown_is_never_written():
    text = "a b c d e f " * 40 + " ".join(f"w{k}" for k in range(300))
    with pytest.warns(DataWarning, match="unknown"):
        model = learned(text, unit="word", min_count=2, validation=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        assert model.predict_proba("w1 w2 w3")[0] > 0.05
        written = model.generate("w1 w2 w3", 50)
    assert "\ufffd" not in written


# ---------------------------------------------------------------------- units


@pytest.mark.parametrize("unit", ["char", "byte", "word", "subword"])
def test_every_unit_learns_writes_and_is_saved(unit, tmp_path):
    if unit == "subword":
        pytest.importorskip("tokenizers")
    text = TEXT + "北京很好，天气也好。\n" * 20
    model = learned(text, unit=unit, validation=0.0)
    assert model.score(text) > -np.log(len(model.vocabulary_))
    written = model.generate("to be", 20)
    assert isinstance(written, str)
    pieces = list(model.generate_stream("to be", 20))
    assert "".join(pieces) == written
    model.save(tmp_path / "text.recurra")
    again = load(tmp_path / "text.recurra")
    assert again.generate("to be", 20) == written
    assert again.bits_per_character(text[:50]) == model.bits_per_character(text[:50])


def test_chinese_characters_are_letters_of_their_own():
    model = learned("北京很好。" * 60, training=Training(steps=120, batch_size=4))
    assert model.generate("北", 4, temperature=0) == "京很好。"


def test_bytes_know_no_unknown():
    model = learned(unit="byte")
    assert None not in model.vocabulary_
    assert len(model.vocabulary_) == 257
    assert np.isfinite(model.score("天气"))
    with pytest.raises(DataError, match="which knows no unknown one"):
        model.stream().step("a")


def test_words_that_are_parted_already_are_learned_from():
    data = from_tokens([["the", "cat", "sat"], ["the", "dog", "sat"]] * 40)
    model = LanguageModel(unit="word", hidden_size=16, training=Training(steps=120)).fit(data)
    chances = dict(zip(model.vocabulary_, model.predict_proba("the"), strict=True))
    assert chances["cat"] + chances["dog"] > 0.8


# ---------------------------------------------------------------------- what is wrong


def test_an_unknown_letter_is_read_told_and_not_counted(model):
    with pytest.warns(DataWarning, match="1 values of 'token' are unknown"):
        said = model.log_likelihoods("to # be")[0]
    assert np.isnan(said).tolist() == [False] * 3 + [True] + [False] * 4
    assert model.predict_proba("to")[0] == 0
    with pytest.warns(DataWarning, match="unknown"):
        assert np.isfinite(model.score("to # be"))
    with pytest.warns(DataWarning, match="unknown"):
        assert isinstance(model.generate("to # be", 5), str)


def test_words_too_rare_are_unknown_and_counted_as_such():
    text = "a b c " * 100 + " ".join(f"w{k}" for k in range(60))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        model = learned(text, unit="word", min_count=2, validation=0.0)
        assert not np.isnan(model.log_likelihoods("a w1 w2")[0]).any()


def test_more_text_is_learned_on_top():
    model = learned()
    before = model.score("that is not the question.\n")
    vocabulary = model.vocabulary_
    model.partial_fit("that is not the question.\n" * 40)
    assert model.score("that is not the question.\n") > before
    assert model.vocabulary_ == vocabulary


def test_a_first_partial_fit_learns_the_vocabulary_too():
    model = LanguageModel(**TINY).partial_fit(TEXT)
    assert "q" in model.vocabulary_
    assert len(model.log_.loss) == -(-len(TEXT) // 400)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"unit": "letter"}, "unit='letter'"),
        ({"layer": "grud"}, "layer='grud'"),
        ({"dropout": 1.0}, "dropout=1.0"),
        ({"weight_dropout": -0.1}, "weight_dropout=-0.1"),
        ({"hidden_size": 0}, "hidden_size=0"),
        ({"num_layers": None}, "num_layers=None"),
        ({"min_count": 0}, "min_count=0"),
        ({"validation": 1.0}, "validation=1.0"),
        ({"seed": -1}, "seed=-1"),
        ({"refit": "no"}, "refit='no'"),
        ({"tie_weights": None}, "tie_weights=None"),
        ({"unit": "subword", "vocabulary_size": 10}, "vocabulary_size=10"),
    ],
)
def test_impossible_options_are_refused_by_name(wrong, said):
    with pytest.raises(OptionError, match=said):
        LanguageModel(**wrong).fit(TEXT)


def test_labels_and_weights_are_refused():
    with pytest.raises(OptionError, match="from the text alone, but y came"):
        LanguageModel().fit(["a"], [1])
    with pytest.raises(OptionError, match="but weights came"):
        LanguageModel().fit(["a"], sample_weight=[1])


@pytest.mark.parametrize("wrong", [None, 3, [1.0, 2.0], ["a", None], {"a": "b"}, b"bytes"])
def test_what_is_no_text_is_refused(wrong):
    with pytest.raises((DataError, OptionError)):
        LanguageModel(**TINY).fit(wrong)


def test_nothing_is_asked_of_a_model_that_has_not_learned():
    for ask in (
        lambda: LanguageModel().generate("a"),
        lambda: LanguageModel().score("a"),
        lambda: LanguageModel().stream(),
    ):
        with pytest.raises(NotFittedError, match="Call fit"):
            ask()


def test_wrong_arguments_of_writing_are_refused_before_anything_is_written(model):
    for wrong in (
        {"n": 0},
        {"stop": ""},
        {"stop": [3]},
        {"temperature": -1},
        {"top_p": 2},
        {"seed": -1},
    ):
        with pytest.raises(OptionError):
            model.generate_stream("to", **wrong)
    with pytest.raises(OptionError, match="A prompt is text, but a bytes came"):
        model.generate(b"to")
    with pytest.raises(OptionError, match="a NoneType came"):
        model.predict_proba(None)


def test_a_text_may_come_in_any_list():
    probabilities = [learned(X).predict_proba("to") for X in (TEXT, (TEXT,), np.array([TEXT]))]
    assert np.array_equal(probabilities[0], probabilities[1])
    assert np.array_equal(probabilities[0], probabilities[2])


def test_what_was_learned_stays_if_a_fit_fails(model):
    before = model.predict_proba("to")
    with pytest.raises(DataError):
        model.fit("")
    assert np.array_equal(model.predict_proba("to"), before)


def test_a_very_short_text_is_learned_from_too():
    for text in ("a", "ab", ["a", "b"]):
        model = learned(text)
        assert np.isfinite(model.score("a"))
        assert isinstance(model.generate("a", 5), str)


def test_the_header_of_a_file_is_plain_json(model):
    assert json.loads(json.dumps(model._network_header()))["layer"] == "lstm"
