import json
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from recurra.data.batching import open_stored, pad, save
from recurra.data.reading.arrays import from_arrays
from recurra.data.sequences import SequenceDataset, Stream, Target
from recurra.errors import FileError, OptionError
from recurra.testing import datasets


def assert_same(one, other):
    assert (one is None) == (other is None)
    if one is not None:
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        assert one.tobytes() == other.tobytes()


def assert_same_stream(one, other):
    for name in ("kind", "channels", "clock", "zone", "rate"):
        assert getattr(one, name) == getattr(other, name)
    assert dict(one.categories) == dict(other.categories)
    for name in ("values", "offsets", "observed", "times"):
        assert_same(getattr(one, name), getattr(other, name))
    assert (one.inner is None) == (other.inner is None)
    if one.inner is not None:
        assert_same_stream(one.inner, other.inner)


def assert_same_data(one, other):
    assert one.ids == other.ids
    assert [type(each) for each in one.ids] == [type(each) for each in other.ids]
    assert one.notes == other.notes
    assert list(one.streams) == list(other.streams)
    for name in one.streams:
        assert_same_stream(one.streams[name], other.streams[name])
    assert (one.static is None) == (other.static is None)
    if one.static is not None:
        assert_same_stream(one.static, other.static)
    assert list(one.targets) == list(other.targets)
    for name, target in one.targets.items():
        again = other.targets[name]
        for part in ("level", "classes", "outputs", "stream"):
            assert getattr(target, part) == getattr(again, part)
        assert_same(target.values, again.values)
        assert_same(target.offsets, again.offsets)
    assert_same(one.weights, other.weights)


@pytest.fixture
def stored(tmp_path):
    data = from_arrays([[1.0, 2.0], [3.0]], ["a", "b"], ids=["x", "y"])
    save(data, tmp_path / "stored")
    return tmp_path / "stored"


# Laws --------------------------------------------------------------------------------------


@given(datasets(max_streams=3))
@settings(max_examples=40, deadline=None)
def test_a_stored_data_set_equals_the_one_saved_bit_for_bit(data):
    with tempfile.TemporaryDirectory() as folder:
        save(data, folder)
        assert_same_data(data, open_stored(folder))


def test_all_that_a_data_set_may_hold_comes_back(tmp_path):
    words = Stream(np.arange(4)[:, None], np.array([0, 1, 4]), ("word",), "tokens")
    offsets = np.array([0, 1, 1, 2])
    data = SequenceDataset(
        (("a", 3), 7, None),
        {
            "pages": Stream(np.zeros((2, 0)), offsets, (), "records", inner=words),
            "sound": Stream(
                np.arange(6, dtype=np.int16)[:, None],
                np.array([0, 3, 3, 6]),
                ("mono",),
                "signal",
                rate=8000.0,
            ),
            "turned": Stream(
                np.asfortranarray(np.arange(8.0).reshape(4, 2)), offsets * 2, tuple("ab")
            ),
        },
        targets={
            "said": Target(np.array([[0], [1]]), "labels", ("no", True), ("t",), offsets),
            "tag": Target(np.array([[0.5], [1.0]]), "step", (), ("t",), offsets, "pages"),
        },
        weights=np.array([1.0, 0.0, 2.0]),
        groups=np.array(["p", "\ud800", None], object),
        notes=("2 rows were sorted by time.",),
    )
    save(data, tmp_path / "a")
    again = open_stored(tmp_path / "a")
    assert_same_data(data, again)
    assert again.groups.tolist() == data.groups.tolist()
    save(again, tmp_path / "b")
    assert_same_data(again, open_stored(tmp_path / "b"))


# On disk -----------------------------------------------------------------------------------


def test_values_stay_on_disk_and_a_batch_reads_its_rows(tmp_path):
    values = np.random.default_rng(0).normal(size=(100_000, 20))
    data = SequenceDataset(
        tuple(range(1000)),
        {"x": Stream(values, np.arange(0, 100_001, 100), tuple(map(str, range(20))))},
    )
    save(data, tmp_path / "a")
    again = open_stored(tmp_path / "a").stream
    assert isinstance(again.values, np.memmap)
    assert not again.values.flags.writeable
    tracemalloc.start()
    padded = pad(again, [5, 900, 33])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert type(padded.values) is np.ndarray
    np.testing.assert_array_equal(padded.values[1], values[90_000:90_100].astype(np.float32))
    assert peak < 20 * padded.values.nbytes < values.nbytes / 10


def test_a_folder_with_something_in_it_is_not_written(stored):
    with pytest.raises(FileError, match="has something in it"):
        save(open_stored(stored), stored)
    with pytest.raises(FileError, match="cannot be written"):
        save(open_stored(stored), stored / "header.json" / "below")


def test_what_json_cannot_hold_is_refused(tmp_path):
    stream = Stream(np.ones((1, 1)), np.array([0, 1]), ("x",))
    for label in (object(), float("nan"), b"a"):
        with pytest.raises(OptionError, match="cannot be stored"):
            save(SequenceDataset((label,), {"x": stream}), tmp_path / "a")
    with pytest.raises(OptionError, match="a list came"):
        save([], tmp_path / "a")
    assert not (tmp_path / "a").exists()


# Damage ------------------------------------------------------------------------------------


def edit(folder, change):
    path = folder / "header.json"
    header = json.loads(path.read_text())
    change(header)
    path.write_text(json.dumps(header))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h: h.update(more=1), "fields"),
        (lambda h: h.pop("notes"), "fields"),
        (lambda h: h.update(format="recurra records 2"), "format"),
        (lambda h: h.update(ids=["x"]), "1 records"),
        (lambda h: h.update(ids="xy"), "ids is a str"),
        (lambda h: h.update(ids=[["x"], "y"]), "holds a list"),
        (lambda h: h.update(notes=[1]), "notes is a int"),
        (lambda h: h["streams"].append(h["streams"][0]), "two streams are called 'x'"),
        (lambda h: h["streams"][0].update(kind="wrong"), "kind"),
        (lambda h: h["streams"][0].update(kind=["values"]), "kind"),
        (lambda h: h["streams"][0].update(values=None), "no values"),
        (lambda h: h["streams"][0].update(offsets=None), "offsets"),
        (lambda h: h["streams"][0]["values"].update(shape=[10**12, 1]), "the header says"),
        (lambda h: h["streams"][0]["values"].update(type="<f4"), "the header says"),
        (lambda h: h["streams"][0]["values"].update(file="/etc/passwd"), "fields"),
        (lambda h: h["targets"][0].update(level="whole"), "level 'whole'"),
    ],
)
def test_a_header_that_was_edited_is_refused(stored, change, message):
    edit(stored, change)
    with pytest.raises(FileError, match=message) as caught:
        open_stored(stored)
    assert str(stored) in str(caught.value)


@pytest.mark.parametrize("cut", [0, 5, 100, -1])
@pytest.mark.parametrize("name", ["stream0.values.npy", "stream0.offsets.npy", "header.json"])
def test_a_file_that_was_cut_off_is_named(stored, name, cut):
    path = stored / name
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(FileError, match=name.replace(".", "[.]")):
        open_stored(stored)


def test_a_file_that_grew_or_holds_objects_is_refused(stored):
    path = stored / "stream0.values.npy"
    whole = path.read_bytes()
    path.write_bytes(whole + b"more")
    with pytest.raises(FileError, match="bytes"):
        open_stored(stored)
    np.save(path, np.array([[{}], [{}], [{}]]), allow_pickle=True)
    with pytest.raises(FileError, match="damaged"):
        open_stored(stored)


def test_offsets_that_fall_are_refused(stored):
    np.save(stored / "stream0.offsets.npy", np.array([0, 4, 3]))
    with pytest.raises(FileError, match="does not rise"):
        open_stored(stored)


def test_a_folder_that_is_none_or_was_not_finished_is_named(tmp_path, stored):
    (stored / "header.json").unlink()
    with pytest.raises(FileError, match=r"has no header\.json"):
        open_stored(stored)
    with pytest.raises(FileError, match="is not a folder"):
        open_stored(Path(tmp_path) / "nowhere")
