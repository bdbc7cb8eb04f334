"""What is told is told once, where the user can see it."""

import warnings

from recurra.data import Fill, Outliers, Preprocessor, from_arrays, read
from recurra.data.tables.notes import tell


def line_of(call):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        call()
    return {each.filename for each in said}


def test_a_warning_points_at_the_line_that_called_the_library():
    data = from_arrays([[1.0, 2.0, 3.0, 2.0, 99.0]])
    assert line_of(lambda: Preprocessor([Outliers()]).fit(data)) == {__file__}
    assert line_of(lambda: Outliers().apply(data, Outliers().learn(data))) == {__file__}
    assert line_of(lambda: read([[1.0, 2.0]], times=[[0.0, 0.0]])) == {__file__}


def test_nothing_is_told_where_nothing_was_done():
    assert line_of(lambda: Preprocessor([Fill()]).fit(from_arrays([[1.0, 2.0]]))) == set()


def test_what_is_told_is_handed_back():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert tell("2 rows were sorted.") == "2 rows were sorted."
