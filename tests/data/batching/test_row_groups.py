import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recurra.data.batching import ParquetRecords
from recurra.errors import DataError, FileError


def table(rows=300):
    values = np.random.default_rng(0).standard_normal(rows)
    return pa.table(
        {"id": np.arange(rows) // 10, "x": values, "name": [f"a{k}" for k in range(rows)]}
    )


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(table(), path, row_group_size=64)
    return path


def open_records(path, **options):
    return ParquetRecords(path, **{"id": "id", "channels": ["x"], **options})


def fault(path, **options):
    with pytest.raises(FileError) as caught:
        list(open_records(path, **options).blocks(10))
    assert str(path) in str(caught.value)
    return str(caught.value)


# Not what it claims to be ------------------------------------------------------------------


def test_a_path_that_is_no_file_is_named(tmp_path):
    assert "does not exist" in fault(tmp_path / "none.parquet")
    assert "no file whose name ends in .parquet" in fault(tmp_path)
    pipe = tmp_path / "pipe.parquet"
    os.mkfifo(pipe)
    assert "a pipe" in fault(pipe)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "0 bytes"),
        (b"PAR1PAR1", "8 bytes"),
        (b"id,x\n1,2\n1,3\n", "does not begin with PAR1"),
        (b"PAR1" + b"x" * 100, "does not end with PAR1"),
        (b"PAR1" + b"x" * 100 + b"PAR1", "damaged"),
    ],
)
def test_a_file_that_is_no_parquet_is_refused(tmp_path, content, message):
    path = tmp_path / "a.parquet"
    path.write_bytes(content)
    assert message in fault(path)


def test_a_file_that_was_cut_off_is_refused(path):
    whole = path.read_bytes()
    for keep in (5, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:keep])
        fault(path)


@pytest.mark.parametrize("options", [{"compression": "zstd"}, {"write_page_checksum": True}])
def test_a_file_with_flipped_bits_is_refused_or_read_and_never_worse(tmp_path, options):
    path = tmp_path / "a.parquet"
    pq.write_table(table(), path, row_group_size=64, **options)
    whole = path.read_bytes()
    chance = np.random.default_rng(0)
    refused = 0
    for place in chance.integers(4, len(whole) - 8, 100):
        broken = bytearray(whole)
        broken[place] ^= 1 << int(chance.integers(8))
        path.write_bytes(broken)
        try:
            for block in open_records(path).blocks(10):
                assert not np.isinf(block.stream.values).any()
        except (FileError, DataError):
            refused += 1
    assert refused > 10


def test_a_file_with_other_columns_than_the_first_is_named(tmp_path):
    pq.write_table(table(), tmp_path / "a.parquet")
    whole = table()
    other = whole.set_column(1, "x", whole["x"].cast(pa.float32()))
    pq.write_table(other, tmp_path / "b.parquet")
    assert "Column 'x' is double in" in fault(tmp_path)
    pq.write_table(whole.drop_columns("x"), tmp_path / "b.parquet")
    assert "not there in" in fault(tmp_path)


# Too large ---------------------------------------------------------------------------------


def test_a_row_group_that_decodes_to_more_than_allowed_is_refused_before(tmp_path):
    path = tmp_path / "a.parquet"
    rows = 1_000_000
    constant = pa.table({"id": np.zeros(rows, np.int64), "x": np.zeros(rows), "y": np.zeros(rows)})
    pq.write_table(constant, path)
    assert path.stat().st_size < rows
    before = pa.total_allocated_bytes()
    assert "decodes to about 16000000 bytes, more than 15999999" in fault(
        path, largest_group=15_999_999
    )
    assert pa.total_allocated_bytes() == before
    assert len(open_records(path, largest_group=16_000_000)) == 1


def test_long_texts_repeated_are_not_written_out(tmp_path):
    path = tmp_path / "a.parquet"
    name = pa.array(["a" * 1_000_000, "b" * 1_000_000])
    places = pa.array(np.repeat([0, 1], 5000), pa.int32())
    names = pa.DictionaryArray.from_arrays(places, name).cast(
        pa.dictionary(pa.int32(), pa.string())
    )
    pq.write_table(pa.table({"id": names, "x": np.zeros(10_000)}), path)
    records = open_records(path)
    before = pa.total_allocated_bytes()
    for block in records.blocks(1):
        assert pa.total_allocated_bytes() - before < 100e6
        assert block.stream.lengths.tolist() == [5000]


# Changed meanwhile -------------------------------------------------------------------------


def test_a_file_that_changes_while_it_is_read_is_noticed(path):
    blocks = open_records(path).blocks(3, ahead=False)
    next(blocks)
    pq.write_table(table(310), path, row_group_size=64)
    with pytest.raises(FileError, match="changed while it was being read"):
        list(blocks)


def test_a_file_that_goes_away_while_it_is_read_is_named(path):
    blocks = open_records(path).blocks(3, ahead=False)
    next(blocks)
    path.unlink()
    with pytest.raises(FileError, match=r"a\.parquet"):
        list(blocks)
