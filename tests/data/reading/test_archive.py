import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from recurra.data.reading.archive import from_ts
from recurra.errors import DataError, FileError

DATA = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[3] / "../shared/data"))
HEADER = "@problemName p\n@timeStamps false\n@univariate false\n@dimensions 2\n@equalLength false\n"
LABELS = "@classLabel true up down\n@data\n"


def write(folder, text, name="a.ts"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_dimensions_are_channels_and_records_keep_their_lengths(tmp_path):
    text = "# said first\n" + HEADER + LABELS + "1,2,3:4,5,6:up\n\n7,?:8,9:down\n"
    for name, content in [("a.ts", text), ("b.TS.gz", gzip.compress(text.encode()))]:
        data = from_ts(write(tmp_path, content, name))
        assert data.stream.lengths.tolist() == [3, 2]
        np.testing.assert_array_equal(data.at(1).streams["x"].values, [[7, 8], [np.nan, 9]])
        assert (data.target.classes, data.target.values.ravel().tolist()) == (
            ("down", "up"),
            [1, 0],
        )


def test_classes_are_those_of_the_header_also_where_a_part_lacks_some(tmp_path):
    header = "@univariate true\n@classLabel true 10 9 1\n@data\n"
    train = from_ts(write(tmp_path, header + "1,2:10\n", "train.ts"))
    test = from_ts(write(tmp_path, header + "1,2:9\n3,4:1\n", "test.ts"))
    assert train.target.classes == test.target.classes == ("1", "9", "10")
    assert train.target.values.ravel().tolist() == [2]
    assert test.target.values.ravel().tolist() == [1, 0]


def test_classes_are_those_found_where_the_header_lists_none(tmp_path):
    data = from_ts(write(tmp_path, "@classLabel true\n@data\n1,2:b\n1,2:a\n1,2:?\n"))
    assert data.target.classes == ("a", "b")
    assert data.target.values.ravel().tolist() == [1, 0, -1]


def test_numbers_may_be_foretold_and_labels_may_be_absent(tmp_path):
    data = from_ts(write(tmp_path, "@targetLabel true\n@data\n1,2:0.5\n3,4:?\n"))
    assert data.target.classes == ()
    np.testing.assert_array_equal(data.target.values.ravel(), [0.5, np.nan])
    assert from_ts(write(tmp_path, "@classLabel false\n@data\n1,2:3,4\n")).targets == {}


def test_each_dimension_may_have_time_stamps_of_its_own(tmp_path):
    text = "@timestamps true\n@dimensions 2\n@classLabel true u v\n@data\n"
    text += "(0,1.5),(2,?):(2,3),(5,4):u\n(0,1):(1,2):v\n"
    data = from_ts(write(tmp_path, text))
    first = data.at(0).streams["values"]
    assert first.times.tolist() == [0, 2, 5]
    np.testing.assert_array_equal(first.values, [[1.5, np.nan], [np.nan, 3], [np.nan, 4]])
    assert data.target.values.ravel().tolist() == [0, 1]
    text = "@timestamps true\n@targetLabel true\n@data\n(2024-01-01 00:00:30,1),(2024-01-02,2):7\n"
    data = from_ts(write(tmp_path, text))
    assert (data.stream.clock, data.target.values.ravel().tolist()) == ("calendar", [7])


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (HEADER + LABELS, "empty", "no records"),
        (HEADER + LABELS + "1,2:3:up\n", "ragged", "Line 8 .*1 values in a dimension, where 2"),
        ("@classLabel true u\n@data\n1,2\n", "bad_line", "Line 3 .*does not end with a label"),
        (HEADER + LABELS + "1,2:3,4:left\n", "unknown_label", "Line 8 .*'left'.*Listed are down"),
        (HEADER + LABELS + "1,2:up\n", "channel_count", "1 dimensions, but the header says 2"),
        (HEADER + LABELS + "1,2:3,4:up\n1,a:3,4:up\n", "text", "Line 9 .*series 1, row 1, column"),
        (HEADER + LABELS + "1,2:3,:up\n", "text", "has nothing for a number"),
        (HEADER + LABELS + ":3,4:up\n", "empty_series", "Line 8"),
        (HEADER + LABELS + "1,inf:3,4:up\n", "infinite", "series 0, row 1, column 'x0'"),
        (HEADER + LABELS + "1,1e300:3,4:up\n", "overflow_float32", "series 0, row 1"),
        ("@seriesLength 1000000000\n@equalLength true\n@data\n1,2\n", "too_long", "claims 10"),
        ("@dimensions 1000000000\n@data\n1,2\n", "too_long", "claims 10"),
        ("@seriesLength 3\n@equalLength true\n@data\n1,2,3\n1,2\n", "series_length", "Line 5"),
        ("@equalLength true\n@data\n1,2,3\n1,2\n", "series_length", "Line 4"),
        ("@timestamps true\n@data\n(0,1),(1,2\n", "bad_line", "Line 3"),
        ("@timestamps true\n@data\n(0,1),(1,b)\n", "text", "Line 3"),
        ("@targetLabel true\n@data\n1,2:inf\n", "infinite", "Line 3"),
    ],
)
def test_a_line_that_breaks_the_promise_of_the_header_is_named(tmp_path, text, code, said):
    with pytest.raises(DataError, match=said) as caught:
        from_ts(write(tmp_path, text))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty: 0 bytes"),
        ("1,2,3\n", "Line 1 .*comes before @data"),
        ("@univariate true\n", "no line @data"),
        ("@univariate yes\n@data\n1\n", "true or false"),
        ("@dimensions two\n@data\n1\n", "positive integer"),
        (b"@data\n1,\xff\n", "not UTF-8"),
        (b"@data\n1,\x00\n", "zero byte"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path, text, said):
    path = write(tmp_path, text)
    with pytest.raises(FileError, match=said):
        from_ts(path)


def test_a_file_cut_anywhere_is_refused_or_is_a_shorter_one(tmp_path):
    text = HEADER.replace("false\n", "true\n").replace("@timeStamps true", "@timeStamps false")
    text += LABELS + "1.5,2.5:4.5,5.5:up\n1.5,2.5:4.5,5.5:down\n"
    whole = from_ts(write(tmp_path, text))
    for size in range(1, len(text)):
        try:
            part = from_ts(write(tmp_path, text[:size], f"{size}.ts"))
        except (DataError, FileError):
            continue
        np.testing.assert_array_equal(part.stream.values, whole.stream.values[: part.stream.rows])


SETS = [
    ("cls_japanese_vowels", "JapaneseVowels", (270, 370), 12, (7, 29), 9),
    ("cls_pickup_gesture_varlen", "PickupGestureWiimoteZ", (50, 50), 1, (29, 361), 10),
    ("cls_basic_motions", "BasicMotions", (40, 40), 6, (100, 100), 4),
]


@pytest.mark.data
@pytest.mark.parametrize(("folder", "name", "counts", "channels", "lengths", "classes"), SETS)
def test_known_sets_have_their_counts_and_lengths(folder, name, counts, channels, lengths, classes):
    folder = DATA / folder
    if not folder.exists():
        pytest.skip(f"{folder} is not there: set RECURRA_DATA")
    train, test = (from_ts(folder / f"{name}_{part}.ts") for part in ("TRAIN", "TEST"))
    assert (len(train), len(test)) == counts
    both = np.concatenate([train.stream.lengths, test.stream.lengths])
    assert (both.min(), both.max()) == lengths
    assert len(train.stream.channels) == channels
    assert len(train.target.classes) == classes
    assert train.target.classes == test.target.classes
