import pytest

from recurra.data.reading.arrays import from_arrays
from recurra.errors import DataError, OptionError

X = [[1.0], [2.0]]


@pytest.mark.parametrize(
    ("how", "error", "said"),
    [
        ({"ids": ["a"]}, DataError, "2 records, but 1 ids"),
        ({"ids": ["a", None]}, DataError, "identifier is missing .row 1"),
        ({"ids": [["a"], "b"]}, DataError, "a list came .row 0"),
        ({"ids": "ab"}, OptionError, "one for each record"),
        ({"ids": {1: 2, 3: 4}}, OptionError, "one for each record"),
        ({"groups": ["u", None]}, DataError, "group of a record is missing .series 1"),
        ({"groups": [1, "1"]}, DataError, "here they are mixed .series 1, value '1'"),
        ({"groups": [1]}, DataError, r"shape \(1,\), but there are 2 records"),
        ({"groups": 3}, DataError, "a int, but there are 2 records"),
        ({"weights": [1, "a"]}, DataError, "weights is read as numbers, but text came"),
        ({"channels": "a"}, OptionError, "Name each once, in a list"),
        ({"observed": [[True]]}, DataError, "2 records, but observed is for others"),
        ({"observed": [[1], [True]]}, DataError, r"Give booleans of shape \(1, 1\)"),
    ],
)
def test_what_is_said_of_records_must_be_one_for_each(how, error, said):
    with pytest.raises(error, match=said):
        from_arrays(X, **how)


@pytest.mark.parametrize("side", ["times", "observed", "channels"])
def test_what_goes_with_streams_names_them(side):
    with pytest.raises(OptionError, match=f"{side} is a dict"):
        from_arrays({"pulse": X}, **{side: [[0], [0]]})
    with pytest.raises(OptionError, match=f"{side} names no such stream as 'puls'. Did you mean"):
        from_arrays({"pulse": X}, **{side: {"puls": [[0], [0]]}})


def test_a_record_may_lack_a_stream():
    data = from_arrays({"a": X, "b": [None, [5.0]]})
    assert data.streams["b"].lengths.tolist() == [0, 1]
