"""Whatever users hold becomes records, or is refused with advice."""

import wave
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_score

import recurra as rc
from recurra.data import from_arrays
from recurra.errors import DataError, DataWarning, OptionError
from recurra.estimators.learning.record_inputs import as_dataset
from recurra.estimators.learning.text_units import Units, choose_unit

GOOD = ["a good film it was", "so good to see"]
BAD = ["a bad film it was", "so bad to see"]
SAID, FELT = [*GOOD, *BAD] * 15, ["up", "up", "down", "down"] * 15


def classifier(**options):
    training = rc.Training(60, 16, learning_rate=1e-2, warmup=5, progress=False)
    return rc.Classifier(**{"hidden_size": 8, "training": training, "validation": 0.0} | options)


@pytest.fixture(scope="module")
def fitted():
    return classifier().fit(SAID, FELT)


def sound(path, samples, rate=8000):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(np.asarray(samples, np.int16).tobytes())
    return path


def tokens(dataset):
    return dataset.stream.categories["token"]


def draw(*shape):
    return np.random.default_rng(0).normal(size=shape)


def test_texts_with_several_words_are_read_word_by_word():
    assert tokens(as_dataset(["so it goes", "it is so"])) == ("goes", "is", "it", "so")


@pytest.mark.parametrize(
    "texts",
    [
        ["Tolstoy", "van Gogh", "O'Neill"],
        ["这部电影很好看，很好看", "不好 看"],
        ["ACGTACGTACGTA " * 3],
    ],
)
def test_names_texts_without_spaces_and_codes_are_read_by_their_characters(texts):
    assert choose_unit(texts) == "char"
    assert all(len(token) == 1 for token in tokens(as_dataset(texts)))


def test_nothing_to_choose_by_is_no_fault():
    assert choose_unit(["", "  "]) == "char"


def test_what_the_user_says_is_done():
    assert len(tokens(as_dataset(["so it goes"], units=Units("char")))) == 7
    with pytest.raises(OptionError, match="unit='words'"):
        Units("words")
    with pytest.raises(OptionError, match="unit='words'"):
        classifier(unit="words").fit(SAID, FELT)


@pytest.mark.parametrize("hold", [tuple, np.array, pd.Series, lambda x: np.array(x, object)])
def test_texts_may_come_in_any_container(hold):
    data = as_dataset(hold(["so it goes", "it is so"]), hold(["a", "b"]))
    assert data.lengths.tolist() == [3, 3]
    assert data.target.classes == ("a", "b")


def test_what_goes_with_records_goes_with_texts_too():
    more = {"weights": [1.0, 2.0], "groups": [0, 1], "ids": ["u", "v"], "static": [[0.0], [1.0]]}
    data = as_dataset(["Ann", "Bob"], [0, 1], **more)
    assert data.ids == ("u", "v")
    assert data.static.values.ravel().tolist() == [0, 1]
    assert data.weights.tolist() == [1, 2]


def test_names_of_files_are_no_texts_unless_that_is_said():
    with pytest.raises(OptionError, match=r"\[Path\(name\) for name in X\]"):
        as_dataset(["a.wav", "b.wav"])
    assert as_dataset(["a.wav", "b.wav"], units=Units("char")).lengths.tolist() == [5, 5]


def test_a_text_alone_is_refused():
    with pytest.raises(OptionError, match=r"\[text\]"):
        as_dataset("so it goes")


def test_a_text_that_is_none_is_named():
    with pytest.raises(DataError, match="NoneType") as caught:
        as_dataset(["so", None])
    assert caught.value.record == 1


def test_lists_of_tokens_stay_as_they_are():
    data = as_dataset([["New York", "is"], [], np.array(["so"])])
    assert tokens(data) == ("New York", "is", "so")
    assert data.lengths.tolist() == [2, 0, 1]


def test_paths_of_sounds_are_signals(tmp_path):
    files = [sound(tmp_path / f"{k}.wav", range(100)) for k in range(2)]
    data = as_dataset(files, ["a", "b"])
    assert (data.stream.kind, data.stream.rate) == ("signal", 8000)
    assert as_dataset(files, rate=4000).lengths.tolist() == [50, 50]


def test_paths_of_texts_are_texts_in_the_unit_that_was_learned(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("now it is\nso it was")
    assert tokens(as_dataset([path])) == ("is", "it", "now", "so", "was")
    assert as_dataset([path], units=Units("auto", {"text": "char"})).lengths.tolist() == [19]
    assert as_dataset(path).lengths.tolist() == [3, 3]  # a file alone: its lines


def test_arrays_with_a_rate_are_sounds():
    data = as_dataset([draw(9), draw(4)], rate=8000)
    assert (data.stream.kind, data.stream.rate, data.stream.channels) == ("signal", 8000, ("mono",))
    assert as_dataset(draw(3, 9), rate=8000).lengths.tolist() == [9, 9, 9]
    assert as_dataset([draw(9, 2)], rate=8000).stream.channels == ("left", "right")


def test_integers_keep_their_full_scale():
    loud = [np.array([2**30, -(2**31)], np.int32)]
    assert as_dataset(loud, rate=8).stream.values.ravel().tolist() == [0.5, -1.0]
    soft = [np.array([2**14], np.int16)]
    assert as_dataset(soft, rate=8).stream.values.dtype == np.int16


@pytest.mark.parametrize("rate", [0, -1, "8000", True])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(OptionError, match="rate="):
        as_dataset([draw(9)], rate=rate)


def test_one_recording_alone_is_refused():
    with pytest.raises(OptionError, match=r"Write \[X\]"):
        as_dataset(draw(9), rate=8000)


def test_images_are_rows_and_videos_are_frames():
    assert as_dataset(draw(3, 8, 6)).stream.values.shape == (24, 6)
    assert as_dataset(draw(3, 8, 6, 3)).stream.values.shape == (24, 18)
    video = as_dataset(draw(3, 5, 8, 6, 3))
    assert (video.stream.kind, video.lengths.tolist()) == ("frames", [5, 5, 5])
    several = as_dataset([draw(2, 8, 6, 1), draw(4, 8, 6, 1)])
    assert (several.stream.kind, several.lengths.tolist()) == ("frames", [2, 4])


@pytest.mark.parametrize("images", [draw(3, 5, 8, 6), draw(2, 3, 8, 8), [draw(3, 8, 8)]])
def test_images_whose_last_axis_is_no_colours_are_refused(images):
    with pytest.raises(OptionError, match=r"X\[\.\.\., None\]"):
        as_dataset(images)


def test_a_table_of_numbers_is_one_channel():
    array = draw(4, 7)
    data = as_dataset(array, [0, 1, 0, 1])
    assert (data.stream.channels, data.lengths.tolist()) == (("x0",), [7] * 4)
    frame = as_dataset(pd.DataFrame(array), [0, 1, 0, 1])
    assert np.array_equal(frame.stream.values, data.stream.values)
    assert np.array_equal(as_dataset({"a": array}).streams["a"].values, data.stream.values)


def test_a_table_with_text_is_refused_or_read_as_is_said():
    table = pd.DataFrame({"id": ["a", "a", "b"], "time": [1, 2, 1], "x": [1.0, 2.0, 3.0]})
    with pytest.raises(OptionError, match="layout='long'"):
        as_dataset(table)
    data = as_dataset(table, ["up", "down"], layout="long", id="id", time="time")
    assert data.lengths.tolist() == [2, 1]


def test_streams_may_each_be_of_another_kind():
    streams = {
        "text": ["so it goes", None],
        "sound": [draw(9), draw(4)],
        "film": draw(2, 3, 4, 4, 1),
        "pulse": [[60.0, 61.0], [70.0]],
    }
    more = {"rate": {"sound": 8000}, "times": {"pulse": [[0, 5], [1]]}}
    data = as_dataset(streams, [0, 1], **more)
    kinds = {name: stream.kind for name, stream in data.streams.items()}
    assert kinds == {"text": "tokens", "sound": "signal", "film": "frames", "pulse": "values"}
    assert data.streams["text"].lengths.tolist() == [3, 0]
    assert data.streams["pulse"].times.tolist() == [0, 5, 1]


def test_texts_of_several_streams_each_have_their_unit():
    units = Units()
    data = as_dataset({"name": ["Ann", "Bob"], "said": ["so it goes", "it is so"]}, units=units)
    assert units.found == {"name": "char", "said": "word"}
    assert data.streams["name"].lengths.tolist() == [3, 3]


@pytest.mark.parametrize(
    ("streams", "more", "message"),
    [
        ({"a": ["x", "y"], "b": [[1.0]]}, {}, "'b' has 1 records, but 'a' has 2"),
        ({"a": ["x"], "b": [[1.0]]}, {"times": {"c": [[0]]}}, "no such stream as 'c'"),
        ({"a": ["x"], "b": [[1.0]]}, {"times": [[0]]}, "times is a dict"),
        ({"a": ["x"], "b": [[1.0]]}, {"rate": 8000}, "rate is a dict"),
    ],
)
def test_streams_that_do_not_go_together_are_refused(streams, more, message):
    with pytest.raises((DataError, OptionError), match=message):
        as_dataset(streams, **more)


def test_an_argument_the_reader_does_not_know_is_refused_by_name():
    with pytest.raises(OptionError, match="no argument 'rate' for such data"):
        as_dataset(["so it goes"], rate=8000)
    with pytest.raises(OptionError, match="no argument 'rates'"):
        as_dataset([[1.0]], rates=8000)


def test_arrays_are_read_as_they_were():
    records = [draw(5, 2), draw(3, 2)]
    given, read = as_dataset(records, [0, 1]), from_arrays(records, [0, 1])
    assert np.array_equal(given.stream.values, read.stream.values)


def test_the_unit_is_learned_kept_saved_and_told(fitted, tmp_path):
    assert "The texts of 'text' are read word by word." in fitted.notes_
    fitted.save(tmp_path / "model")
    again = rc.load(tmp_path / "model")
    assert fitted.predict(["good"]).tolist() == again.predict(["good"]).tolist() == ["up"]


def test_a_word_never_seen_is_told_and_answered(fitted):
    with pytest.warns(DataWarning, match="unknown"):
        assert fitted.predict(["good unheard"]).tolist() == ["up"]


def test_an_empty_text_is_refused_in_learning_and_not_answered_later(fitted):
    with pytest.raises(DataError, match="no steps") as caught:
        classifier().fit([*SAID, " "], [*FELT, "up"])
    assert caught.value.record == len(SAID)
    with pytest.warns(DataWarning, match="1 of 2 records have no steps"):
        assert fitted.predict(["", "so bad"]).tolist() == [None, "down"]


def test_it_stands_in_scikit_learns_searches():
    assert cross_val_score(classifier(), SAID, FELT, cv=2).min() > 0.9
    search = GridSearchCV(classifier(hidden_size=4), {"unit": ["char", "word"]}, cv=2)
    assert search.fit(SAID, FELT).best_params_["unit"] in ("char", "word")


def test_training_on_texts_is_stopped_by_the_loss_at_the_best_temperature():
    model = classifier(validation=0.5).fit(SAID, FELT)
    held = as_dataset(SAID, FELT)
    again = model.preprocessor_.transform(held)
    warm = model._mean_loss(model.network_, again)
    model.calibration = None
    assert warm <= model._mean_loss(model.network_, again) + 1e-6


def test_a_regressor_reads_texts():
    model = rc.Regressor(hidden_size=8, training=classifier().training).fit(
        SAID, [float(felt == "up") for felt in FELT]
    )
    up, down = model.predict([GOOD[0], BAD[0]])
    assert up > down


def test_a_folder_of_texts_brings_its_labels(tmp_path):
    for label, texts in (("up", GOOD), ("down", BAD)):
        (tmp_path / label).mkdir()
        for k, text in enumerate(texts):
            Path(tmp_path, label, f"{k}.txt").write_text(text)
    data = as_dataset(tmp_path, labels_from="folder")
    assert (data.target.classes, data.lengths.tolist()) == (("down", "up"), [5, 4, 5, 4])
