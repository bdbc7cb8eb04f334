import os
from pathlib import Path

import pytest

from recurra.data.reading.ucr import from_ucr
from recurra.errors import DataError

DATA = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[3] / "../shared/data"))


def write(folder, text, name="a.tsv"):
    path = folder / name
    path.write_text(text)
    return path


def test_a_table_of_ucr_has_its_labels_first(tmp_path):
    rows = "1\t0.5\t1.5\tNaN\n-1\t2.5\t\t3.5\n"
    data = from_ucr(write(tmp_path, rows, "a.tsv"))
    assert data.target.classes == (-1, 1)
    assert data.stream.lengths.tolist() == [2, 3]
    assert data.stream.observed.ravel().tolist() == [True, True, True, False, True]
    assert from_ucr(write(tmp_path, "1.0,2,3\n2.0,4,5\n", "a.csv"), separator=",").target.classes


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("1\t2\t3\n1\t2\n", "ragged", "Line 2 .*has 2 values, but the first line has 3"),
        ("1\t2\n1\tb\n", "text", "Line 2"),
        ("nan\t2\n", "null_label", "Line 1"),
        ("1,2\n", "separator", r"parted by '\\t'"),
        ("\n", "empty", "no records"),
        ("1\tinf\n", "infinite", "series 0, row 0"),
    ],
)
def test_a_wrong_line_of_ucr_is_named(tmp_path, text, code, said):
    with pytest.raises(DataError, match=said) as caught:
        from_ucr(write(tmp_path, text, "a.tsv"))
    assert caught.value.code == code


@pytest.mark.data
def test_sets_of_ucr_have_their_counts():
    folder = DATA / "cls_ucr_dev"
    if not folder.exists():
        pytest.skip(f"{folder} is not there: set RECURRA_DATA")
    expected = {"ECG200": (100, 100, 96, 2), "GesturePebbleZ1": (132, 172, 455, 6)}
    for name, (train, test, steps, classes) in expected.items():
        one, two = (from_ucr(folder / name / f"{name}_{p}.tsv.gz") for p in ("TRAIN", "TEST"))
        assert (len(one), len(two)) == (train, test)
        assert one.stream.lengths.max() == steps
        assert one.target.classes == two.target.classes
        assert len(one.target.classes) == classes
