"""Sound as the energies of bands: by the definition, without a look ahead, piece by piece."""

import numpy as np
import pytest

from recurra.data.sequences import SequenceDataset, Stream, Target
from recurra.data.treatments import LogMel, Preprocessor, Scale
from recurra.data.treatments.log_mel import as_sound
from recurra.errors import DataError, DataWarning, OptionError

RATE = 8000.0


def sound(*parts: np.ndarray, rate: float | None = RATE, **more) -> SequenceDataset:
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    values = np.concatenate(parts)
    values = values[:, None] if values.ndim == 1 else values
    names = tuple("abc"[: values.shape[1]])
    stream = Stream(values, offsets, names, "signal", rate=rate, **more)
    return SequenceDataset(tuple(range(len(parts))), {"audio": stream})


def heard(data: SequenceDataset, mel: LogMel | None = None) -> Stream:
    mel = mel or LogMel()
    return mel.apply(data, mel.learn(data)).stream


def tone(hertz: float, samples: int = 4000) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(samples) / RATE)


def test_a_row_is_what_the_equation_says():
    samples = np.random.default_rng(0).normal(0, 0.1, 1000)
    mel = LogMel(bands=12, lowest=100.0, highest=3000.0)
    row = heard(sound(samples), mel).values[6]
    size, hop, width = 200, 80, 512
    piece = samples[7 * hop - size : 7 * hop]
    window = np.sin(np.pi * np.arange(1, size + 1) / (size + 1)) ** 2
    places = np.arange(width // 2 + 1)
    waves = np.exp(-2j * np.pi * np.outer(places, np.arange(size)) / width)
    power = np.abs(waves @ (window * piece)) ** 2
    scale = lambda f: 2595 * np.log10(1 + f / 700)  # noqa: E731
    edges = np.linspace(scale(100.0), scale(3000.0), 14)
    hertz = 700 * (10 ** (edges / 2595) - 1)
    energies = []
    for b in range(12):
        low, top, high = hertz[b : b + 3]
        frequencies = places * RATE / width
        up, down = (frequencies - low) / (top - low), (high - frequencies) / (high - top)
        energies.append(float(np.clip(np.minimum(up, down), 0, None) @ power))
    assert np.allclose(row, np.log(np.array(energies) + 1e-8), atol=1e-5)


def test_a_higher_tone_is_in_a_higher_band():
    loudest = [int(heard(sound(tone(hertz))).values[20].argmax()) for hertz in (200, 800, 3000)]
    assert loudest == sorted(set(loudest))


def test_there_is_one_row_for_each_whole_hop_and_none_of_the_rest():
    stream = heard(sound(np.zeros(79), np.zeros(80), np.zeros(0), np.zeros(399)))
    assert stream.lengths.tolist() == [0, 1, 0, 4]
    assert (stream.kind, stream.rate, stream.values.dtype) == ("values", 100.0, np.float32)
    assert len(stream.channels) == 40


def test_silence_is_finite():
    assert np.allclose(heard(sound(np.zeros(800))).values, np.log(1e-8))


def test_rows_do_not_depend_on_what_comes_later():
    samples = np.random.default_rng(1).normal(size=1600)
    whole, half = heard(sound(samples)).values, heard(sound(samples[:800])).values
    assert np.array_equal(whole[:10], half)
    centred = LogMel(centred=True)
    assert not centred.causal
    assert np.allclose(heard(sound(samples), centred).values.mean(0), 0, atol=1e-5)


@pytest.mark.parametrize("size", [1, 79, 80, 333])
def test_blocks_of_any_size_give_the_rows_of_the_whole(size):
    samples = np.random.default_rng(2).normal(size=1234)
    bank = LogMel().bank(RATE)
    rows, waiting = [], bank.silence
    for start in range(0, len(samples), size):
        waiting = np.concatenate([waiting, samples[start : start + size]])
        rows.append(bank.frames(waiting))
        waiting = waiting[len(rows[-1]) * bank.hop :]
        assert len(waiting) < bank.size
    assert np.allclose(np.concatenate(rows), heard(sound(samples)).values, atol=1e-6)


def test_integers_sound_as_the_parts_of_full_scale_that_they_are():
    samples = (tone(440) * 20_000).astype(np.int16)
    assert np.array_equal(heard(sound(samples)).values, heard(sound(samples / 32768)).values)
    assert as_sound(np.array([-128], np.int8)).tolist() == [-1.0]


def test_each_channel_gives_bands_of_its_own():
    both = np.stack([tone(300), tone(2000)], 1)
    stream = heard(sound(both), LogMel(bands=10))
    assert stream.channels[:1] + stream.channels[10:11] == ("a mel0", "b mel0")
    assert np.array_equal(stream.values[:, 10:], heard(sound(both[:, 1]), LogMel(bands=10)).values)
    assert heard(sound(both), LogMel(bands=10, channels=["b"])).channels[0] == "mel0"


def test_missing_samples_are_silence_and_told():
    samples, seen = tone(440), np.ones((4000, 1), bool)
    seen[100:900] = False
    silent = np.where(seen[:, 0], samples, 0.0)
    with pytest.warns(DataWarning, match="800 missing samples were read as silence"):
        stream = heard(sound(np.where(seen[:, 0], samples, np.nan), observed=seen))
    assert np.array_equal(stream.values, heard(sound(silent)).values)


def test_a_label_of_each_sample_becomes_that_of_each_hops_last():
    data = sound(np.zeros(200), np.zeros(90))
    codes = np.arange(290)[:, None] % 7
    target = Target(
        codes, "step", tuple("abcdefg"), offsets=np.array([0, 200, 290]), stream="audio"
    )
    mel = LogMel()
    treated = mel.apply(data.with_targets(said=target), mel.learn(data))
    assert treated.target.values.ravel().tolist() == [79 % 7, 159 % 7, 279 % 7]
    assert treated.target.offsets.tolist() == [0, 2, 3]


def test_another_rate_is_refused_with_the_way_out():
    made = Preprocessor([LogMel(), Scale()]).fit(sound(tone(440)))
    with pytest.raises(DataError, match=r"8000 samples a second .* 16000\. .*rate=8000"):
        made.transform(sound(tone(440), rate=16000.0))


def test_where_there_is_no_signal_with_a_rate_nothing_can_be_heard():
    with pytest.raises(OptionError, match="from_audio"):
        LogMel().learn(sound(tone(440), rate=None))
    with pytest.raises(OptionError, match="rate="):
        LogMel(stream="audio").learn(sound(tone(440), rate=None))
    values = SequenceDataset((0,), {"x": Stream(np.zeros((3, 1)), np.array([0, 3]), ("x",))})
    with pytest.raises(OptionError, match="signal"):
        LogMel(stream="x").learn(values)


def test_impossible_options_are_refused():
    for wrong in ({"bands": 0}, {"hop": 0.0}, {"hop": 0.05}, {"lowest": 900.0, "highest": 500.0}):
        with pytest.raises(OptionError):
            LogMel(**wrong)
    with pytest.raises(OptionError, match="fewer bands"):
        LogMel(bands=300).learn(sound(tone(440)))
    with pytest.raises(OptionError, match="up to 4000 hertz only"):
        LogMel(lowest=5000.0).learn(sound(tone(440)))
