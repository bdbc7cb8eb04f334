import gc
import threading
import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.data.batching import Batches, ParquetRecords, pad_records
from recurra.errors import DataError, DataWarning, FileError, OptionError


def frame_of(lengths, *, text=False, seed=0):
    """Make a long table whose values tell whose they are."""
    chance = np.random.default_rng(seed)
    owners = np.repeat(np.arange(len(lengths)), lengths)
    steps = np.concatenate([np.arange(n) for n in lengths])
    names = np.array([f"r{k:03}" for k in range(len(lengths))]) if text else np.arange(len(lengths))
    return pd.DataFrame(
        {
            "id": names[owners],
            "time": steps * 0.5,
            "x": owners * 1000.0 + steps,
            "z": np.where(chance.random(len(owners)) < 0.2, np.nan, owners),
            "y": (owners % 3).astype(np.int64),
        }
    )


def write(folder, frame, *, rows=7, files=1, **options):
    folder.mkdir(exist_ok=True)
    cuts = np.linspace(0, len(frame), files + 1).astype(int)
    for k in range(files):
        part = pa.Table.from_pandas(frame.iloc[cuts[k] : cuts[k + 1]], preserve_index=False)
        pq.write_table(part, folder / f"part-{k}.parquet", row_group_size=rows, **options)
    return folder


def open_long(folder, **options):
    return ParquetRecords(folder, **{"id": "id", "time": "time", "target": "y", **options})


def check(blocks, frame):
    """Every record comes once and as written; give the order."""
    order = []
    groups = dict(iter(frame.groupby("id")))
    for block in blocks:
        for k, name in enumerate(block.ids):
            record, want = block.at(k), groups[name]
            order.append(name)
            steps = record.streams["x"]
            np.testing.assert_array_equal(steps.values, want[["x", "z"]].to_numpy())
            np.testing.assert_array_equal(steps.observed, want[["x", "z"]].notna())
            np.testing.assert_array_equal(steps.times, want["time"])
            assert record.targets["y"].item() == want["y"].iloc[0]
    assert sorted(order) == sorted(groups)
    return order


# Laws --------------------------------------------------------------------------------------


@given(
    st.lists(st.integers(1, 20), min_size=1, max_size=25),
    st.integers(1, 40),
    st.integers(1, 4),
    st.integers(1, 9),
    st.sampled_from([None, 0, 3]),
    st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_every_record_comes_once_whatever_the_borders(
    tmp_path_factory, lengths, rows, files, size, shuffle, text
):
    frame = frame_of(lengths, text=text)
    folder = write(tmp_path_factory.mktemp("set"), frame, rows=rows, files=files)
    records = open_long(folder)
    assert len(records) == len(lengths)
    blocks = list(records.blocks(size, shuffle=shuffle))
    order = check(blocks, frame)
    assert [len(block) for block in blocks[:-1]] == [size] * (len(blocks) - 1)
    assert 1 <= len(blocks[-1]) <= size
    if shuffle is None:
        assert order == sorted(order)
    wanted = min(size, len(lengths))
    assert len(set(records.sample(size, seed=1).ids)) == wanted


def test_pieces_smaller_than_records_and_groups_change_nothing(tmp_path, monkeypatch):
    frame = frame_of([30, 1, 50, 2, 64, 9], text=True)
    folder = write(tmp_path / "set", frame, rows=40)
    monkeypatch.setattr("recurra.data.batching.row_groups.PIECE", 5)
    assert check(open_long(folder).blocks(2), frame) == sorted(set(frame["id"]))


# The order ---------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_order_and_another_seed_another(tmp_path):
    frame = frame_of([5] * 60)
    records = open_long(write(tmp_path / "set", frame, rows=20, files=3))

    def order(seed):
        return check(records.blocks(16, shuffle=seed), frame)

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert order(None) == list(range(60))
    assert abs(np.corrcoef(order(1), np.arange(60))[0, 1]) < 0.6


def test_files_come_in_the_order_of_the_numbers_in_their_names(tmp_path):
    frame = frame_of([4] * 24)
    records = open_long(write(tmp_path / "set", frame, files=12))
    assert [source.path.name for source in records.sources[:3]] == [
        "part-0.parquet",
        "part-1.parquet",
        "part-2.parquet",
    ]
    assert check(records.blocks(), frame) == list(range(24))


def test_folders_in_folders_are_read_whatever_their_names(tmp_path):
    frame = frame_of([4] * 6)
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep" / "set.parquet", frame, files=2)
    assert check(open_long(tmp_path).blocks(), frame) == list(range(6))


def test_without_a_thread_the_blocks_are_the_same(tmp_path):
    frame = frame_of([3, 4, 5, 6])
    records = open_long(write(tmp_path / "set", frame))
    assert check(records.blocks(2, shuffle=4, ahead=False), frame) == check(
        records.blocks(2, shuffle=4), frame
    )


def test_a_sample_comes_from_many_row_groups(tmp_path):
    frame = frame_of([5] * 100)
    records = open_long(write(tmp_path / "set", frame, rows=50))
    sample = records.sample(16, seed=0)
    assert len(sample) == 16
    assert len({name // 10 for name in sample.ids}) == 8
    assert sample.ids == records.sample(16, seed=0).ids
    assert sample.ids != records.sample(16, seed=1).ids
    assert sample.ids != tuple(sorted(sample.ids))
    assert sorted(records.sample(1000).ids) == list(range(100))


# Memory ------------------------------------------------------------------------------------


def test_memory_is_bounded_by_the_block_and_not_by_the_file(tmp_path):
    chance = np.random.default_rng(0)
    lengths = chance.integers(50, 150, 2000)
    rows = int(lengths.sum())
    table = {f"x{k}": chance.standard_normal(rows) for k in range(10)}
    table["id"] = np.repeat(np.arange(len(lengths)), lengths)
    path = tmp_path / "set.parquet"
    pq.write_table(pa.table(table), path, row_group_size=20_000, compression="none")
    records = ParquetRecords(path, id="id")
    size = path.stat().st_size
    assert size > 15e6
    list(records.blocks(50, ahead=False))[:0]
    gc.collect()
    seen, most_arrow, before = [], 0, pa.total_allocated_bytes()
    tracemalloc.start()
    for block in records.blocks(50, shuffle=0):
        most_arrow = max(most_arrow, pa.total_allocated_bytes() - before)
        seen += block.ids
        for places in Batches(block, 16):
            pad_records(block, places)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sorted(seen) == list(range(2000))
    block_bytes = 50 * 100 * 10 * 8
    piece_bytes = 20_000 * 11 * 8
    assert peak < 3 * piece_bytes + 8 * block_bytes < size / 2
    assert most_arrow < size / 2


def test_leaving_early_ends_the_thread(tmp_path):
    records = open_long(write(tmp_path / "set", frame_of([5] * 60)))
    blocks = records.blocks(2)
    next(blocks)
    blocks.close()
    assert "recurra-read-ahead" not in {each.name for each in threading.enumerate()}


# What is read ------------------------------------------------------------------------------


def test_types_follow_the_columns(tmp_path):
    table = pa.table(
        {
            "id": pa.array(["b", "b", "a"]),
            "small": pa.array([1, None, 3], pa.int16()),
            "half": pa.array([0.5, 1.5, np.nan], pa.float32()),
            "flag": pa.array([True, False, None]),
            "big": pa.array([1, 2, 3], pa.int64()),
            "time": pa.array([0, 1, 2], pa.timestamp("us", "Europe/Berlin")),
            "size": pa.array([0.5, None, 2.0]),
        }
    )
    path = tmp_path / "a.parquet"
    pq.write_table(table, path)
    narrow = ["small", "half", "flag"]
    records = ParquetRecords(
        path, id="id", time="time", channels=narrow, target="size", level="step"
    )
    (block,) = records.blocks()
    assert block.ids == ("b", "a")
    assert block.stream.values.dtype == np.float32
    np.testing.assert_array_equal(block.stream.mask, [[1, 1, 1], [0, 1, 1], [1, 0, 0]])
    assert (block.stream.clock, block.stream.zone) == ("calendar", "Europe/Berlin")
    assert block.stream.times.tolist() == [0, 1000, 2000]
    np.testing.assert_array_equal(block.target.values.ravel(), [0.5, np.nan, 2.0])
    assert block.target.level == "step"
    (wide,) = ParquetRecords(path, id="id", channels=["big"]).blocks()
    assert wide.stream.values.dtype == np.float64
    assert wide.stream.observed is None


def test_labels_are_sorted_over_all_files_and_can_be_given(tmp_path):
    frame = pd.DataFrame({"id": [1, 2, 3, 4], "x": 1.0, "y": ["b", "a", None, "c"]})
    folder = write(tmp_path / "set", frame, rows=1, files=2)
    records = ParquetRecords(folder, id="id", target="y")
    assert records.classes == ("a", "b", "c")
    (block,) = records.blocks()
    assert block.target.values.ravel().tolist() == [1, 0, -1, 2]
    given = ParquetRecords(folder, id="id", target="y", classes=["c", "b", "a", "d"])
    assert next(given.blocks()).target.values.ravel().tolist() == [1, 2, -1, 0]
    with pytest.raises(DataError, match="not among the classes") as caught:
        list(ParquetRecords(folder, id="id", target="y", classes=["a", "b"]).blocks())
    assert caught.value.value == "c"
    with pytest.raises(OptionError, match="classes goes with"):
        ParquetRecords(folder, id="id", classes=["a"], channels=["x"])


def test_steps_out_of_order_are_sorted_with_a_note(tmp_path):
    frame = frame_of([3, 2])
    frame.loc[:2, "time"] = [2.0, 0.0, 1.0]
    records = open_long(write(tmp_path / "set", frame))
    with pytest.warns(DataWarning, match="The steps of 1 records were sorted by time"):
        (block,) = records.blocks()
    assert block.at(0).streams["x"].values[:, 0].tolist() == [1.0, 2.0, 0.0]
    assert block.notes == ("The steps of 1 records were sorted by time.",)


def test_answers_of_steps_are_sorted_with_them(tmp_path):
    frame = frame_of([3, 2])
    frame["time"], frame["y"] = [2.0, 0.0, 1.0, 0.0, 1.0], [0.2, 0.0, 0.1, 0.3, 0.4]
    with pytest.warns(DataWarning, match="1 records"):
        (block,) = open_long(write(tmp_path / "set", frame), level="step").blocks()
    assert block.target.values.ravel().tolist() == [0.0, 0.1, 0.2, 0.3, 0.4]


def test_a_repr_reads_no_rows(tmp_path):
    folder = write(tmp_path / "set", frame_of([3, 2]), rows=3, files=2)
    records = open_long(folder)
    for source in records.sources:
        source.path.unlink()
    assert repr(records) == "ParquetRecords(5 steps, 2 channels, 2 row groups of 2 files)"


def test_a_row_for_each_record_reads_as_a_row_for_each_step(tmp_path):
    frame = frame_of([3, 1, 4, 2], text=True)
    nested = frame.groupby("id").agg({"time": list, "x": list, "z": list, "y": "first"})
    table = pa.Table.from_pandas(nested.reset_index(), preserve_index=False)
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=3)
    records = open_long(tmp_path / "a.parquet", layout="nested")
    assert len(records) == 4
    assert check(records.blocks(3), frame) == sorted(nested.index)
    assert check(records.blocks(3, shuffle=0), frame) != sorted(nested.index)


def test_nested_records_may_be_empty_and_have_transcripts(tmp_path):
    table = pa.table(
        {
            "id": [7, 8, 9],
            "x": pa.array([[1.0, 2.0], None, [None]], pa.list_(pa.float32())),
            "said": [["b"], ["a", "b"], []],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    records = ParquetRecords(
        tmp_path / "a.parquet", id="id", target="said", level="labels", layout="nested"
    )
    (block,) = records.blocks()
    assert block.stream.lengths.tolist() == [2, 0, 1]
    assert block.stream.mask.ravel().tolist() == [True, True, False]
    assert block.target.offsets.tolist() == [0, 1, 3, 3]
    assert block.target.values.ravel().tolist() == [1, 0, 1]


# What is refused ---------------------------------------------------------------------------


def test_a_target_without_any_label_is_refused(tmp_path):
    frame = frame_of([2, 2]).assign(y=pd.Series([None] * 4, dtype="str"))
    with pytest.raises(DataError, match="Every label is missing") as caught:
        read_all(write(tmp_path / "set", frame))
    assert (caught.value.code, caught.value.column) == ("all_missing", "y")


def test_a_target_that_is_infinite_is_named(tmp_path):
    frame = frame_of([5, 5])
    frame["y"] = np.where(frame["id"] == 1, np.inf, 0.5)
    with pytest.raises(DataError, match="A target is infinite") as caught:
        read_all(write(tmp_path / "set", frame))
    assert (caught.value.record, caught.value.column) == (1, "y")


def read_all(folder, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return list(open_long(folder, **options).blocks())


def test_a_record_whose_rows_are_scattered_is_named_with_what_to_do(tmp_path):
    frame = frame_of([5, 5, 5])
    frame = pd.concat([frame, frame.iloc[:2]])
    with pytest.raises(DataError, match="Sort the rows by identifier") as caught:
        read_all(write(tmp_path / "set", frame, files=2))
    assert (caught.value.code, caught.value.record) == ("scattered_record", 0)
    assert "part-1.parquet" in str(caught.value)
    assert caught.value.row == 15 - 17 // 2


@pytest.mark.parametrize(
    ("column", "row", "value", "code"),
    [
        ("x", 9, np.inf, "infinite"),
        ("x", 9, 1e38, "overflow_float32"),
        ("time", 9, np.nan, "null_time"),
        ("time", 9, np.inf, "null_time"),
        ("id", 9, None, "null_id"),
        ("y", 9, 2, "target_varies"),
    ],
)
def test_a_wrong_value_is_named(tmp_path, column, row, value, code):
    frame = frame_of([5, 5, 5])
    if value is None:
        frame[column] = frame[column].astype("Int64")
    frame.loc[row, column] = value
    with pytest.raises(DataError) as caught:
        read_all(write(tmp_path / "set", frame))
    assert (caught.value.code, caught.value.column) == (code, column)
    if code in ("infinite", "overflow_float32", "target_varies"):
        assert (caught.value.record, caught.value.row) == (1, 4)
    if code == "null_id":
        assert caught.value.row == 9


def test_an_integer_that_no_float_holds_is_refused(tmp_path):
    frame = frame_of([2])
    frame["x"] = np.array([1, 2**53 + 1])
    with pytest.raises(DataError, match="exactly") as caught:
        read_all(write(tmp_path / "set", frame))
    assert (caught.value.code, caught.value.column) == ("inexact", "x")


def test_seconds_since_1970_in_float32_are_refused(tmp_path):
    frame = frame_of([2])
    frame["time"] = np.array([1.7e9, 1.7e9 + 1], np.float32)
    with pytest.raises(DataError, match="float32 rounds") as caught:
        read_all(write(tmp_path / "set", frame))
    assert caught.value.code == "time_float32"


def test_a_year_that_nanoseconds_do_not_reach_is_refused(tmp_path):
    table = pa.table({"id": [1], "x": [1.0], "time": pa.array([-(10**12)], pa.timestamp("s"))})
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(DataError, match="1678 to 2262"):
        list(ParquetRecords(tmp_path / "a.parquet", id="id", time="time").blocks())


def test_lists_of_different_lengths_and_ids_that_come_twice_are_refused(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": [1, 2], "x": [[1.0], [2.0]], "z": [[1.0], [2.0, 3.0]]}), path)
    with pytest.raises(DataError, match="2 elements") as caught:
        list(ParquetRecords(path, id="id", layout="nested").blocks())
    assert (caught.value.code, caught.value.record, caught.value.column) == ("ragged", 2, "z")
    pq.write_table(pa.table({"id": [1, 2, 1], "x": [[1.0], [2.0], [3.0]]}), path)
    with pytest.raises(DataError, match="same identifier") as caught:
        len(ParquetRecords(path, id="id", layout="nested"))
    assert (caught.value.code, caught.value.record, caught.value.row) == ("duplicate_id", 1, 2)


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"id": "idd"}, DataError, "Did you mean 'id'"),
        ({"id": "x", "channels": ["z"]}, DataError, "not read as id"),
        ({"channels": ["word"]}, DataError, "not read as channel"),
        ({"time": "word"}, DataError, "not read as time"),
        ({"channels": "x"}, OptionError, "channels="),
        ({"channels": ["x", "x"]}, OptionError, "channels="),
        ({"channels": ["y"]}, OptionError, "channels="),
        ({"layout": "wide"}, OptionError, "'long' or 'nested'"),
        ({"level": "labels"}, OptionError, "level='labels'"),
        ({"layout": "nested"}, DataError, "not read as channel"),
        ({"id": None}, OptionError, "id=None"),
        ({"classes": ["a"]}, OptionError, "column 'y' is int64"),
        ({"classes": [1, 1]}, OptionError, "different labels"),
        ({"classes": [1], "target": None}, OptionError, "classes goes with"),
    ],
)
def test_columns_and_options_that_do_not_fit_are_named(tmp_path, options, kind, message):
    frame = frame_of([3]).assign(word="a")
    folder = write(tmp_path / "set", frame)
    with pytest.raises(kind, match=message):
        open_long(folder, **{"channels": ["x", "z"], **options})


def test_a_record_too_long_for_memory_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("recurra.data.batching.index.LONGEST", 8)
    folder = write(tmp_path / "set", frame_of([5, 9]), rows=3)
    with pytest.raises(DataError, match="more than 8 steps") as caught:
        len(open_long(folder))
    assert (caught.value.code, caught.value.record) == ("too_long", 1)


def test_lists_in_the_long_layout_are_told_what_they_go_with(tmp_path):
    pq.write_table(pa.table({"id": [1], "x": [[1.0]]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="Lists go with layout='nested'"):
        ParquetRecords(tmp_path / "a.parquet", id="id")
    pq.write_table(pa.table({"id": [1], "x": [[1.0]], "y": [1]}), tmp_path / "a.parquet")
    nested = {"id": "id", "channels": ["x"], "layout": "nested"}
    for options in ({"time": "y"}, {"target": "y", "level": "step"}):
        with pytest.raises(DataError, match=r"'y' of .* is int64, which is not read as t"):
            ParquetRecords(tmp_path / "a.parquet", **nested, **options)


@pytest.mark.parametrize("count", [0, -1, 2.5, "3", None])
def test_blocks_of_no_records_are_refused_at_once(tmp_path, count):
    records = open_long(write(tmp_path / "set", frame_of([3])))
    with pytest.raises(OptionError, match="shuffle=-1"):
        records.blocks(shuffle=-1)
    with pytest.raises(OptionError, match=f"records={count!r}"):
        records.blocks(count)
    with pytest.raises(OptionError, match=f"records={count!r}"):
        records.sample(count)


def test_files_without_rows_are_refused(tmp_path):
    folder = write(tmp_path / "set", frame_of([3]).iloc[:0])
    with pytest.raises(FileError, match="no rows"):
        len(open_long(folder))
