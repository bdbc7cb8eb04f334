import gzip
import json

import numpy as np
import pytest

from recurra.data.reading.lines import from_lines
from recurra.errors import DataError, FileError, OptionError


def write(folder, records, name="a.jsonl"):
    path = folder / name
    text = records
    if not isinstance(records, str | bytes):
        text = "".join(json.dumps(each) + "\n" for each in records)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


GOOD = [
    {"id": "007", "x": [[1, 2], [3, None]], "times": [0, 2.5], "y": "ill", "static": {"age": 54}},
    {"id": "8", "x": [[5, 6]], "times": [1], "y": None, "static": {"sex": "f"}},
]


def test_a_line_is_a_record(tmp_path):
    plain = write(tmp_path, GOOD)
    packed = write(tmp_path, gzip.compress(plain.read_bytes()), "b.jsonl.gz")
    spaced = write(
        tmp_path, b"\xef\xbb\xbf" + plain.read_bytes().replace(b"\n", b"\r\n\r\n"), "c.jsonl"
    )
    for path in (plain, packed, spaced):
        data = from_lines(path, channels=["a", "b"])
        assert (data.ids, data.stream.channels) == (("007", "8"), ("a", "b"))
        np.testing.assert_array_equal(data.stream.values, [[1, 2], [3, np.nan], [5, 6]])
        assert data.stream.times.tolist() == [0, 2.5, 1]
        assert data.target.values.ravel().tolist() == [0, -1]
        assert data["007"].static == {"age": 54, "sex": None}
        assert data["8"].static == {"age": None, "sex": "f"}


def test_fields_may_be_called_otherwise_and_all_but_the_steps_may_be_absent(tmp_path):
    data = from_lines(write(tmp_path, [{"v": [1, 2]}, {"v": [3]}]), fields={"x": "v"})
    assert (data.ids, data.stream.lengths.tolist(), data.targets) == ((0, 1), [2, 1], {})


def test_several_streams_and_targets_go_by_name(tmp_path):
    records = [
        {
            "x": {"ecg": [1, 2, 3], "lab": [[1, 2]]},
            "times": {"ecg": [0, 1, 2], "lab": [5]},
            "y": {"ill": 1, "days": 2.5},
            "group": "a",
            "weight": 2,
        },
        {
            "x": {"ecg": [4]},
            "times": {"ecg": [0]},
            "y": {"ill": 0, "days": 1.5},
            "group": "b",
            "weight": 1,
        },
    ]
    data = from_lines(write(tmp_path, records))
    assert data.streams["ecg"].lengths.tolist() == [3, 1]
    assert data.streams["lab"].lengths.tolist() == [1, 0]
    assert data.streams["lab"].values.shape == (1, 2)
    assert data.targets["ill"].classes == (0, 1)
    assert data.targets["days"].values.ravel().tolist() == [2.5, 1.5]
    assert (data.groups.tolist(), data.weights.tolist()) == (["a", "b"], [2, 1])


def test_stamps_are_read_with_their_zone(tmp_path):
    records = [{"x": [1, 2], "times": ["2024-01-01T00:00Z", "2024-01-01T01:00Z"]}]
    stream = from_lines(write(tmp_path, records)).stream
    assert (stream.clock, stream.zone, stream.gaps.tolist()) == ("calendar", "UTC", [0, 3600])


def test_there_may_be_a_label_for_each_step(tmp_path):
    data = from_lines(write(tmp_path, [{"x": [1, 2], "y": ["a", "b"]}, {"x": [3], "y": ["a"]}]))
    assert (data.target.level, data.target.values.ravel().tolist()) == ("step", [0, 1, 0])


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("\n\n", "empty", "no records"),
        ('{"x": [1]}\n{"x": [1, 2\n', "bad_line", "Line 2 .*no JSON"),
        ('{"x": [1]}\n[1, 2]\n', "bad_line", "Line 2 .*a list, but an object"),
        ('{"x": [1], "x": [2]}\n', "bad_line", "Line 1 .*'x' comes twice"),
        ('{"x": ' + "[" * 100_000 + "\n", "bad_line", "Line 1 .*too deeply"),
        ('{"X": [1]}\n', "missing_field", "Line 1 .*no field 'x'.*Did you mean 'X'|There are: 'X'"),
        ('{"x": [1], "y": 0}\n\n{"x": [1]}\n', "missing_field", "Line 3 .*no field 'y'"),
        ('{"x": {"a": [1]}}\n{"x": [1]}\n', "bad_line", "Line 2 .*a list as 'x'"),
        ('{"x": [1], "id": null}\n', "null_id", "Line 1"),
        ('{"x": [1], "id": 7}\n{"x": [2], "id": 7}\n', "duplicate_id", "series 7"),
        ('{"x": [[1, 2], [3]], "id": "k"}\n', "ragged", "series 'k', row 1"),
        ('{"x": [[1, 2]]}\n{"x": [[1]]}\n', "channel_count", "series 1"),
        ('{"x": [1, "a"]}\n', "no_number", "series 0"),
        ('{"x": [1, Infinity]}\n', "infinite", "series 0, row 1"),
        ('{"x": [1, 1e300]}\n', "overflow_float32", "series 0, row 1"),
        ('{"x": [1, 1' + "0" * 400 + "]}\n", "no_number", "series 0"),
        ('{"x": [1, 2], "times": [2, 1]}\n', "unsorted_time", "series 0, row 1"),
        ('{"x": [1, 2], "times": [1]}\n', "time_count", "series 0"),
        ('{"x": [1, 2], "times": [1, null]}\n', "null_time", "series 0, row 1"),
        ('{"x": [1], "times": ["01/02/2024"]}\n', "ambiguous_time", "series 0, row 0"),
        ('{"x": [1], "y": "a"}\n{"x": [1], "y": 2}\n', "mixed_labels", "row 1"),
        ('{"x": [1], "weight": -1}\n', "weight", "series 0"),
        ('{"x": [1], "static": {}}\n', "empty", "covariate"),
    ],
)
def test_a_wrong_line_is_refused_with_its_place(tmp_path, text, code, said):
    with pytest.raises(DataError, match=said) as caught:
        from_lines(write(tmp_path, text))
    assert caught.value.code == code


def test_fields_with_a_given_name_are_needed_and_roles_are_known(tmp_path):
    path = write(tmp_path, GOOD)
    with pytest.raises(DataError, match="no field 'label', here and in 1 more"):
        from_lines(path, fields={"y": "label"})
    with pytest.raises(OptionError, match="Did you mean 'times'"):
        from_lines(path, fields={"time": "times"})


def test_a_damaged_file_is_refused(tmp_path):
    whole = gzip.compress(json.dumps(GOOD[0]).encode() * 50)
    with pytest.raises(FileError, match="cut off or damaged"):
        from_lines(write(tmp_path, whole[:-20], "a.jsonl.gz"))
    with pytest.raises(FileError, match="not UTF-8"):
        from_lines(write(tmp_path, b'{"x": "\xff"}'))
