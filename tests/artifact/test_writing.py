"""Whatever fails while a file is written, there is a whole file under its name."""

import errno
import os
import stat

import numpy as np
import pytest

from recurra.artifact import read_model, write_model, writing
from recurra.errors import FileError

OLD, NEW = {"version": 1}, {"version": 2}
ARRAYS = {"a": np.arange(4000.0)}


class Failing:
    """Lets the n-th call of a function fail, and counts the calls."""

    def __init__(self, real, n, error):
        self.real, self.left, self.error, self.calls = real, n, error, 0

    def __call__(self, *given, **named):
        self.calls += 1
        if self.calls == self.left:
            raise self.error
        return self.real(*given, **named)


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "PIECE", 4096)  # so that there are many writes
    write_model(tmp_path / "m", OLD, ARRAYS)
    return tmp_path / "m"


def calls_of(name, path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(os, name, counting := Failing(getattr(os, name), 0, None))
        write_model(path.with_name("other"), NEW, ARRAYS)
    path.with_name("other").unlink()
    return counting.calls


@pytest.mark.parametrize("name", ["write", "fsync", "replace", "chmod", "open", "close"])
def test_whatever_fails_the_old_file_or_the_new_one_is_whole(path, monkeypatch, name):
    count = calls_of(name, path, monkeypatch)
    assert count >= {"write": 8, "fsync": 2, "open": 2, "close": 2}.get(name, 1)
    for n in range(1, count + 1):
        write_model(path, OLD, ARRAYS)
        failing = Failing(getattr(os, name), n, OSError(errno.ENOSPC, "No space left on device"))
        with monkeypatch.context() as patch:
            patch.setattr(os, name, failing)
            with pytest.raises(FileError, match="cannot be written: No space left"):
                write_model(path, NEW, ARRAYS)
        of_folder = name in ("fsync", "open", "close") and n == count  # after the renaming
        assert read_model(path)[0] == (NEW if of_folder else OLD), (name, n)
        assert [each.name for each in path.parent.iterdir()] == ["m"], (name, n)


@pytest.mark.parametrize("name", ["write", "fsync", "replace"])
def test_an_interruption_leaves_the_old_file_too(path, monkeypatch, name):
    with monkeypatch.context() as patch:
        patch.setattr(os, name, Failing(getattr(os, name), 1, KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            write_model(path, NEW, ARRAYS)
    assert read_model(path)[0] == OLD
    assert [each.name for each in path.parent.iterdir()] == ["m"]


def test_bytes_reach_the_disk_before_the_name_does_and_the_folder_after(path, monkeypatch):
    seen = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)

        def told(*given, name=name, real=real):
            folder = name == "fsync" and stat.S_ISDIR(os.fstat(given[0]).st_mode)
            seen.append("folder" if folder else name)
            return real(*given)

        monkeypatch.setattr(os, name, told)
    write_model(path, NEW, ARRAYS)
    assert seen == ["fsync", "replace", "folder"]


def test_a_write_that_takes_only_some_bytes_is_gone_on_with(path, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda where, data: real(where, data[:777]))
    write_model(path, NEW, ARRAYS)
    assert read_model(path)[0] == NEW


def test_a_folder_that_cannot_be_flushed_is_no_reason_to_fail(path, monkeypatch):
    real = os.fsync

    def fsync(where):
        if stat.S_ISDIR(os.fstat(where).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(where)

    monkeypatch.setattr(os, "fsync", fsync)
    write_model(path, NEW, ARRAYS)
    assert read_model(path)[0] == NEW


def test_the_rights_of_the_old_file_are_kept(path):
    path.chmod(0o600)
    write_model(path, NEW, ARRAYS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_order_of_a_header_is_kept_and_the_same_is_written_alike(tmp_path):
    header = {"z": 1, "a": {"2": 0, "10": 0, "1": 0}}
    write_model(tmp_path / "m", header, {"b": np.ones(2), "a": np.ones(2)})
    write_model(tmp_path / "n", header, {"b": np.ones(2), "a": np.ones(2)})
    found, arrays = read_model(tmp_path / "m")
    assert list(found) == ["z", "a"]
    assert list(found["a"]) == ["2", "10", "1"]
    assert list(arrays) == ["a", "b"]
    assert arrays.keys() == read_model(tmp_path / "n")[1].keys()


@pytest.mark.parametrize("kind", ["?", "u1", "i1", "i2", "i4", "i8", "f2", "f4", "f8"])
@pytest.mark.parametrize("shape", [(), (0,), (2,), (2, 0, 3), (3, 2)])
def test_arrays_of_any_shape_and_type_come_back_and_can_be_changed(tmp_path, kind, shape):
    array = np.ones(shape, kind)
    write_model(tmp_path / "m", {}, {"a": array.T})
    found = read_model(tmp_path / "m")[1]["a"]
    assert (found.dtype, found.shape) == (array.dtype, array.T.shape)
    assert np.array_equal(found, array.T)
    found[...] = 0


@pytest.mark.parametrize("kind", ["c16", "U3", object])
def test_an_array_that_no_file_holds_is_refused(tmp_path, kind):
    with pytest.raises(FileError, match="A model file cannot hold 'a', an array of"):
        write_model(tmp_path / "m", {}, {"a": np.zeros(2, kind)})
