import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from recurra.data.reading.flat import from_flat, from_npz
from recurra.errors import DataError, FileError, OptionError

DATA = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[3] / "../shared/data"))
SOUND = np.array([1, -1, 2, 5, 3], np.int16)


def test_small_integers_stay_what_they_are_and_are_not_copied():
    offsets = np.array([0, 3, 5])
    data = from_flat(SOUND, offsets, kind="signal", rate=8000, target=["a", "b"], groups=[1, 2])
    assert data.stream.values.dtype == np.int16
    assert np.shares_memory(data.stream.values, SOUND)
    assert data.stream.offsets is offsets
    assert (data.stream.kind, data.stream.rate) == ("signal", 8000)
    assert (data.target.classes, data.groups.tolist()) == (("a", "b"), [1, 2])


def test_values_tokens_and_frames_are_read():
    values = from_flat([[1.0, np.nan], [2.0, 3.0]], [0, 1, 2], channels=["a", "b"])
    assert values.stream.observed.tolist() == [[True, False], [True, True]]
    tokens = from_flat([0, 2, 1], [0, 2, 3], kind="tokens", vocabulary=["a", "b", "c"])
    assert tokens.stream.categories == {"x0": ("a", "b", "c")}
    frames = from_flat(np.zeros((3, 4, 4, 1), np.uint8), [0, 3], kind="frames")
    assert frames.stream.values.shape == (3, 4, 4, 1)


def test_a_file_of_numpy_is_read_in_a_line(tmp_path):
    path = tmp_path / "a.npz"
    offsets = np.array([0, 3, 3, 5])
    np.savez_compressed(path, v=SOUND, o=offsets, y=[1, 0, 1], s=[*"aab"], i=["007", "8", "9"])
    data = from_npz(path, values="v", offsets="o", target=["y", "s"], groups="s", ids="i", rate=10)
    assert data.ids == ("007", "8", "9")
    assert data.streams["v"].values.dtype == np.int16
    assert data.streams["v"].lengths.tolist() == [3, 0, 2]
    assert data.targets["s"].classes == ("a", "b")


@pytest.mark.parametrize(
    ("values", "offsets", "how", "code", "said"),
    [
        (SOUND, [0, 6], {}, "offsets", "go from 0 to 6, but there are 5"),
        (SOUND, [1, 5], {}, "offsets", "go from 1 to 5"),
        (SOUND, [0, 4, 3, 5], {}, "offsets", "before it starts .*series 1"),
        (SOUND, [0.0, 4.7, 5.0], {}, "offsets", "Give integers"),
        (SOUND, [0], {}, "empty", "Give integers"),
        (SOUND.reshape(1, 5, 1), [0, 1], {}, "shape", "is read"),
        (SOUND * 1j, [0, 5], {}, "no_number", "complex"),
        ([b"a"], [0, 1], {}, "no_number", "is read as numbers"),
        ([1.0, np.inf], [0, 2], {}, "infinite", "series 0, row 1"),
        ([1.0, 1e300], [0, 1, 2], {}, "overflow_float32", "series 1, row 0"),
        (SOUND, [0, 3, 5], {"target": [1]}, "target_count", "2 records, but y has 1"),
        (SOUND, [0, 3, 5], {"weights": [1, -1]}, "weight", "series 1"),
        (SOUND, [0, 3, 5], {"ids": ["a"]}, "record_count|target_count", "1 records"),
        (SOUND, [0, 3, 5], {"kind": "tokens"}, "token_range", "row 1, value -1"),
        ([0, 3], [0, 2], {"kind": "tokens", "vocabulary": "abc"}, "token_range", "row 1, value 3"),
        ([0.5], [0, 1], {"kind": "tokens"}, "no_number", "Tokens are integers"),
    ],
)
def test_what_does_not_go_together_is_refused(values, offsets, how, code, said):
    with pytest.raises(DataError, match=said) as caught:
        from_flat(values, offsets, **how)
    assert caught.value.code in code.split("|")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"kind": "sound"}, "kind='sound'"),
        ({"rate": 0}, "rate=0"),
        ({"rate": float("nan")}, "rate=nan"),
        ({"channels": ["a", "b"]}, "1 channels"),
    ],
)
def test_a_wrong_option_is_refused(how, said):
    with pytest.raises(OptionError, match=said):
        from_flat(SOUND, [0, 5], **how)


def test_a_missing_array_and_python_objects_are_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, values=SOUND, ofsets=[0, 5], offsets=np.array([0, None], object))
    with pytest.raises(DataError, match=r"no array 'offset'.*Did you mean 'offsets'"):
        from_npz(path, offsets="offset")
    with pytest.raises(FileError, match="no plain array"):
        from_npz(path)


def test_a_damaged_file_is_refused(tmp_path):
    path, other = tmp_path / "a.npz", tmp_path / "b.npz"
    np.savez_compressed(path, values=np.arange(1000.0), offsets=[0, 1000])
    whole = path.read_bytes()
    for size in (1, 100, len(whole) // 2, len(whole) - 1):
        other.write_bytes(whole[:size])
        with pytest.raises(FileError, match=str(other)):
            from_npz(other)
    for place in range(150, len(whole) // 2, 40):
        flipped = bytearray(whole)
        flipped[place] ^= 255
        other.write_bytes(flipped)
        with pytest.raises((FileError, DataError), match=str(other)):
            from_npz(other)
    other.write_bytes(b"")
    with pytest.raises(FileError, match="0 bytes"):
        from_npz(other)


def test_a_header_that_claims_a_billion_values_is_refused_before_any_is_made(tmp_path):
    header = (
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000,), }".ljust(117) + b"\n"
    )
    claim = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 64
    path = tmp_path / "claim.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("values.npy", claim)
        archive.writestr("offsets.npy", claim)
    bomb = tmp_path / "bomb.npz"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("values.npy", b"\0" * (40 * 2**20))
        archive.writestr("offsets.npy", claim)
    code = f"""
import resource
from recurra.data.reading.flat import from_npz
resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))
for path in ({str(path)!r}, {str(bomb)!r}):
    try:
        from_npz(path)
    except ValueError as error:
        print(type(error).__name__, getattr(error, "code", ""), error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second = run.stdout.splitlines()
    assert first.startswith("DataError too_long The header of values.npy")
    assert "claims 8000000000 bytes" in first
    assert second.startswith("FileError")
    assert "Unpack it yourself" in second


@pytest.mark.data
def test_spoken_digits_are_read_in_a_line():
    path = DATA / "spk_fsdd_dev" / "fsdd_8k_int16.npz"
    if not path.exists():
        pytest.skip(f"{path} is not there: set RECURRA_DATA")
    data = from_npz(path, values="audio", target="digit", groups="speaker", rate=8000)
    assert len(data) == 2000
    assert (data.lengths.min(), data.lengths.max()) == (1148, 10504)
    assert data.stream.values.dtype == np.int16
    assert data.target.classes == tuple(range(10))
    assert len(set(data.groups)) == 4
