import gzip

import numpy as np
import pytest
from scipy.io import arff

from recurra.data.reading.arff import from_arff
from recurra.errors import DataError, FileError

ONE = "% said\n@relation r\n@attribute a numeric\n@ATTRIBUTE 'b c' REAL\n@attribute y {u,'v w'}\n"
MANY = (
    "@relation r\n@attribute rel relational\n  @attribute t0 numeric\n  @attribute t1 numeric\n"
    "@end rel\n@attribute y {1,2}\n@data\n"
)


def write(folder, text, name="a.arff"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_numeric_attributes_are_steps_and_the_last_is_the_label(tmp_path):
    text = ONE + "@data\n1,2,u\n\n% more\n3,?,'v w'\n?,4,?\n"
    for name, content in [("a.arff", text), ("a.arff.gz", gzip.compress(text.encode()))]:
        data = from_arff(write(tmp_path, content, name))
        assert data.stream.lengths.tolist() == [2, 1, 2]
        np.testing.assert_array_equal(data.stream.values.ravel(), [1, 2, 3, np.nan, 4])
        assert data.target.classes == ("u", "v w")
        assert data.target.values.ravel().tolist() == [0, 1, -1]


def test_rows_of_a_relation_are_channels(tmp_path):
    data = from_arff(write(tmp_path, MANY + "'1,2\\n3,4',2\n\"5,6\\n7,?\",1\n"))
    np.testing.assert_array_equal(data.at(0).streams["x"].values, [[1, 3], [2, 4]])
    np.testing.assert_array_equal(data.at(1).streams["x"].values, [[5, 7], [6, np.nan]])
    assert data.target.values.ravel().tolist() == [1, 0]


def test_a_file_reads_as_scipy_reads_it(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(7, 5)).round(6)
    head = "@relation r\n" + "".join(f"@attribute a{k} numeric\n" for k in range(5))
    rows = "".join(",".join(map(str, row)) + f",{k % 2}\n" for k, row in enumerate(values))
    path = write(tmp_path, head + "@attribute y {0,1}\n@data\n" + rows)
    table, _ = arff.loadarff(path)
    expected = np.array([[row[f"a{k}"] for k in range(5)] for row in table])
    data = from_arff(path)
    np.testing.assert_array_equal(data.stream.values.reshape(7, 5), expected)
    labels = [data.target.classes[code] for code in data.target.values.ravel()]
    assert labels == [each.decode() for each in table["y"]]


def test_records_without_labels_are_read(tmp_path):
    data = from_arff(write(tmp_path, "@relation r\n@attribute a numeric\n@data\n1\n2\n"))
    assert (len(data), data.targets) == (2, {})


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (ONE + "@data\n", "empty", "no records"),
        (ONE + "@data\n1,2,w\n", "unknown_label", "Line 7 .*'w'"),
        (ONE + "@data\n1,u\n", "ragged", "1 values in a channel, but there are 2 attributes"),
        (ONE + "@data\n1,2,3,u\n", "ragged", "3 values"),
        (ONE + "@data\n1,x,u\n", "text", "Line 7 .*series 0, row 1"),
        (ONE + "@data\n1,inf,u\n", "infinite", "series 0, row 1"),
        (ONE + "@data\n7\n", "bad_line", "Line 7"),
        (MANY + "'1,2\\n3,4\n", "bad_line", "Line 8"),
        (MANY + "1,2\\n3,4,2\n", "bad_line", "Line 8"),
        (MANY + "'1,2\\n3',2\n", "ragged", "column 'x1'"),
        (MANY + "'1,2\\n3,4',2\n'1,2',2\n", "channel_count", "Line 9"),
    ],
)
def test_a_line_that_breaks_the_promise_of_the_header_is_named(tmp_path, text, code, said):
    with pytest.raises(DataError, match=said) as caught:
        from_arff(write(tmp_path, text))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ONE, "no line @data"),
        ("1,2\n", "comes before @data"),
        ("@attribute a string\n@data\n1\n", "is not read here"),
        ("@attribute y {a}\n@attribute b numeric\n@data\n1\n", "must come last"),
        ("@attribute y {a}\n@data\na\n", "no numeric attributes"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path, text, said):
    with pytest.raises(FileError, match=said):
        from_arff(write(tmp_path, text))
