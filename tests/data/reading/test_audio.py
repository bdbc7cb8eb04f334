import os
import struct
import warnings
import wave
from pathlib import Path

import numpy as np
import pytest

from recurra.data.reading.audio import from_audio
from recurra.errors import DataError, DataWarning, FileError, OptionError

REAL = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[4] / "shared" / "data"))
RAMP = np.arange(-500, 500, dtype=np.int16)


def header(rate=8000, channels=1, bits=16, coding=1, block=None, order="<"):
    block = channels * bits // 8 if block is None else block
    return struct.pack(f"{order}HHIIHH", coding, channels, rate, rate * block % 2**32, block, bits)


def chunk(name, content, size=None, order="<"):
    size = len(content) if size is None else size
    return name + struct.pack(f"{order}I", size) + content + b"\0" * (len(content) % 2)


def riff(*chunks, name=b"RIFF", order="<"):
    content = b"WAVE" + b"".join(chunks)
    return name + struct.pack(f"{order}I", len(content)) + content


def sound(samples=RAMP, size=None, before=b"", after=b"", **form):
    content = samples.tobytes() if isinstance(samples, np.ndarray) else samples
    data = chunk(b"data", content, size)
    return riff(chunk(b"fmt ", header(**form)), before, data, after)


def write(folder, content, name="a.wav"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def quietly(*arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return from_audio(*arguments, **options)


def fault(path, kind=FileError, **options):
    with pytest.raises(kind) as caught:
        from_audio(path, **options)
    return str(caught.value)


# What is read ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        (sound(), "int16", RAMP),
        (sound(np.array([0, 128, 255], np.uint8), bits=8), "int8", [-128, 0, 127]),
        (sound(b"\1\0\0\0\0\x80\xff\xff\x7f", bits=24), "int32", [256, -(2**31), 2**31 - 256]),
        (sound(np.array([7, -9], np.int32), bits=32), "int32", [7, -9]),
        (sound(np.array([0.5, -1], np.float32), bits=32, coding=3), "float32", [0.5, -1]),
        (sound(np.array([0.1, -1]), bits=64, coding=3), "float64", [0.1, -1]),
    ],
)
def test_samples_stay_what_the_file_has_at_full_scale(tmp_path, content, kind, expected):
    stream = quietly(write(tmp_path, content)).stream
    assert stream.values.dtype == kind
    assert (stream.kind, stream.rate, stream.channels) == ("signal", 8000.0, ("mono",))
    np.testing.assert_array_equal(stream.values.ravel(), expected)


def test_what_python_writes_is_read_back_the_same(tmp_path):
    samples = np.random.default_rng(0).integers(-(2**15), 2**15, (50, 2)).astype(np.int16)
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((2, 2, 44100, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    stream = quietly(tmp_path).stream
    assert stream.channels == ("left", "right")
    np.testing.assert_array_equal(stream.values, samples)


def test_other_parts_around_the_samples_are_skipped(tmp_path):
    odd = chunk(b"LIST", b"abc")
    path = write(tmp_path, sound(before=odd + chunk(b"JUNK", b"\0" * 28), after=odd))
    np.testing.assert_array_equal(quietly(path).stream.values.ravel(), RAMP)


def test_big_endian_and_long_headers_are_read(tmp_path):
    values = RAMP.astype(">i2").tobytes()
    form = chunk(b"fmt ", header(order=">"), order=">")
    big = riff(form, chunk(b"data", values, order=">"), name=b"RIFX", order=">")
    three = chunk(b"data", b"\x80\0\0\0\0\1", order=">")
    wide = chunk(b"fmt ", header(bits=24, order=">"), order=">")
    sizes = chunk(b"ds64", struct.pack("<QQQI", 10**10, RAMP.nbytes, len(RAMP), 0))
    long = riff(
        sizes, chunk(b"fmt ", header()), chunk(b"data", RAMP.tobytes(), 0xFFFFFFFF), name=b"RF64"
    )
    for name, content in (("big", big), ("long", long)):
        path = write(tmp_path, content, f"{name}.wav")
        np.testing.assert_array_equal(quietly(path).stream.values.ravel(), RAMP)
    path = write(tmp_path, riff(wide, three, name=b"RIFX", order=">"), "three.wav")
    np.testing.assert_array_equal(quietly(path).stream.values.ravel(), [-(2**31), 256])


def test_an_extensible_header_says_its_format_further_down(tmp_path):
    samples = np.array([0.25, -0.5], np.float32)
    more = struct.pack("<HHIH14s", 22, 32, 4, 3, b"\0" * 14)
    form = header(bits=32, coding=0xFFFE) + more
    path = write(tmp_path, riff(chunk(b"fmt ", form), chunk(b"data", samples.tobytes())))
    np.testing.assert_array_equal(quietly(path).stream.values.ravel(), samples)


def test_a_recording_without_samples_is_a_record_of_length_zero(tmp_path):
    write(tmp_path, sound(RAMP[:0], after=chunk(b"LIST", b"abcd")), "none.wav")
    write(tmp_path, sound(), "some.wav")
    assert quietly(tmp_path).stream.lengths.tolist() == [0, 1000]


def test_silence_and_clipping_are_read_as_they_are(tmp_path):
    loud = np.full(100, 2**15 - 1, np.int16)
    write(tmp_path, sound(np.zeros(100, np.int16)), "1.wav")
    write(tmp_path, sound(loud), "2.wav")
    stream = quietly(tmp_path).stream
    np.testing.assert_array_equal(stream.at(0).values, 0)
    np.testing.assert_array_equal(stream.at(1).values.ravel(), loud)


def test_a_folder_is_read_in_natural_order_without_what_is_hidden(tmp_path):
    for name in ("b/10.wav", "b/9.WAV", "a/1.wav", ".hidden/x.wav", "a/._1.wav", "README.md"):
        write(tmp_path, sound(), name)
    assert quietly(tmp_path).ids == ("a/1.wav", "b/9.WAV", "b/10.wav")


# Labels ------------------------------------------------------------------------------------


def test_labels_are_in_the_names(tmp_path):
    for name in ("0_ann_0.wav", "3_bob_0.wav", "3_ann_1.wav"):
        write(tmp_path, sound(), name)
    data = quietly(tmp_path, labels_from=r"(?P<digit>\d)_(?P<speaker>\w+)_(?P<group>\d)")
    assert set(data.targets) == {"digit", "speaker"}
    assert data.targets["digit"].classes == ("0", "3")
    assert data.targets["speaker"].values.ravel().tolist() == [0, 0, 1]
    assert data.groups.tolist() == ["0", "1", "0"]


def test_labels_are_the_folders(tmp_path):
    for name in ("yes/1.wav", "no/1.wav", "yes/2.wav"):
        write(tmp_path, sound(), name)
    data = quietly(tmp_path, labels_from="folder")
    assert data.target.classes == ("no", "yes")
    assert data.target.values.ravel().tolist() == [0, 1, 1]


def test_labels_given_beside_are_kept_in_order(tmp_path):
    paths = [write(tmp_path, sound(), f"{k}.wav") for k in (2, 1)]
    data = quietly(paths, y=["b", "a"])
    assert data.ids == ("2.wav", "1.wav")
    assert data.target.values.ravel().tolist() == [1, 0]


# Files that are not what they say ----------------------------------------------------------


def test_a_file_cut_off_is_refused_with_the_frames_that_are_lost(tmp_path):
    path = write(tmp_path, sound()[:-800])
    said = fault(path)
    assert str(path) in said
    assert "600 of 1000 frames" in said
    assert "400 are lost" in said
    assert "damaged='cut'" in said


def test_a_part_of_a_frame_is_a_lost_frame(tmp_path):
    path = write(tmp_path, sound(b"\1\0\2\0\3"))
    assert "2 of 3 frames" in fault(path)
    with pytest.warns(DataWarning, match="1 frames or more"):
        assert from_audio(path, damaged="cut").stream.values.ravel().tolist() == [1, 2]


def test_a_file_cut_off_is_read_as_far_as_it_goes_with_a_note(tmp_path):
    write(tmp_path, sound()[:-801], "a.wav")
    write(tmp_path, sound(), "b.wav")
    with pytest.warns(DataWarning, match="1 of 2 files, such as 'a.wav'; 401 frames") as said:
        data = from_audio(tmp_path, damaged="cut")
    assert len(said) == 1
    assert said[0].filename == __file__
    assert data.notes == (str(said[0].message),)
    assert data.stream.lengths.tolist() == [599, 1000]
    np.testing.assert_array_equal(data.stream.at(0).values.ravel(), RAMP[:599])


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x80000000, 0x7FFFFFFF, 0x7FFFF000, 0])
def test_a_file_that_never_got_its_size_is_read_to_its_end_with_a_note(tmp_path, size):
    path = write(tmp_path, sound(size=size))
    with pytest.warns(DataWarning, match=r"No length in the header.*1 of 1 files") as said:
        data = from_audio(path)
    assert data.notes == (str(said[0].message),)
    np.testing.assert_array_equal(data.stream.values.ravel(), RAMP)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (sound(rate=0), "0 frames a second"),
        (sound(rate=4_000_000_000), "4000000000 frames a second"),
        (sound(channels=0), "0 channels"),
        (sound(channels=65535, block=2), "65535 channels"),
        (sound(bits=0), "0 bits"),
        (sound(bits=7, block=1), "7 bits"),
        (sound(block=7), "2 bytes a frame, but its header says 7"),
        (sound(coding=2), "format 2"),
        (sound(bits=16, coding=3), "16 bits"),
        (riff(chunk(b"fmt ", header()[:12])), "12 bytes"),
        (sound(before=chunk(b"JUNK", b"", 0xFFFFFFF0)), "JUNK"),
        (sound(before=chunk(b"JUNK", b"x" * 10, 10**6)), "1000000 bytes"),
        (riff(chunk(b"fmt ", header())), "no part with samples"),
        (riff(chunk(b"fmt ", header()), chunk(b"LIST", b"abcd")), "no part with samples"),
        (riff(), "no 'fmt '"),
        (riff(chunk(b"data", b"abcd")), "before their format"),
        (riff(*[chunk(b"JUNK", b"")] * 10_001), "more than 10000 parts"),
        (b"RIFF", "no WAV"),
        (b"fLaC" + b"\0" * 100, "no WAV"),
        (b"", "empty"),
    ],
)
def test_a_header_that_cannot_be_true_is_refused(tmp_path, content, what):
    path = write(tmp_path, content)
    for damaged in ("error", "cut"):
        said = fault(path, damaged=damaged)
        assert str(path) in said
        assert what in said


def test_a_size_beyond_the_file_allocates_nothing(tmp_path):
    import tracemalloc

    path = write(tmp_path, sound(size=0xF0000000))
    tracemalloc.start()
    said = fault(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "2013265920 frames" in said
    assert peak < 2**20


def test_an_ending_that_is_not_read_is_refused(tmp_path):
    assert "Read are .wav" in fault(write(tmp_path, sound(), "a.txt"))


@pytest.mark.parametrize("name", ["missing.wav", "folder", "folder/empty"])
def test_what_is_no_file_is_refused(tmp_path, name):
    (tmp_path / "folder" / "empty").mkdir(parents=True)
    assert name.split("/")[-1] in fault(tmp_path / name)


def test_an_infinite_sample_is_refused_with_its_place(tmp_path):
    path = write(tmp_path, sound(np.array([0, np.inf], np.float32), bits=32, coding=3))
    with pytest.raises(DataError) as caught:
        from_audio(path)
    found = caught.value
    assert (found.code, found.record, found.row, found.column) == ("infinite", "a.wav", 1, "mono")


def test_a_sample_that_is_nan_was_not_observed(tmp_path):
    path = write(tmp_path, sound(np.array([0, np.nan, 1], np.float32), bits=32, coding=3))
    assert quietly(path).stream.observed.ravel().tolist() == [True, False, True]


# Files that differ -------------------------------------------------------------------------


def test_different_rates_are_refused_naming_two_files(tmp_path):
    paths = [write(tmp_path, sound(rate=rate), f"{rate}.wav") for rate in (8000, 16000)]
    said = fault(tmp_path, DataError)
    assert all(str(path) in said for path in paths)
    assert "rate=8000" in said


def test_different_channels_are_refused_naming_two_files(tmp_path):
    paths = [write(tmp_path, sound(channels=n), f"{n}.wav") for n in (1, 2)]
    said = fault(tmp_path, DataError)
    assert all(str(path) in said for path in paths)
    assert "mono=True" in said


def test_a_tone_resampled_is_the_same_tone(tmp_path):
    def tone(rate):
        return (2e4 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.int16)

    write(tmp_path, sound(tone(44100), rate=44100), "a.wav")
    write(tmp_path, sound(tone(16000), rate=16000), "b.wav")
    write(tmp_path, sound(RAMP[:0], rate=11025), "c.wav")
    data = quietly(tmp_path, rate=16000)
    assert data.notes == ("Resampled to 16000 a second: 2 of 3 files.",)
    assert data.stream.lengths.tolist() == [16000, 16000, 0]
    assert data.stream.values.dtype == np.int16
    first, second = (data.stream.at(k).values[200:-200, 0].astype(float) for k in (0, 1))
    assert np.abs(first - second).max() < 200


def test_resampling_holds_integers_at_full_scale(tmp_path):
    square = np.where(np.arange(4000) % 40 < 20, 2**15 - 1, -(2**15)).astype(np.int16)
    path = write(tmp_path, sound(square, rate=8000))
    values = quietly(path, rate=16000).stream.values[100:-100, 0]
    assert values.max() == 2**15 - 1
    assert values.min() == -(2**15)
    assert (np.abs(np.diff(values.astype(int))) < 50000).all()


def test_channels_are_averaged_on_request(tmp_path):
    write(tmp_path, sound(np.array([[10, 21], [-4, -4]], np.int16), channels=2), "a.wav")
    write(tmp_path, sound(RAMP[:2]), "b.wav")
    stream = quietly(tmp_path, mono=True).stream
    assert stream.values.dtype == np.int16
    assert stream.at(0).values.ravel().tolist() == [16, -4]
    assert stream.at(1).values.ravel().tolist() == RAMP[:2].tolist()


def test_integers_and_floats_together_become_floats_with_a_note(tmp_path):
    write(tmp_path, sound(np.array([2**14, -(2**15)], np.int16)), "a.wav")
    write(tmp_path, sound(np.array([0.5, -1], np.float32), bits=32, coding=3), "b.wav")
    with pytest.warns(DataWarning, match="float32 and int16"):
        data = from_audio(tmp_path)
    assert data.stream.values.dtype == np.float32
    np.testing.assert_array_equal(data.stream.at(0).values, data.stream.at(1).values)


@pytest.mark.parametrize(
    "options",
    [{"rate": 0}, {"rate": "8k"}, {"rate": 0.5}, {"damaged": "keep"}, {"labels_from": "("}],
)
def test_wrong_options_are_refused(tmp_path, options):
    fault(write(tmp_path, sound()), OptionError, **options)


# Coded sound -------------------------------------------------------------------------------


@pytest.fixture
def soundfile():
    return pytest.importorskip("soundfile")


def tone(steps=20_000):
    return (2e4 * np.sin(np.arange(steps) / 10)).astype(np.int16)


def test_flac_is_read_bit_by_bit(tmp_path, soundfile):
    soundfile.write(tmp_path / "a.flac", tone(), 16000)
    soundfile.write(tmp_path / "b.flac", tone(), 16000)
    stream = quietly(tmp_path).stream
    assert (stream.values.dtype, stream.rate) == (np.int16, 16000.0)
    np.testing.assert_array_equal(stream.at(1).values.ravel(), tone())


@pytest.mark.parametrize("ending", ["ogg", "mp3"])
def test_what_is_coded_with_loss_is_read_as_floats(tmp_path, soundfile, ending):
    soundfile.write(tmp_path / f"a.{ending}", tone(), 16000)
    stream = quietly(tmp_path).stream
    assert stream.values.dtype == np.float32
    assert stream.lengths.tolist() == [20_000]
    assert np.abs(stream.values[:, 0] - tone() / 2**15)[1000:-1000].max() < 0.1


@pytest.mark.parametrize("law", ["ULAW", "ALAW"])
@pytest.mark.parametrize("size", [20_000, 0])
def test_telephone_sound_is_read_by_its_true_size(tmp_path, soundfile, law, size):
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(), 8000, subtype=law)
    content = path.read_bytes()
    place = content.index(b"data") + 4
    expected = soundfile.read(path, dtype="int16")[0]
    path.write_bytes(content[:place] + struct.pack("<I", size) + content[place + 4 :])
    with warnings.catch_warnings():
        warnings.simplefilter("error" if size else "ignore")
        stream = from_audio(path).stream
    np.testing.assert_array_equal(stream.values.ravel(), expected)


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_flac_cut_off_is_refused_or_read_as_far_as_it_goes(tmp_path, soundfile, share):
    path = tmp_path / "a.flac"
    soundfile.write(path, tone(), 16000)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    said = fault(path)
    assert str(path) in said
    assert "of 20000 frames are there" in said
    with pytest.warns(DataWarning, match="frames or more are lost"):
        stream = from_audio(path, damaged="cut").stream
    assert 4096 <= stream.lengths[0] < 20_000
    np.testing.assert_array_equal(stream.values.ravel(), tone()[: stream.lengths[0]])


def test_flac_with_a_flipped_byte_is_refused(tmp_path, soundfile):
    path = tmp_path / "a.flac"
    soundfile.write(path, tone(), 16000)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    assert str(path) in fault(path)


def test_flac_that_does_not_say_its_length_is_refused(tmp_path, soundfile):
    path = tmp_path / "a.flac"
    soundfile.write(path, tone(), 16000)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)
    assert "does not say how long" in fault(path)


def test_ogg_cut_off_is_refused(tmp_path, soundfile):
    path = tmp_path / "a.ogg"
    soundfile.write(path, np.random.default_rng(0).normal(size=200_000) / 10, 16000)
    content = path.read_bytes()
    path.write_bytes(content[: int(0.7 * len(content))])
    assert "cut off" in fault(path)
    with pytest.warns(DataWarning, match="1 of 1 files"):
        assert 0 < from_audio(path, damaged="cut").stream.lengths[0] < 200_000


@pytest.mark.parametrize("ending", ["flac", "ogg", "mp3"])
def test_what_only_its_name_says_to_be_sound_is_refused(tmp_path, soundfile, ending):
    path = write(tmp_path, b"nothing of the kind" * 100, f"a.{ending}")
    assert str(path) in fault(path)


# Real recordings ---------------------------------------------------------------------------


@pytest.mark.data
def test_real_recordings_are_read(tmp_path):
    if not (REAL / "spk_yesno").is_dir():
        pytest.skip(f"{REAL} has no spk_yesno")
    data = quietly(REAL / "spk_yesno")
    assert len(data) == 60
    assert (data.stream.rate, data.stream.values.dtype) == (8000.0, np.int16)
    assert (data.lengths > 4.9 * 8000).all()
    digits = quietly(REAL / "spk_fsdd_dev", labels_from=r"(?P<digit>\d)_(?P<group>\w+)_")
    assert digits.target.classes == tuple("0123456789")
    assert set(digits.groups) == {"george", "jackson", "lucas", "yweweler"}
