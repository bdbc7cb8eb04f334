"""Not one bit of a model file can change unnoticed."""

import os
import random
from pathlib import Path

import numpy as np
import pytest

from recurra.artifact import read_model, write_model
from recurra.errors import FileError

GOLDEN = Path(__file__).parents[1] / "golden"
HEADER = {"name": "x", "tab": "\x1f\t", "letters": ["é", "中"], "list": [1, None, 2.5, True]}
ARRAYS = {
    "a": np.arange(6.0).reshape(2, 3),
    "b\x1f": np.array(3, np.int64),
    "flags": np.array([True, False]),
    "bytes": np.arange(5, dtype=np.uint8),
    "none": np.zeros((0, 4), np.float32),
}


def detected(path, content):
    path.write_bytes(content)
    try:
        read_model(path)
    except FileError:
        return True
    return False


def test_a_file_cut_anywhere_is_refused(tmp_path):
    write_model(tmp_path / "m", HEADER, ARRAYS)
    whole = (tmp_path / "m").read_bytes()
    assert not detected(tmp_path / "cut", whole)
    assert all(detected(tmp_path / "cut", whole[:size]) for size in range(len(whole)))


def test_a_file_with_more_at_its_end_is_refused(tmp_path):
    write_model(tmp_path / "m", HEADER, ARRAYS)
    whole = (tmp_path / "m").read_bytes()
    assert all(detected(tmp_path / "more", whole + more) for more in (b"\0", b"x" * 8, whole))


def missed(path, bits):
    """Flip bits, one at a time, and say which of them nobody notices."""
    found, place = [], os.open(path, os.O_RDWR)
    for bit in bits:
        (byte,) = os.pread(place, 1, bit // 8)
        os.pwrite(place, bytes([byte ^ 1 << bit % 8]), bit // 8)
        try:
            read_model(path)
            found.append(bit)
        except FileError:
            pass
        os.pwrite(place, bytes([byte]), bit // 8)
    os.close(place)
    read_model(path)
    return found


def test_each_flipped_bit_is_noticed(tmp_path):
    write_model(tmp_path / "m", HEADER, ARRAYS)
    size = (tmp_path / "m").stat().st_size
    assert not missed(tmp_path / "m", range(8 * size))


@pytest.mark.parametrize("name", ["Classifier", "Forecaster"])
def test_ten_thousand_flipped_bits_of_a_model_are_noticed(tmp_path, name, rounds):
    whole = max(GOLDEN.glob(f"*/{name}.recurra")).read_bytes()
    (tmp_path / "m").write_bytes(whole)
    chance = random.Random(0)
    bits = (chance.randrange(8 * len(whole)) for _ in range(5_000 * rounds))
    assert not missed(tmp_path / "m", bits)
