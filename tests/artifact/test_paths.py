"""Whatever a path or a name says, nothing but the named file is opened or written."""

import os
import socket
from contextlib import contextmanager

import numpy as np
import pytest

from recurra.artifact import read_model, write_model
from recurra.errors import FileError

ARRAYS = {"a": np.ones(2)}

NO_FILE = [
    "/dev/null",
    "/dev/zero",
    "/dev/tty",
    "/dev/stdin",
    "/dev/random",
    "/",
    "/proc",
    ".",
    "..",
]
NO_MODEL = [
    "/proc/self/mem", "/proc/self/environ", "/proc/self/maps", "/proc/version", "/proc/self/exe",
    "/etc/passwd", "../../../../../../../../etc/passwd", "/proc/self/cwd/../../etc/passwd",
]  # fmt: skip
NO_PATH = [
    "a\0b", "/etc/passwd\0.recurra", "", 3, 0, -1, None, b"m", ["m"], 1.5, "m" * 300, "m/" * 3000,
    "~root/m", "$HOME/m", "file:///etc/passwd", "http://localhost/m", "|ls", "m;ls", "\ud800",
]  # fmt: skip
NAMES = [
    "../../etc/passwd", "/etc/passwd", "..", ".", "", "a\0b", "a/../../b", "C:\\windows",
    "\\\\host\\x", "file:///etc/passwd", "~/.ssh/id_rsa", "a\nb", "\u202egnp.exe", "con", "|ls",
    "$(ls)", "%2e%2e%2f",
]  # fmt: skip


@pytest.mark.parametrize("path", NO_FILE + NO_MODEL + NO_PATH, ids=ascii)
def test_a_path_of_something_else_is_not_read(path):
    with pytest.raises(FileError, match=r"is not a file|not a model file|cannot be read"):
        read_model(path)


# no real device is named here: were it replaced, the machine would be the worse for it
@pytest.mark.parametrize("path", ["/", ".", "..", "a\0b", "", 3, None, "\ud800", "no/m"], ids=ascii)
def test_a_path_of_something_else_is_not_written(path):
    with pytest.raises(FileError, match="cannot be written"):
        write_model(path, {}, ARRAYS)


@contextmanager
def odd_file(path, kind):
    if kind == "pipe":
        os.mkfifo(path)
        yield
    elif kind == "folder":
        path.mkdir()
        yield
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as opened:
            opened.bind(str(path))
            yield


@pytest.mark.parametrize("kind", ["pipe", "folder", "socket"])
@pytest.mark.timeout(10)
def test_pipes_folders_and_sockets_are_neither_read_nor_replaced(tmp_path, kind, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with odd_file(path := tmp_path / "m", kind):
        before = path.stat()
        with pytest.raises(FileError, match="is not a file"):
            read_model(path)
        with pytest.raises(FileError, match="cannot be written: it is a folder, a device or a"):
            write_model(path, {}, ARRAYS)
        assert path.stat().st_ino == before.st_ino
        assert [each.name for each in tmp_path.iterdir()] == ["m"]


def test_a_link_is_replaced_and_what_it_points_to_left_alone(tmp_path):
    (tmp_path / "other").write_text("precious")
    (tmp_path / "m").symlink_to(tmp_path / "other")
    write_model(tmp_path / "m", {}, ARRAYS)
    assert (tmp_path / "other").read_text() == "precious"
    assert not (tmp_path / "m").is_symlink()


def test_a_link_to_a_device_or_to_itself_is_not_read(tmp_path):
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("zero", "loop"):
        with pytest.raises(FileError, match=r"is not a file|cannot be read"):
            read_model(tmp_path / name)
        with pytest.raises(FileError, match="cannot be written"):
            write_model(tmp_path / name, {}, ARRAYS)
        assert (tmp_path / name).is_symlink()


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_of_an_array_is_a_name_and_never_a_path(tmp_path, name):
    (tmp_path / "folder").mkdir()
    path = tmp_path / "folder" / "m"
    write_model(path, {name: name}, {name: np.ones(2)})
    header, arrays = read_model(path)
    assert header == {name: name}
    assert list(arrays) == [name]
    assert sorted(each.name for each in tmp_path.rglob("*")) == ["folder", "m"]
