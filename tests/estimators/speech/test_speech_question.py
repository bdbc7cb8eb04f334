"""Why something was written down: what is asked of a transcriber, and at which sounds it lies."""

import numpy as np
import pytest
import torch

from recurra import Training
from recurra.data import from_arrays
from recurra.errors import DataError, OptionError
from recurra.estimators.speech.speech_question import ask
from recurra.estimators.speech.transcriber import Transcriber
from recurra.explaining import explain

RATE, SECONDS = 4000, 2.0
PITCH = {"a": 300, "b": 900, "c": 1500}


def recording(text, chance):
    """Sing letters somewhere in two silent seconds; say from when to when each is sung."""
    wave, spans = chance.normal(0, 0.002, int(RATE * SECONDS)), []
    for place, letter in zip(
        np.sort(chance.choice(9, len(text), replace=False)), text, strict=True
    ):
        start = int((0.1 + 0.2 * place) * RATE + chance.integers(0, 200))
        tone = 0.5 * np.sin(2 * np.pi * PITCH[letter] * np.arange(int(RATE * 0.08)) / RATE)
        wave[start : start + len(tone)] += tone
        spans.append((start / RATE, (start + len(tone)) / RATE))
    return wave, spans


def made(count, seed):
    chance = np.random.default_rng(seed)
    said = ["".join(chance.choice([*"abc"], chance.integers(1, 4))) for _ in range(count)]
    return [recording(text, chance) for text in said], said


@pytest.fixture(scope="module")
def model():
    heard, said = made(60, 0)
    training = Training(steps=150, batch_size=8, learning_rate=1e-2, progress=False)
    sizes = {"hidden_size": 24, "num_layers": 1, "dropout": 0.0, "augment": False}
    model = Transcriber(**sizes, validation=0.0, training=training)
    return model.fit([wave for wave, _ in heard], said, rate=RATE)


def answered(question):
    with torch.no_grad():
        return float(question.answer({"audio": question.reads["audio"].values[None]}))


def paths(told, symbols):
    """Add up the probabilities of all ways to write symbols, one frame after the other."""
    written = [0, *(each for symbol in symbols for each in (symbol + 1, 0))]
    now = {0: 1.0}
    for frame, row in enumerate(told):
        after = {}
        for place, share in now.items():
            for to in {place, place + 1, place + 2} if frame else {0, 1}:
                fits = to < len(written) and not (
                    to == place + 2 and (written[to] == 0 or written[to] == written[place])
                )
                if fits:
                    after[to] = after.get(to, 0.0) + share * row[written[to]]
        now = after
    return np.log(now.get(len(written) - 1, 0.0) + now.get(len(written) - 2, 0.0))


# ------------------------------------------------------------------ what is asked


def test_the_answer_is_the_log_probability_of_the_transcript(model):
    wave, _ = made(1, 7)[0][0]
    text, (told,) = model.transcribe(wave), model.predict_proba([wave])
    codes = [model.symbols_.index(letter) for letter in text]
    question = ask(model, wave, None, None, None)
    assert answered(question) == pytest.approx(paths(told, codes), abs=1e-4)
    assert question.asked == f"log probability of the transcript {text!r}"
    other = ask(model, wave, "cab", None, None)
    assert answered(other) == pytest.approx(paths(told, [2, 0, 1]), abs=1e-3)


def test_a_part_is_asked_for_where_it_lies(model):
    chance = np.random.default_rng(3)
    wave, spans = recording("abc", chance)
    assert model.transcribe(wave) == "abc"
    question = ask(model, wave, "b", None, None)
    (told,) = model.predict_proba([wave])
    said = question.said
    assert answered(question) == pytest.approx(paths(told[said.start : said.stop], [1]), abs=1e-4)
    begun, ended = (
        float(each.split()[0]) for each in question.asked.split(" from ")[1].split(" to ")
    )
    assert spans[0][1] < begun
    assert ended < spans[2][0] + 0.1
    marks = question.reads["audio"].marks
    assert [letter for _, letter in marks] == [*"abc"]
    for (step, _), (start, stop) in zip(marks, spans, strict=True):
        assert start - 0.05 < step / 100 < stop + 0.15


def test_steps_are_seconds_and_channels_are_bands(model):
    wave, _ = recording("a", np.random.default_rng(0))
    read = ask(model, wave, None, None, None).reads["audio"]
    assert read.steps[:3] == (0.0, 0.01, 0.02)
    assert len(read.steps) == len(read.values) == SECONDS * 100
    hertz = [float(name.removesuffix(" Hz")) for name in read.channels]
    assert hertz == sorted(hertz)
    assert len(hertz) == 40
    loudest = read.channels[int(np.argmax(read.shown.max(0)))]
    assert abs(float(loudest.removesuffix(" Hz")) - PITCH["a"]) < 40
    pauses = np.quantile(read.values.numpy(), 0.1, axis=0)
    np.testing.assert_allclose(read.baseline.numpy(), np.tile(pauses, (200, 1)), rtol=1e-5)


def test_many_changed_recordings_are_answered_as_each_alone(model):
    wave, _ = recording("ab", np.random.default_rng(0))
    for target in (None, "a"):
        question = ask(model, wave, target, None, None)
        values = torch.randn(3, 200, 40, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            together = question.answer({"audio": values})
            alone = torch.cat([question.answer({"audio": each[None]}) for each in values])
        torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


def test_the_scores_add_up_to_the_change_of_the_answer(model):
    wave, _ = recording("ca", np.random.default_rng(1))
    for target in (None, "a", ""):
        assert model.explain(wave, target=target).checks.completeness < 0.01


def test_another_recording_may_stand_for_nothing(model):
    wave, ((start, stop),) = recording("b", np.random.default_rng(2))
    why = model.explain(wave, baseline=np.zeros(len(wave)), checks=False)
    assert start - 0.1 < why.top(1)[0].step < stop + 0.1
    with pytest.raises(OptionError, match="same length"):
        model.explain(wave, baseline=np.zeros(800))


def test_silence_is_explained_as_an_empty_transcript(model):
    wave = np.random.default_rng(0).normal(0, 0.002, 4000)
    assert model.transcribe(wave) == ""
    why = model.explain(wave, checks=False)
    assert why.asked == "log probability of an empty transcript"
    assert why.reads["audio"].marks == ()


def test_other_numbers_than_sound_keep_their_names():
    chance = np.random.default_rng(0)
    X = [chance.normal(size=(12, 3)) for _ in range(12)]
    training = Training(steps=2, batch_size=4, progress=False)
    model = Transcriber(hidden_size=4, training=training)
    model.fit(from_arrays(X), ["ab"] * 12)
    read = model.explain(from_arrays(X[:1]), target="ab", checks=False).reads["audio"]
    assert read.channels == ("x0", "x1", "x2")
    assert read.steps == tuple(range(12))
    assert read.shown is None
    assert (read.baseline == 0).all()


# ------------------------------------------------------------------ what was planted


def test_the_only_sound_of_a_silent_recording_is_found(model):
    chance = np.random.default_rng(5)
    right = {"step": 0, "window": 0, "channel": 0}
    for k in range(20):
        letter = "abc"[k % 3]
        wave, ((start, stop),) = recording(letter, chance)
        assert model.transcribe(wave) == letter
        (first,) = model.explain(wave, checks=False).top(1)
        right["step"] += start - 0.06 <= first.step <= stop + 0.06
        window = model.explain(wave, method="occlusion", by="window", window=8, checks=False)
        begun, ended = window.top(1)[0].step
        right["window"] += begun <= stop + 0.03 and ended >= start - 0.03
        (band,) = model.explain(wave, by="channel", checks=False).top(1)
        right["channel"] += abs(float(band.channel.split()[0]) - PITCH[letter]) < 100
    assert min(right.values()) >= 19, right


def test_one_of_three_sounds_is_found_where_it_is_asked_for(model):
    chance, right, correlations = np.random.default_rng(6), 0, []
    for k in range(20):
        text = "".join(chance.permutation([*"abc"]))
        wave, spans = recording(text, chance)
        assert model.transcribe(wave) == text
        start, stop = spans[k % 3]
        why = model.explain(wave, target=text[k % 3], checks=False)
        right += start - 0.06 <= why.top(1)[0].step <= stop + 0.06
        question = ask(model, wave, text[k % 3], None, None).randomised(k)
        random = explain(question, checks=False)
        cells = [each.scores["audio"].ravel() for each in (why, random)]
        correlations.append(np.corrcoef(*cells)[0, 1])
    assert right >= 16  # 18 were measured
    assert abs(np.mean(correlations)) < 0.3


# ------------------------------------------------------------------ wrong inputs


@pytest.mark.parametrize(
    ("how", "error", "said"),
    [
        ({"target": "ax"}, DataError, "never learned.*'x'"),
        ({"target": 3}, OptionError, "what may be said"),
        ({"target": "abc" * 60}, OptionError, "needs 180 frames"),
        ({"step": 3}, OptionError, "step= is nothing"),
        ({"method": "attention"}, OptionError, "does not attend"),
    ],
)
def test_what_cannot_be_asked_is_refused(model, how, error, said):
    wave, _ = recording("a", np.random.default_rng(0))
    with pytest.raises(error, match=said):
        model.explain(wave, **how)


@pytest.mark.parametrize(
    ("X", "error", "said"),
    [
        ([np.zeros(800), np.zeros(800)], OptionError, "X holds 2 records"),
        (np.zeros(0), DataError, "no steps"),
        (np.zeros(60), DataError, "which make no frame"),
        ("nowhere.wav", Exception, "nowhere.wav"),
    ],
)
def test_what_is_no_recording_is_refused(model, X, error, said):
    with pytest.raises(error, match=said):
        model.explain(X)
