import gzip
import os
import wave
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from recurra.data.reading import archive, flat
from recurra.data.reading.events import from_events
from recurra.data.reading.long import from_long
from recurra.data.reading.read import read
from recurra.errors import DataError, DataWarning, FileError, OptionError

LONG = "who,day,pulse,ward\n007,2024-01-01,60,x\n007,2024-01-02,,y\n8,2024-01-01,70.5,x\n"
EVENTS = "stay,minute,what,value\n01,0,age,54\n01,5,1,73.5\n01,5,rhythm,sinus\n"
BY = {"layout": "long", "id": "who", "time": "day"}


def write(folder, content, name):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", LONG.encode()),
        ("a.CSV", b"\xef\xbb\xbf" + LONG.replace("\n", "\r\n").encode()),
        ("a.csv.gz", gzip.compress(LONG.encode(), mtime=0)),
        ("a.tsv", LONG.replace(",", "\t").encode()),
    ],
    ids=["commas", "a byte order mark", "packed", "tabs"],
)
def test_a_long_table_is_read_from_every_kind_of_text(tmp_path, name, content):
    data = read(str(write(tmp_path, content, name)), **BY)
    assert data.ids == ("007", "8")
    np.testing.assert_array_equal(data.stream.values, [[60, 0], [np.nan, 1], [70.5, 0]])
    assert data.stream.categories == {"ward": ("x", "y")}
    assert data.stream.clock == "calendar"


def test_parquet_gives_what_the_frame_gives(tmp_path):
    frame = pd.DataFrame({"who": [2**53 + 1, 2, 2], "day": [1, 1, 2], "x": [1.0, None, 3.0]})
    frame.to_parquet(tmp_path / "a.parquet")
    one, two = read(tmp_path / "a.parquet", **BY), read(frame, **BY)
    assert one.ids == two.ids == (2**53 + 1, 2)
    np.testing.assert_array_equal(one.stream.values, two.stream.values)


def test_events_and_their_outcomes_are_read_from_files(tmp_path):
    events = write(tmp_path, EVENTS, "a.csv")
    outcomes = write(tmp_path, "stay,died\n01,1\n", "b.csv")
    data = read(
        events,
        layout="events",
        id="stay",
        time="minute",
        variable="what",
        value="value",
        static=["age"],
        outcomes=str(outcomes),
        target="died",
    )
    assert data.ids == ("01",)
    assert data.stream.channels == ("1", "rhythm")
    assert data["01"].static == {"age": 54}
    assert data.target.values.tolist() == [[0]]


def test_wide_tables_and_those_of_ucr_are_read_from_files(tmp_path):
    path = write(tmp_path, "day,a,b\n1,1,2\n2,3,\n", "a.csv")
    data = read(path, layout="wide", records="columns", time="day")
    assert data.stream.lengths.tolist() == [2, 1]
    path = write(tmp_path, "1\t2\t3\n2\t4\t5\n", "a.tsv")
    assert read(path, layout="ucr").target.classes == (1, 2)
    path = write(tmp_path, "1,2,3\n2,4,5\n", "b.csv")
    assert len(read(path, layout="ucr")) == 2


def test_endings_choose_the_reader(tmp_path):
    ts = write(tmp_path, gzip.compress(b"@classLabel true a b\n@data\n1,2:a\n"), "a.ts.gz")
    assert read(ts).target.classes == ("a", "b")
    arff = write(tmp_path, "@relation r\n@attribute a numeric\n@data\n1\n", "a.arff")
    assert len(read(arff)) == 1
    lines = write(tmp_path, '{"s": [1, 2]}\n', "a.jsonl")
    assert read(lines, fields={"x": "s"}).stream.rows == 2
    np.savez(tmp_path / "a.npz", audio=np.int16([1, 2, 3]), offsets=[0, 3], digit=[1])
    data = read(tmp_path / "a.npz", values="audio", target="digit", rate=8000)
    assert (data.stream.kind, data.stream.values.dtype) == ("signal", np.int16)


def test_sounds_and_texts_and_their_folders_are_read(tmp_path):
    for name in ("a.wav", "b.wav"):
        with wave.open(str(tmp_path / name), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(np.arange(9, dtype=np.int16).tobytes())
    assert read(tmp_path / "a.wav").stream.rate == 8000
    assert len(read(tmp_path)) == 2
    assert len(read([tmp_path / "a.wav", tmp_path / "b.wav"], y=["u", "v"])) == 2
    text = write(tmp_path, "some words", "c.txt")
    assert read(text, lines=False).stream.rows == 10
    with pytest.raises(FileError, match=r"several kinds.*from_audio and from_text"):
        read(tmp_path)


def test_arrays_dicts_and_lists_are_read_as_arrays():
    assert read(np.zeros((2, 3, 1))).stream.lengths.tolist() == [3, 3]
    assert read([np.zeros((1, 5))], layout="nct").stream.lengths.tolist() == [5]
    assert set(read({"a": [[1.0]], "b": [[2.0, 3.0]]}).streams) == {"a", "b"}
    assert read(pa.array([[1.0, 2.0], [3.0]])).stream.lengths.tolist() == [2, 1]
    assert read(pl.Series([[1.0, 2.0]]), layout="nested").stream.rows == 2
    data = read([[1.0]])
    assert read(data) is data


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_a_frame_needs_a_layout_and_the_advice_lists_them(make):
    frame = make({"who": [1], "day": [1], "x": [1.0]})
    with pytest.raises(OptionError, match=r"'long'.*id=.*'wide'.*records=.*'events'.*variable="):
        read(frame)
    assert len(read(frame, **BY)) == 1


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"layout": "lon"}, "Did you mean 'long'"),
        ({"layout": "long", "id": "who"}, "from_long needs more .*'time'"),
        ({**BY, "chanels": ["x"]}, "no option 'chanels'.*Did you mean 'channels'"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_read(tmp_path, how, said):
    frame = pd.DataFrame({"who": [1], "day": [1], "x": [1.0]})
    with pytest.raises(OptionError, match=said):
        read(frame, **how)
    path = write(tmp_path, "no table at all", "a.csv")
    with pytest.raises(OptionError, match=said):
        read(path, **how)


@pytest.mark.parametrize(
    ("source", "kind", "said"),
    [
        (["a", "b"], OptionError, "from_text for texts"),
        ("a text\nof two lines", OptionError, "no path"),
        ("zero\0byte", OptionError, "no path"),
        (7, DataError, "A int came"),
        (object(), DataError, "A object came"),
        ("table.xyz", FileError, r"'\.xyz'. Read are .*\.csv"),
        ("missing.csv", FileError, "does not exist"),
        ("../missing.ts", FileError, "does not exist"),
    ],
)
def test_what_is_no_data_is_refused(source, kind, said):
    how = {**BY} if source == "missing.csv" else {}
    with pytest.raises(kind, match=said):
        read(source, **how)


@pytest.mark.parametrize("ending", ["csv", "ts", "arff", "jsonl", "npz", "parquet"])
def test_files_that_are_none_are_refused_whatever_their_ending(tmp_path, ending):
    how = BY if ending in ("csv", "parquet") else {}
    path = tmp_path / f"a.{ending}"
    with pytest.raises(FileError, match="does not exist"):
        read(path, **how)
    path.write_bytes(b"")
    with pytest.raises(FileError, match="0 bytes"):
        read(path, **how)
    path.write_bytes(os.urandom(2000))
    with pytest.raises((FileError, DataError), match=r"a\." + ending):
        read(path, **how)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(FileError, match="pipe or a device"):
        read(path, **how)
    path.unlink()
    path.mkdir()
    with pytest.raises(FileError, match="holds no sounds, images or texts"):
        read(path, **how)


@pytest.mark.parametrize("ending", ["ts.gz", "npz"])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch, ending):
    path = tmp_path / f"a.{ending}"
    path.write_bytes(gzip.compress(b"@data\n1,2\n"))
    if ending == "npz":
        np.savez(path, values=[1.0, 2.0], offsets=[0, 2])
    assert len(read(path)) == 1
    module, name = (archive, "unzipped") if ending == "ts.gz" else (flat, "_array")
    as_it_was = getattr(module, name)

    def late(*given):
        found = as_it_was(*given)
        with path.open("ab") as file:
            file.write(b"more")
        return found

    monkeypatch.setattr(module, name, late)
    with pytest.raises(FileError, match="changed while it was being read"):
        read(path)


@pytest.mark.parametrize("ending", ["csv.gz", "ts.gz", "jsonl.gz", "arff.gz"])
def test_gzipped_files_that_are_cut_off_or_swell_are_refused(tmp_path, ending):
    how = BY if "csv" in ending else {}
    whole = gzip.compress(os.urandom(4000))
    with pytest.raises(FileError, match="cut off or damaged"):
        read(write(tmp_path, whole[:-9], f"a.{ending}"), **how)
    with pytest.raises(FileError, match="not gzipped"):
        read(write(tmp_path, b"who,day\n", f"b.{ending}"), **how)
    bomb = gzip.compress(b"\n" * (40 * 2**20))
    with pytest.raises(FileError, match="unpacks to more than"):
        read(write(tmp_path, bomb, f"c.{ending}"), **how)


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("who;day;pulse\n1;1;3,14\n", FileError, "separated by ';'.*decimal=','"),
        ("who,day,pulse\n1,1,3,14\n", DataError, "Line 2 .*4 fields.*decimal comma"),
        ("who,day,pulse\n1,1\n", DataError, "Line 2 .*2 fields"),
        ("who,day,who\n1,1,2\n", DataError, "names a column twice .*'who'"),
        ("who,day,pulse\n", DataError, "no rows"),
        ("who,day,pulse\n1,1,2\n1,2,abc\n1,3,4\n", DataError, "text among numbers .*row 1, col"),
        ("who,day,pulse\n1,2024-13-45,2\n", DataError, "row 0, column 'day'"),
        ("who,day,pulse\n1,03/04/2024,2\n", DataError, "which the month is not known"),
        ("who,day,pulse\n,1,2\n", DataError, "identifier is missing"),
        ("who,day,pulse\n1,,2\n", DataError, "time stamp is missing|no date"),
        ("who,date,pulse\n1,1,2\n", DataError, "no column 'day'"),
        ("who,day,pulse\n1,1,01\n1,2,2\n", DataError, "written as text"),
        (b"who,day,pulse\n1,1,\xff\n", FileError, "0xff at byte 18, line 2"),
        (b"who,day,pulse\n1,1,\x00\n", FileError, "zero byte at 18"),
        ("who,day,pulse\n1,1,inf\n", DataError, "infinite .*row 0"),
    ],
)
def test_wrong_text_is_refused_with_its_place(tmp_path, text, kind, said):
    with pytest.raises(kind, match=said):
        read(write(tmp_path, text, "a.csv"), **BY)


def test_a_wide_file_with_another_separator_is_refused(tmp_path):
    with pytest.raises(FileError, match="separated by ';'"):
        read(write(tmp_path, "a;b\n1;2\n", "a.csv"), layout="wide", records="columns")


def test_large_identifiers_with_a_hole_are_read_as_text_and_the_hole_is_named(tmp_path):
    text = "who,day,x\n9007199254740993,1,1\n,2,2\n"
    with pytest.raises(DataError, match=r"identifier is missing.*row 1"):
        read(write(tmp_path, text, "a.csv"), **BY)
    path = write(tmp_path, text.replace("\n,2", "\n9007199254740992,2"), "b.csv")
    assert read(path, **BY).ids == ("9007199254740993", "9007199254740992")


def test_a_file_and_its_frame_give_the_same_records(tmp_path):
    frame = pd.DataFrame({"who": ["a", "a"], "day": [2, 1], "x": [1.5, 2.5]})
    path = tmp_path / "a.csv"
    frame.to_csv(path, index=False)
    with pytest.warns(DataWarning, match="sorted"):
        one = read(path, **BY)
    with pytest.warns(DataWarning, match="sorted"):
        two = from_long(frame, id="who", time="day")
    assert one.notes == two.notes
    np.testing.assert_array_equal(one.stream.values, two.stream.values)


def test_the_layouts_named_are_those_that_are_read():
    frame = pd.DataFrame({"k": [1], "t": [1], "what": ["a"], "v": [1.0]})
    names = {"id": "k", "time": "t", "variable": "what", "value": "v"}
    data = read(frame, layout="events", **names)
    assert repr(data) == repr(from_events(frame, **names))


def test_paths_are_read_as_they_are_said(tmp_path, monkeypatch):
    write(tmp_path, "@data\n1,2\n", "a.b.ts")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for name in ("a.b.ts", "./a.b.ts", "in/../a.b.ts", Path("a.b.ts")):
        assert len(read(name)) == 1
