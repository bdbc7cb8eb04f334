import os
from pathlib import Path

import pytest

from recurra.data import from_text, read, read_table
from recurra.errors import DataError

REAL = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[4] / "shared" / "data"))
STRAY = 'label\ttext\n1\t"hello\n0\tworld"\n1\tx"y"\n'


def write(folder, content, name="a.tsv"):
    (folder / name).write_text(content)
    return folder / name


@pytest.mark.parametrize(
    ("content", "said", "row"),
    [
        (STRAY, "opens in line 2 .* closes in line 3.*say quoted=True if it is one field", 0),
        ('a\tb\n1\tx\n2\t"y\n3\tz\n', "line 3 .* is never closed.*double the quote", 1),
        ('a\tb\n1\tx\n2\t"y"z\n', "line 3 .* is followed by text after it closed", 1),
    ],
)
def test_a_quote_that_may_be_a_letter_loses_no_row(tmp_path, content, said, row):
    path = write(tmp_path, content)
    with pytest.raises(DataError, match=said) as caught:
        read_table(path)
    assert (caught.value.code, caught.value.row) == ("stray_quote", row)
    assert len(read_table(path, quoted=False)) == content.count("\n") - 1


def test_quotes_are_letters_or_enclose_as_is_said(tmp_path):
    path = write(tmp_path, STRAY)
    assert read_table(path, quoted=False).text.tolist() == ['"hello', 'world"', 'x"y"']
    assert read_table(path, quoted=True).text.tolist() == ["hello\n0\tworld", 'x"y"']
    data = read(path, layout="long", id="label", time=None, quoted=False)
    assert data.stream.lengths.tolist() == [2, 1]


def test_fields_of_several_lines_are_read_where_they_cannot_be_rows(tmp_path):
    path = write(tmp_path, 'a,b,c\n1,"x\ny, z",3\n2,"q ""w""",4\n', "a.csv")
    assert read_table(path).b.tolist() == ["x\ny, z", 'q "w"']


def test_texts_in_a_table_with_quotes_are_read_whole():
    path = REAL / "txt_chnsenticorp" / "train.tsv.gz"
    if not path.exists():
        pytest.skip("needs the ChnSentiCorp reviews")
    with pytest.raises(DataError, match=r"line 944 .*quoted=False"):
        read_table(path)
    frame = read_table(path, quoted=False)
    data = from_text(frame["text_a"], frame["label"])
    assert (len(data), data.target.classes) == (9600, (0, 1))
