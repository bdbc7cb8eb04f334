import numpy as np
import pytest

from recurra.data.reading.arrays import from_arrays
from recurra.data.reading.transcripts import check_transcripts, read_transcripts
from recurra.errors import DataError, OptionError


def recordings(said, *steps):
    data = from_arrays([np.zeros(n) for n in steps], ids=[f"r{k}" for k in range(len(steps))])
    return data.with_targets(said=read_transcripts(said))


@pytest.mark.parametrize("steps", [(2, 2), (5, 9)])
def test_transcripts_of_one_length_stay_sequences_of_labels(steps):
    target = recordings(["no", "on"], *steps).target
    assert (target.level, target.classes, len(target)) == ("labels", ("n", "o"), 2)
    assert target.offsets.tolist() == [0, 2, 4]
    assert target.values.ravel().tolist() == [0, 1, 1, 0]


def test_transcripts_are_letters_words_or_labels_parted_already():
    assert read_transcripts(["a b"]).classes == (" ", "a", "b")
    assert read_transcripts(["a b"], unit="word").classes == ("a", "b")
    phones = read_transcripts([["sh", "iy"], []], name="phones")
    assert (phones.outputs, phones.offsets.tolist()) == (("phones",), [0, 2, 2])


@pytest.mark.parametrize(
    ("said", "needed"), [("", 0), ("a", 1), ("ab", 2), ("aa", 3), ("aabb", 6), ("abab", 4)]
)
def test_a_transcript_needs_a_frame_a_label_and_one_between_two_alike(said, needed):
    check_transcripts(recordings(["a", said, "a"], 1, needed, 1))
    if needed:
        with pytest.raises(DataError) as caught:
            check_transcripts(recordings(["a", said, "a"], 1, needed - 1, 1))
        assert (caught.value.code, caught.value.record) == ("transcript_length", "r1")
        assert f"needs {needed} frames, but there are {needed - 1}" in str(caught.value)


def test_labels_alike_across_two_records_need_no_blank():
    check_transcripts(recordings(["ba", "ab"], 2, 2))


def test_frames_count_and_not_samples():
    data = recordings(["abc", "ab"], 320, 100)
    check_transcripts(data, frames=data.lengths // 50)
    with pytest.raises(DataError, match="r0"):
        check_transcripts(data, frames=data.lengths // 160)


def test_what_is_no_transcript_is_refused():
    data = from_arrays([[0.0, 1.0]], ["a"])
    with pytest.raises(OptionError, match="level 'record'"):
        check_transcripts(data)
    with pytest.raises(OptionError, match="2 records"):
        check_transcripts(recordings(["a", "b"], 1, 1), frames=[1])
    with pytest.raises(OptionError, match="a str came"):
        read_transcripts("abc")
    with pytest.raises(OptionError, match="'char' or 'word'"):
        read_transcripts(["a"], unit="byte")
