import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from recurra.artifact import read_model, write_model
from recurra.errors import FileError

ARRAYS = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([1, 2], dtype=np.int64)}


def test_what_was_written_is_read_back(tmp_path):
    write_model(tmp_path / "m", {"name": "x", "list": [1, None]}, ARRAYS)
    header, arrays = read_model(tmp_path / "m")
    assert header == {"name": "x", "list": [1, None]}
    assert all(np.array_equal(arrays[key], ARRAYS[key]) for key in ARRAYS)
    assert [each.name for each in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize("place", [0.0, 0.3, 0.6, 0.9, 0.999])
def test_one_flipped_bit_anywhere_is_noticed(tmp_path, place):
    write_model(tmp_path / "m", {"name": "x"}, ARRAYS)
    content = bytearray((tmp_path / "m").read_bytes())
    content[int(place * len(content))] ^= 4
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(FileError):
        read_model(tmp_path / "m")


def test_a_truncated_file_is_noticed(tmp_path):
    write_model(tmp_path / "m", {}, ARRAYS)
    (tmp_path / "m").write_bytes((tmp_path / "m").read_bytes()[:-5])
    with pytest.raises(FileError, match="damaged"):
        read_model(tmp_path / "m")


def test_other_files_are_refused_with_a_reason(tmp_path):
    with pytest.raises(FileError, match="is not a file"):
        read_model(tmp_path)
    (tmp_path / "text").write_text("hello")
    with pytest.raises(FileError, match="not a model file"):
        read_model(tmp_path / "text")
    save_file(ARRAYS, tmp_path / "other")
    with pytest.raises(FileError, match="format 'none'"):
        read_model(tmp_path / "other")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileError, match="cannot be written"):
        write_model(tmp_path / "no" / "m", {}, ARRAYS)


def test_a_failed_write_keeps_the_old_file(tmp_path):
    write_model(tmp_path / "m", {"version": 1}, ARRAYS)
    with pytest.raises(ValueError, match="JSON compliant"):
        write_model(tmp_path / "m", {"version": float("nan")}, ARRAYS)
    assert read_model(tmp_path / "m")[0] == {"version": 1}
    assert json.dumps(read_model(tmp_path / "m")[0])
