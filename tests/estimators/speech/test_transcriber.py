"""Transcribers: learned from sounds and texts alone, whole or piece by piece, to the same text."""

import os
import wave
from pathlib import Path

import numpy as np
import pytest

from recurra import load
from recurra.data import SequenceDataset, Stream, from_audio, read_transcripts
from recurra.errors import DataError, DataWarning, FileError, NotFittedError, OptionError
from recurra.estimators.speech.transcriber import Transcriber
from recurra.models.language.ngrams import NGrams
from recurra.training import Training

RATE = 4000
PITCH = {"a": 300, "b": 900, "c": 1500, " ": 0}
DATA = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[4] / "shared" / "data"))


def spoken(text: str, seed: int = 0, rate: int = RATE) -> np.ndarray:
    """Sing a text: a tone for each letter, and a pause."""
    chance = np.random.default_rng([seed, len(text)])
    parts = [np.zeros(rate // 20)]
    for letter in text:
        long = int(rate * chance.uniform(0.06, 0.1))
        tone = 0.5 * np.sin(2 * np.pi * PITCH[letter] * np.arange(long) / rate)
        parts += [tone, np.zeros(rate // 25)]
    whole = np.concatenate(parts)
    return whole + chance.normal(0, 0.002, len(whole))


def corpus(count: int = 60, seed: int = 0) -> tuple[list[np.ndarray], list[str]]:
    chance = np.random.default_rng(seed)
    said = ["".join(chance.choice([*"abc"], chance.integers(1, 5))) for _ in range(count)]
    return [spoken(text, k) for k, text in enumerate(said)], said


def small(steps: int = 120, **options) -> Transcriber:
    training = Training(steps=steps, batch_size=8, learning_rate=1e-2, progress=False)
    usual = {"hidden_size": 24, "num_layers": 1, "dropout": 0.0, "validation": 0.0}
    return Transcriber(training=training, **{**usual, **options})


@pytest.fixture(scope="module")
def model() -> Transcriber:
    return small().fit(*corpus(), rate=RATE)


@pytest.fixture(scope="module")
def forwards() -> Transcriber:
    return small(240, bidirectional=False).fit(*corpus(), rate=RATE)


@pytest.fixture(scope="module")
def quick() -> Transcriber:
    """One that has learned next to nothing, where that is enough."""
    heard, said = corpus(12)
    return small(2).fit(heard, said, rate=RATE)


def write(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    """Write 16-bit WAV, of one channel or several."""
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


# ------------------------------------------------------------------ what it learns


def test_what_was_never_heard_is_written_down(model):
    heard, said = corpus(20, seed=9)
    assert (
        np.mean([one == other for one, other in zip(model.predict(heard), said, strict=True)]) > 0.8
    )
    assert model.symbols_ == ("a", "b", "c")
    assert model.rate_ == RATE


def test_forwards_only_learns_too(forwards):
    heard, said = corpus(20, seed=9)
    assert forwards.score(heard, said) > 0.8


def test_scores_are_rates_of_errors_over_the_corpus(model):
    heard = [spoken("ab"), spoken("c")]
    written = model.predict(heard)
    assert model.character_error_rate(heard, written) == 0
    assert model.score(heard, written) == 1.0
    wrong = ["x" * len(written[0]), written[1]]
    assert model.word_error_rate(heard, wrong) == pytest.approx(0.5)
    share = len(written[0]) / len("".join(written))
    assert model.score(heard, wrong) == pytest.approx(1 - share)


def test_there_is_nothing_to_compare_with_where_y_is_missing(quick):
    with pytest.raises(DataError, match="y is missing"):
        quick.score([spoken("a")])
    with pytest.raises(DataError, match="1 true transcripts, but 2"):
        quick.score([spoken("a"), spoken("b")], ["a"])


def test_recordings_to_stop_by_may_be_given():
    heard, said = corpus(12)
    learned = small(6).fit(heard[:8], said[:8], rate=RATE, validation=(heard[8:], said[8:]))
    assert learned.report().held_back == 4
    assert all(isinstance(rate, float) for _, rate in learned.log_.validation)
    with pytest.raises(DataError, match=r"never seen.*'z'"):
        small(1).fit(heard, said, rate=RATE, validation=(heard[:1], ["z"]))


def test_a_weight_of_nothing_is_as_if_the_recording_were_not_there():
    heard, said = corpus(12)
    weights = np.array([1.0] * 11 + [0.0])
    other = [*said[:11], "abc"]
    one, two = (
        small(4).fit(heard, texts, rate=RATE, sample_weight=weights) for texts in (said, other)
    )
    assert np.allclose(one.predict_proba(heard)[0], two.predict_proba(heard)[0], atol=1e-4)


def test_words_may_be_the_symbols():
    heard, said = corpus(30)
    words = [" ".join(text) for text in said]
    learned = small(100, unit="word").fit(heard, words, rate=RATE)
    assert learned.symbols_ == ("a", "b", "c")
    text = learned.transcribe(spoken("ab"))
    assert set(text.split()) <= {*"abc"}
    assert learned.word_error_rate(heard, words) < 0.5


def test_an_empty_transcript_is_learned_as_silence():
    heard, said = corpus(30)
    heard += [np.random.default_rng(k).normal(0, 0.002, 1500 + 100 * k) for k in range(10)]
    learned = small(100).fit(heard, [*said, *[""] * 10], rate=RATE)
    assert learned.transcribe(np.random.default_rng(99).normal(0, 0.002, 1800)) == ""


def test_the_report_has_the_most_frequent_transcript_beside_it():
    heard, said = corpus(40)
    report = small(2, validation=0.25).fit(heard, [*said[:20], *["ab"] * 20], rate=RATE).report()
    assert report.held_back == 10
    models = {each.model for each in report.scores}
    assert models == {"Transcriber", "most frequent transcript"}
    measures = {each.measure for each in report.scores}
    assert {"texts right", "word error rate", "character error rate"} == measures
    simple = {s.measure: s.value for s in report.scores if s.model != "Transcriber"}
    assert simple["texts right"] >= 0.2


# ------------------------------------------------------------------ laws


def test_the_same_seed_gives_the_same_bits():
    heard, said = corpus(16)
    one, two = (small(4, dropout=0.2, seed=3).fit(heard, said, rate=RATE) for _ in range(2))
    for first, second in zip(one.predict_proba(heard), two.predict_proba(heard), strict=True):
        assert np.array_equal(first, second)
    other = small(4, dropout=0.2, seed=4).fit(heard, said, rate=RATE)
    assert not np.array_equal(other.predict_proba(heard)[0], one.predict_proba(heard)[0])


@pytest.mark.parametrize("which", ["model", "forwards"])
def test_neighbours_and_padding_change_nothing(which, request):
    fitted = request.getfixturevalue(which)
    heard = [spoken("abca"), spoken("b"), spoken("ca"), np.zeros(10), spoken("abc" * 9)]
    together = fitted.predict_proba(heard)
    for samples, each in zip(heard, together, strict=True):
        alone = fitted.predict_proba([samples])[0]
        assert alone.shape == each.shape
        assert np.allclose(alone, each, atol=1e-6)


@pytest.mark.parametrize("chunk", [1, 7, 40, 333, 100_000])
def test_piece_by_piece_gives_what_the_whole_gives(forwards, chunk):
    samples = spoken("abcb", 5)[: 333 if chunk == 1 else None]
    session, parts = forwards.stream(), []
    for start in range(0, len(samples), chunk):
        before = session.text
        text = session.step(samples[start : start + chunk])
        assert text.startswith(before)
        parts.append(session.probabilities)
    whole = session.finish()
    parts.append(session.probabilities)
    assert whole == forwards.transcribe(samples)
    assert np.abs(np.concatenate(parts) - forwards.predict_proba([samples])[0]).max() < 1e-6


def test_a_stream_keeps_no_more_the_longer_it_listens(forwards):
    session = forwards.stream()
    sizes = []
    for _ in range(6):
        session.step(np.zeros(1003))
        sizes.append((len(session._waiting), session._heard.steps.shape[1]))
    plan, bank = forwards.network_.plan, session._bank
    assert all(samples < bank.size and steps < plan.kernel for samples, steps in sizes)


def test_a_stream_reads_integers_and_begins_anew(forwards):
    samples = (spoken("bc") * 32767).astype(np.int16)
    session = forwards.stream(RATE)
    session.step(samples)
    first = session.finish()
    assert first == session.finish() == forwards.transcribe(samples)
    with pytest.raises(OptionError, match=r"finished.*reset"):
        session.step(samples)
    session.reset()
    assert session.text == ""
    session.step(samples)
    assert session.finish() == first


def test_a_stream_is_refused_where_it_cannot_be(model, forwards):
    with pytest.raises(OptionError, match="bidirectional=False"):
        model.stream()
    with pytest.raises(OptionError, match="4000 samples a second, not 8000"):
        forwards.stream(8000)
    with pytest.raises(DataError, match=r"no finite number .*row 1"):
        forwards.stream().step([0.0, np.nan])
    with pytest.raises(OptionError, match=r"shape \(2, 2\)"):
        forwards.stream().step(np.zeros((2, 2)))


def test_what_is_saved_answers_the_same_to_the_bit(forwards, tmp_path):
    forwards.save(tmp_path / "a.recurra")
    again = load(tmp_path / "a.recurra")
    heard = [spoken("abc"), spoken("ba")]
    for one, two in zip(forwards.predict_proba(heard), again.predict_proba(heard), strict=True):
        assert np.array_equal(one, two)
    assert again.get_params() == {**forwards.get_params(), "training": again.training}
    assert (again.symbols_, again.rate_) == (forwards.symbols_, forwards.rate_)
    assert again.stream().step(heard[0]) == forwards.stream().step(heard[0])
    assert str(again.report()) == str(forwards.report())


def test_learning_goes_on_from_what_was_learned():
    heard, said = corpus(24)
    learned = small(3).fit(heard, said, rate=RATE)
    before = learned.predict_proba(heard[:1])[0]
    learned.partial_fit(heard, said, rate=RATE)
    assert not np.array_equal(before, learned.predict_proba(heard[:1])[0])
    with pytest.raises(DataError, match=r"never seen.*'z'"):
        learned.partial_fit(heard[:1], ["z"], rate=RATE)


# ------------------------------------------------------------------ what it reads


def test_files_arrays_and_data_sets_are_the_same(quick, tmp_path):
    samples = [spoken("ab"), spoken("ca")]
    rounded = [(each * 32767).astype(np.int16) for each in samples]
    files = [write(tmp_path / f"{k}.wav", each) for k, each in enumerate(samples)]
    expected = quick.predict_proba(rounded, rate=RATE)
    for given in (files, [str(each) for each in files], str(tmp_path), from_audio(files)):
        for one, two in zip(quick.predict_proba(given), expected, strict=True):
            assert np.array_equal(one, two)
    text = quick.transcribe(str(files[0]))
    assert isinstance(text, str)
    assert [text] == quick.transcribe(files[:1]) == quick.transcribe([rounded[0]])
    assert quick.transcribe(rounded[0]) == text


def test_transcripts_may_come_with_the_data():
    heard, said = corpus(12)
    offsets = np.concatenate([[0], np.cumsum([len(each) for each in heard])])
    stream = Stream(np.concatenate(heard)[:, None], offsets, ("m",), "signal", rate=float(RATE))
    data = SequenceDataset(tuple(range(12)), {"sound": stream})
    given = small(3).fit(heard, said, rate=RATE)
    for target in (read_transcripts(said), read_transcripts([[text] for text in said])):
        brought = small(3).fit(data.with_targets(said=target))
        assert np.array_equal(brought.predict_proba(heard)[0], given.predict_proba(heard)[0])
        assert brought.score(data.with_targets(said=target)) == given.score(heard, said)


def test_streams_of_numbers_are_read_without_a_rate():
    chance = np.random.default_rng(0)
    offsets = np.arange(13) * 20
    stream = Stream(chance.normal(size=(240, 5)), offsets, tuple("vwxyz"))
    data = SequenceDataset(tuple(range(12)), {"strokes": stream})
    learned = small(2, bidirectional=False).fit(data, ["ab"] * 12)
    assert learned.rate_ is None
    assert [each.shape for each in learned.predict_proba(data)[:1]] == [(10, 3)]
    with pytest.raises(OptionError, match="other numbers"):
        learned.stream()


def test_another_rate_is_resampled_and_told(model, tmp_path):
    file = write(tmp_path / "fast.wav", spoken("ab", rate=4 * RATE), rate=4 * RATE)
    with pytest.warns(DataWarning, match=r"[Rr]esampled"):
        assert model.transcribe(file) == "ab"
    with pytest.warns(DataWarning, match="resampled from 16000 to 4000"):
        assert model.transcribe(spoken("ab", rate=4 * RATE), rate=4 * RATE) == "ab"


def test_channels_are_averaged(quick, tmp_path):
    both = np.stack([spoken("ab"), spoken("ab")], 1)
    file = write(tmp_path / "stereo.wav", both)
    alone = write(tmp_path / "mono.wav", both[:, 0])
    assert np.array_equal(quick.predict_proba([file])[0], quick.predict_proba([alone])[0])
    with pytest.warns(DataWarning, match="2 channels of the recordings were averaged"):
        quick.predict(from_audio([file]))


def test_silence_and_recordings_without_a_sample_have_a_text(model, tmp_path):
    assert model.transcribe(np.zeros(RATE)) == ""
    empty = write(tmp_path / "empty.wav", np.zeros(0))
    with pytest.warns(DataWarning, match=r"1 of 1 recordings have no sound.*'empty.wav'"):
        assert model.transcribe(empty) == ""
    assert model.predict([np.zeros(5)]) == [""]


def test_a_damaged_file_is_named(quick, tmp_path):
    whole = write(tmp_path / "whole.wav", spoken("ab"))
    cut = tmp_path / "cut.wav"
    cut.write_bytes(whole.read_bytes()[:-500])
    with pytest.raises(FileError, match=r"cut\.wav is cut off"):
        quick.transcribe(cut)
    other = tmp_path / "text.wav"
    other.write_text("this is no sound")
    with pytest.raises(FileError, match=r"text\.wav is no WAV"):
        small(1).fit([whole, other], ["a", "b"])
    with pytest.raises(FileError, match=r"gone\.wav"):
        quick.transcribe(tmp_path / "gone.wav")


def test_a_recording_without_a_sample_cannot_be_learned_from(tmp_path):
    files = [write(tmp_path / "a.wav", spoken("ab")), write(tmp_path / "b.wav", np.zeros(0))]
    with pytest.raises(DataError, match=r"no steps.*'b\.wav'"):
        small(1).fit(files, ["ab", ""])


def test_a_transcript_longer_than_its_frames_is_left_out_and_named():
    heard, said = corpus(12)
    with pytest.warns(DataWarning, match=r"1 of 12 transcripts are longer .*that of 3: left out"):
        learned = small(2).fit(heard, [*said[:3], "abc" * 40, *said[4:]], rate=RATE)
    assert any("longer than their frames" in each for each in learned.notes_)
    with (
        pytest.raises(OptionError, match="lower stride"),
        pytest.warns(DataWarning, match="12 of 12"),
    ):
        small(2).fit(heard, ["abc" * 40] * 12, rate=RATE)


def test_two_equal_letters_need_a_frame_between_them():
    heard = [np.random.default_rng(k).normal(size=160) for k in range(3)]  # four rows, two frames
    with pytest.warns(DataWarning, match="1 of 3 .*that of 1"):
        small(1).fit(heard, ["ab", "aa", "b"], rate=RATE)


@pytest.mark.parametrize(
    ("y", "match"),
    [
        (["a"], "12 recordings, but 1 transcripts"),
        (["a", None, *["a"] * 10], r"NoneType came .*series 1.*''"),
        ([""] * 12, "All transcripts are empty"),
        (None, "y is missing"),
    ],
)
def test_wrong_transcripts_are_refused(y, match):
    with pytest.raises(DataError, match=match):
        small(1).fit(corpus(12)[0], y, rate=RATE)


def test_one_text_is_no_list_of_transcripts():
    with pytest.raises(OptionError, match=r"Write \[y\]"):
        small(1).fit([np.zeros(100)], "a", rate=RATE)


def test_wrong_samples_are_refused_by_record(quick):
    with pytest.raises(OptionError, match="rate=16000"):
        small(1).fit([np.zeros(100)], ["a"])
    with pytest.raises(DataError, match=r"no finite number.*series 1, row 2"):
        quick.predict([np.zeros(9), np.array([0.0, 1.0, np.inf])])
    with pytest.raises(DataError, match=r"shape \(3, 2\)"):
        quick.predict([np.zeros((3, 2))])
    with pytest.raises(DataError, match="No recordings"):
        quick.predict([])
    with pytest.raises(OptionError, match="int came"):
        quick.predict(3)
    with pytest.raises(OptionError, match="rate=0"):
        small(1).fit([np.zeros(100)], ["a"], rate=0)


def test_treatments_that_leave_samples_as_they_are_are_refused():
    heard, said = corpus(12)
    with pytest.raises(OptionError, match=r"LogMel\(\) first"):
        small(1, treatments=[]).fit(heard, said, rate=RATE)


def test_impossible_options_are_refused():
    heard, said = corpus(12)
    for wrong in (
        {"layer": "grud"},
        {"unit": "byte"},
        {"stride": 0},
        {"beam": 0},
        {"dropout": 1.0},
    ):
        with pytest.raises(OptionError, match=next(iter(wrong))):
            small(1, **wrong).fit(heard, said, rate=RATE)
    with pytest.raises(NotFittedError, match="fit"):
        Transcriber().predict(heard, rate=RATE)


def test_a_failed_fit_leaves_what_was_learned(quick):
    before = quick.rate_, quick.symbols_
    with pytest.raises(DataError, match="empty"):
        quick.fit([np.ones(900)] * 2, ["", ""], rate=9000)
    assert (quick.rate_, quick.symbols_) == before
    assert quick.network_ is not None


# ------------------------------------------------------------------ language models


def test_a_search_without_a_language_model_reads_what_is_clear(model):
    samples = spoken("abc")
    assert model.transcribe(samples, beam=8) == model.transcribe(samples) == "abc"


def test_a_language_model_outweighs_the_sounds_where_it_counts_enough(model):
    text = NGrams(3).fit(["cc"] * 20)
    samples = spoken("ab")
    assert model.transcribe(samples, language_model=text, language_weight=0.0) == "ab"
    swayed = model.transcribe(samples, language_model=text, language_weight=200.0)
    assert set(swayed) <= {"c"}


def test_what_is_no_language_model_is_refused(model):
    with pytest.raises(OptionError, match="NGrams"):
        model.transcribe(spoken("a"), language_model="a text")


def test_a_trained_language_model_says_what_follows():
    from recurra.estimators.language.language_model import LanguageModel
    from recurra.estimators.speech.learned_text import as_text_model

    training = Training(steps=20, batch_size=4, progress=False)
    trained = LanguageModel(hidden_size=8, training=training).fit(["abab", "ab"] * 30)
    text = as_text_model(trained)
    told = text.log_probabilities("ab")
    assert {"a", "b", ""} <= set(told)
    expected = trained.predict_proba("ab")
    where = trained.vocabulary_.index("a")
    assert told["a"] == pytest.approx(np.log(expected[where]), abs=1e-5)
    assert text.log_probabilities("b")["a"] == pytest.approx(
        np.log(trained.predict_proba("b")[where]), abs=1e-5
    )


# ------------------------------------------------------------------ real recordings


def test_real_speech_is_read_from_files_and_goes_through():
    folder = DATA / "spk_librivox_smoke"
    if not folder.is_dir():
        pytest.skip("the recordings of spk_librivox_smoke are not there (RECURRA_DATA)")
    files = sorted(folder.glob("*.wav"))
    said = [file.with_suffix(".txt").read_text().strip() for file in files]
    learned = small(2, bidirectional=False).fit(files, said)
    assert learned.rate_ == 16000
    session = learned.stream()
    samples = from_audio(files[0]).stream.values[:, 0]
    for start in range(0, len(samples), 4000):
        session.step(samples[start : start + 4000])
    assert session.finish() == learned.transcribe(files[0])
