import gzip
import os
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from recurra.data import Columns, from_frame, read_table
from recurra.data.tables import files
from recurra.errors import DataError, FileError

GOOD = "unique_id,ds,y\n007,2024-01-01,1.5\n007,2024-01-02,\n8,2024-01-01,3\n"


def write(folder, content, name="table.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def fault(path, kind=FileError, columns=None):
    with pytest.raises(kind) as caught:
        read_table(path, columns or Columns())
    assert str(path) in str(caught.value)
    return caught.value


# What is read ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", GOOD.encode()),
        ("a.CSV", b"\xef\xbb\xbf" + GOOD.encode()),
        ("a.csv", GOOD.replace("\n", "\r\n").encode()),
        ("a.csv", GOOD.replace("\n", "\n\n").rstrip().encode()),
        ("a.csv", GOOD.replace("007", '"007"').encode()),
        ("a.csv.gz", gzip.compress(GOOD.encode(), mtime=0)),
        (
            "a.csv.gz",
            gzip.compress(GOOD[:20].encode(), mtime=0) + gzip.compress(GOOD[20:].encode(), mtime=0),
        ),
        ("a.tsv", GOOD.replace(",", "\t").encode()),
    ],
)
def test_a_table_is_read_the_same_from_every_kind_of_text(tmp_path, name, content):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = from_frame(str(write(tmp_path, content, name)))
    assert data.ids == ("007", "8")
    np.testing.assert_array_equal(data.target, [1.5, np.nan, 3])
    assert data.clock.step == "D"


def test_identifiers_stay_text_and_numbers_are_numbers(tmp_path):
    text = "unique_id,ds,y,zip,price,code,flag\n9007199254740993,1,1,01234,1,NA,\n7,1,2,5,,x,\n"
    table = read_table(write(tmp_path, text), Columns())
    assert table["unique_id"].tolist() == ["9007199254740993", "7"]
    assert table["zip"].tolist() == ["01234", "5"]
    assert table["price"].isna().tolist() == [False, True]
    assert table["code"].tolist() == ["NA", "x"]
    assert table["ds"].dtype == np.int64
    assert table["flag"].tolist() == [None, None]


def test_parquet_gives_what_the_frame_gives(tmp_path):
    day = pd.Series(pd.date_range("2024-01-01", periods=3, tz="UTC").as_unit("us"))
    frame = pd.DataFrame({"unique_id": [2**53 + 1] * 3, "ds": day, "y": [1.0, None, 3.0]})
    for ds in (day, day.dt.date):
        frame["ds"] = ds
        path = tmp_path / "table.parquet"
        frame.to_parquet(path)
        one, two = from_frame(path), from_frame(frame)
        assert (one.ids, one.clock) == (two.ids, two.clock)
        np.testing.assert_array_equal(one.times, two.times)


# The file ----------------------------------------------------------------------------------


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    assert "does not exist" in str(fault(tmp_path / "none.csv"))


def test_a_directory_is_no_table(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    assert "directory" in str(fault(tmp_path / "folder.csv"))


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    assert "pipe or a device" in str(fault(tmp_path / "pipe.csv"))
    (tmp_path / "device.csv").symlink_to("/dev/zero")
    assert "pipe or a device" in str(fault(tmp_path / "device.csv"))


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_said_to_be_so(tmp_path):
    path = write(tmp_path, GOOD)
    path.chmod(0)
    assert "cannot be read" in str(fault(path))


def test_an_ending_that_is_not_read_gets_the_list(tmp_path):
    assert ".csv, .tsv" in str(fault(write(tmp_path, GOOD, "table.xlsx")))


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.csv.gz", "a.parquet"])
def test_an_empty_file_has_0_bytes(tmp_path, name):
    assert "0 bytes" in str(fault(write(tmp_path, b"", name)))


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch):
    path = write(tmp_path, gzip.compress(GOOD.encode(), mtime=0), "a.csv.gz")
    unzipped = files.unzipped

    def slow(path, file):
        content = unzipped(path, file)
        path.write_bytes(path.read_bytes() + b"more")
        return content

    monkeypatch.setattr(files, "unzipped", slow)
    assert "changed while" in str(fault(path))


# The text ----------------------------------------------------------------------------------


def test_a_header_alone_is_an_empty_table(tmp_path):
    assert fault(write(tmp_path, "unique_id,ds,y\n"), DataError).code == "empty"


@pytest.mark.parametrize(
    ("line", "fields"), [("b,1", 2), ("b,1,2,3", 4), ("b", 1), ('"b,1",2', 2), ("b,1,3,14", 4)]
)
def test_a_ragged_row_is_named_with_its_line(tmp_path, line, fields):
    error = fault(write(tmp_path, f"unique_id,ds,y\na,1,1\n{line}\nc,1,1\n"), DataError)
    assert f"Line 3 of {tmp_path}" in str(error)
    assert f"has {fields} fields, but the header has 3" in str(error)
    assert (error.code, error.row) == ("ragged", 1)


def test_a_header_that_names_a_column_twice_is_refused(tmp_path):
    error = fault(write(tmp_path, "unique_id,ds,y,y\na,1,1,2\n"), DataError)
    assert (error.code, error.column) == ("duplicate_column", "y")


def test_another_separator_is_recognised_and_so_is_the_decimal_comma(tmp_path):
    error = fault(write(tmp_path, "unique_id;ds;y\na;1;3,14\n"))
    assert "separated by ';'" in str(error)
    assert "decimal=','" in str(error)
    assert "separated by '\\t'" in str(fault(write(tmp_path, "unique_id\tds\ty\na\t1\t3\n")))
    assert "separated by ','" in str(fault(write(tmp_path, GOOD, "a.tsv")))


def test_text_in_the_target_is_named_by_row(tmp_path):
    error = fault(write(tmp_path, "unique_id,ds,y\na,1,2\na,2,abc\na,3,4\n"), DataError)
    assert (error.code, error.row, error.column, error.value) == ("text", 1, "y", "abc")
    error = fault(write(tmp_path, 'unique_id,ds,y\na,1,"3,14"\n'), DataError)
    assert "decimal comma" in str(error)


def test_bytes_that_are_not_utf_8_are_placed(tmp_path):
    error = fault(write(tmp_path, b"unique_id,ds,y\na,1,2\n\xe9,1,2\n"))
    assert "0xe9 at byte 21, line 3" in str(error)
    assert "UTF-16" in str(fault(write(tmp_path, GOOD.encode("utf-16"))))
    assert "zero byte at 15" in str(fault(write(tmp_path, b"unique_id,ds,y\n\0,1,2\n")))


@pytest.mark.parametrize("text", ['unique_id,ds,y\n"a,1,2\n', 'unique_id,ds,y\n"' + "a" * 200_000])
def test_a_quote_that_never_ends_is_refused(tmp_path, text):
    with pytest.raises((FileError, DataError), match=r"table\.csv"):
        read_table(write(tmp_path, text), Columns())


# Packed and binary -------------------------------------------------------------------------


def test_gzip_that_is_none_or_cut_off_or_damaged_is_refused(tmp_path):
    packed = gzip.compress(GOOD.encode() * 1000, mtime=0)
    assert "not gzipped" in str(fault(write(tmp_path, GOOD, "a.csv.gz")))
    assert "cut off" in str(fault(write(tmp_path, packed[:-20], "b.csv.gz")))
    flipped = packed[:60] + bytes([packed[60] ^ 255]) + packed[61:]
    assert "damaged" in str(fault(write(tmp_path, flipped, "c.csv.gz")))


def test_a_gzip_bomb_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "FREE_SIZE", 2**16)
    bomb = gzip.compress(b"a,1,1\n" * 2_000_000, mtime=0)
    assert "unpacks to more than" in str(fault(write(tmp_path, bomb, "a.csv.gz")))


def test_parquet_that_is_none_or_cut_off_or_damaged_is_refused(tmp_path):
    frame = pd.DataFrame({"unique_id": ["a"] * 500, "ds": range(500), "y": np.arange(500.0)})
    path = tmp_path / "a.parquet"
    frame.to_parquet(path)
    whole = path.read_bytes()
    assert "does not begin with PAR1" in str(fault(write(tmp_path, GOOD, "b.parquet")))
    assert "cut off" in str(fault(write(tmp_path, whole[:-9], "c.parquet")))
    middle = whole[: len(whole) - 300] + bytes(200) + whole[len(whole) - 100 :]
    assert "damaged" in str(fault(write(tmp_path, middle, "d.parquet")))
    assert "begin" in str(fault(write(tmp_path, b"PA", "e.parquet")))


def test_parquet_that_would_fill_the_memory_is_refused_before_it_does(tmp_path, monkeypatch):
    path = tmp_path / "a.parquet"
    pa.parquet.write_table(pa.table({"y": pa.array(np.zeros(1_000_000))}), path)
    monkeypatch.setattr(files, "LARGEST_FILE", 2**20)
    assert "decodes to about" in str(fault(path))
