"""Valid input, changed at random: an answer or an error of Recurra's comes out, and no other."""

import warnings
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest

from recurra.data.reading.arrays import from_arrays
from recurra.data.reading.long import from_long
from recurra.data.reading.read import read
from recurra.errors import DataWarning, RecurraError

NAN, INF = float("nan"), float("inf")
ODD = [None, NAN, INF, 1e300, -0.0, 2**53 + 1, 2**70, -1, True, "", "a", "1,5", '"', b"x", 1j]
ODD += [
    object(),
    [],
    [1],
    [[1, 2]],
    {},
    range(3),
    pd.NA,
    pd.NaT,
    np.datetime64("NaT"),
    np.float16(1),
]
ODD += [pd.Timestamp("2024-01-01", tz="UTC"), "2024-13-45", "03/04/2024", type, lambda: 0]
TYPES = ["bool", "int8", "uint64", "float16", "complex64", "S3", "U3", "object", "M8[s]", "m8[s]"]
ROUNDS = 1500


def odd(random):
    return ODD[random.integers(len(ODD))]


def with_one(random, given, value):
    given = list(given)
    given[random.integers(len(given))] = value
    return given


def changed_record(random, record):
    cells = record.astype(object)
    cells.flat[random.integers(cells.size)] = None
    ways = [
        lambda: record.tolist(),
        lambda: with_one(random, record.tolist(), odd(random)),
        lambda: [with_one(random, row, odd(random)) for row in record.tolist()],
        lambda: record.astype(TYPES[random.integers(len(TYPES))]),
        lambda: cells,
        lambda: record[:0],
        lambda: record[:, :1],
        lambda: record[:, 0],
        lambda: record[None],
        lambda: pd.DataFrame(record),
        lambda: odd(random),
    ]
    return ways[random.integers(len(ways))]()


def changed_list(random, given):
    ways = [
        lambda: given[:-1],
        lambda: [*given, given[0]],
        lambda: with_one(random, given, odd(random)),
        lambda: [odd(random) for _ in given],
        lambda: [[each] * random.integers(1, 4) for each in given],
        lambda: pd.Series(given, index=range(5, 5 + len(given)), dtype=object),
        lambda: {"y": given},
        lambda: odd(random),
    ]
    return ways[random.integers(len(ways))]()


def arrays(random):
    """Records with times, groups and so on, one of them changed."""
    number = 4
    X = [random.normal(size=(size, 2)) for size in random.integers(1, 5, number)]
    sides = {
        "y": random.integers(0, 2, number).tolist(),
        "times": [np.cumsum(random.random(len(x))) for x in X],
        "observed": [random.random(x.shape) < 0.8 for x in X],
        "static": random.normal(size=(number, 2)).tolist(),
        "ids": list(range(number)),
        "groups": [0, 0, 1, 1],
        "weights": [1.0] * number,
        "channels": ["a", "b"],
    }
    given = {side: value for side, value in sides.items() if random.random() < 0.3}
    if not given or random.random() < 0.6:
        place = random.integers(number)
        X[place] = changed_record(random, X[place])
    else:
        side = list(given)[random.integers(len(given))]
        given[side] = changed_list(random, given[side])
    from_arrays({"a": X} if random.random() < 0.1 else X, **given)


def tables(random):
    """A table with one cell or column changed."""
    frame = pd.DataFrame(
        {
            "who": [*"aabb"],
            "t": [0, 1, 0, 1],
            "x": [1.0, 2, 3, 4],
            "c": [*"uvuv"],
            "y": [0, 0, 1, 1],
        }
    ).astype(object)
    column = frame.columns[random.integers(5)]
    frame[column] = pd.Series(with_one(random, frame[column], odd(random)), dtype=object)
    if random.random() < 0.2:
        frame = frame.drop(columns=column)
    times = ["t", None][random.integers(2)]
    from_long(frame, id="who", time=times, target=["y", None, {"y": "numbers"}][random.integers(3)])


@pytest.mark.parametrize("reads", [arrays, tables])
def test_what_is_changed_in_memory_is_read_or_refused(reads):
    random = np.random.default_rng(0)
    count_refused = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        for _ in range(ROUNDS):
            try:
                reads(random)
            except RecurraError:
                count_refused += 1
    assert 0.2 * ROUNDS < count_refused < 0.95 * ROUNDS


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl"])
def test_what_is_changed_in_a_file_is_read_or_refused(tmp_path, ending):
    random = np.random.default_rng(0)
    between = {".csv": ",", ".tsv": "\t"}.get(ending)
    whole = b'{"id": 1, "x": [[1, 2], [3, null]], "times": [0, 5], "y": "ill"}\n' * 1
    whole += b'{"id": 2, "x": [[1, 2]], "times": [3], "y": "well"}\n'
    if between is not None:
        whole = "who,t,x\na,0,1\na,1,2\nb,0,3\nb,1,\n".replace(",", between).encode()
    how = {} if between is None else {"layout": "long", "id": "who", "time": "t"}
    put = [b'"', b"\n", b",", b"\r", b"\0", b"\xff", b"\xef\xbb\xbf", b";", b"\t", b"9" * 400]
    path = tmp_path / f"a{ending}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        for _ in range(300):
            content = bytearray(whole)
            start = random.integers(len(content))
            content[start : start + random.integers(3)] = put[random.integers(len(put))]
            path.write_bytes(content[: random.integers(len(content) // 2, len(content) + 1)])
            with suppress(RecurraError):
                read(path, **how)
