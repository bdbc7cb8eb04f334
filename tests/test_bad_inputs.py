"""Seventy bad inputs: what each must get, from the library and from the command line.

The list stands at the end, by number. A row says what comes in; then what the library answers,

- ``refused``: one error of Recurra's, with its code and the places that it names,
- ``told``: a treatment, with one warning that counts and the same text among the notes,
- ``works``: an answer without a warning;

then what the command line answers (``no``, ``yes``, ``audited``, ``not_audited``), or ``unreached``
and why that input cannot come in by that door.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import struct
import subprocess
import sys
import unicodedata
import warnings
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

import recurra as rc
from recurra.cli import main
from recurra.data import (
    Duplicates,
    Indicators,
    Scale,
    SinceObserved,
    Target,
    check_transcripts,
    from_arrays,
    from_audio,
    from_flat,
    from_long,
    from_text,
    from_tokens,
    read,
    read_table,
    read_transcripts,
)
from recurra.data.tables import files
from recurra.errors import DataError, DataWarning, FileError, OptionError, RecurraError, ShapeError

NAN, INF = float("nan"), float("inf")
LARGE = 2**53 + 1


# What answers there are --------------------------------------------------------------------


@dataclass(frozen=True)
class Refused:
    """One error that says where."""

    call: Callable[[Path], Any]
    what: str | type[RecurraError]
    said: str

    def check(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            kind = DataError if isinstance(self.what, str) else self.what
            with pytest.raises(kind) as caught:
                self.call(folder)
        assert re.search(self.said, str(caught.value)), str(caught.value)
        if isinstance(self.what, str):
            assert caught.value.code == self.what


@dataclass(frozen=True)
class Told:
    """A treatment: one warning with a count, kept among the notes, and a right answer."""

    call: Callable[[Path], Any]
    said: str
    right: Callable[[Any], object]
    kept: bool

    def check(self, folder: Path) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            answer = self.call(folder)
        told = [str(one.message) for one in caught if issubclass(one.category, DataWarning)]
        fitting = [text for text in told if re.search(self.said, text)]
        assert len(fitting) == 1, told
        if self.kept:
            notes = answer.notes_ if hasattr(answer, "notes_") else answer.notes
            assert fitting[0] in notes
        assert self.right(answer), answer


@dataclass(frozen=True)
class Works:
    """An answer, without a warning."""

    call: Callable[[Path], Any]
    right: Callable[[Any], object]

    def check(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DataWarning)
            assert self.right(self.call(folder))


@dataclass
class Row:
    """What comes in, and what each door answers."""

    what: str
    library: list[Any] = field(default_factory=list)
    shell: list[Any] = field(default_factory=list)
    unreached: str = ""


ROWS: dict[int, Row] = {}


def row(number, what):
    """Begin a row; the answers that follow are its own."""
    ROWS[number] = Row(what)


def here():
    return next(reversed(ROWS.values()))


def refused(call, what, said):
    """The library refuses, with a code of `DataError` or another kind of error."""
    here().library.append(Refused(call, what, said))


def told(call, said, right=lambda _: True, *, kept=True):
    """The library treats it, and says so."""
    here().library.append(Told(call, said, right, kept))


def works(call, right):
    """The library answers without a word."""
    here().library.append(Works(call, right))


@dataclass(frozen=True)
class Shell:
    """A call of the command: a file is written, its arguments follow; what comes back."""

    make: Callable[[Path], Path]
    arguments: tuple[object, ...]
    code: int
    said: str = ""
    right: Callable[[str], object] = lambda _: True

    def check(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = self.make(folder)
        verb, *options = [str(each).replace("{folder}", str(folder)) for each in self.arguments]
        code = main([verb, str(path), *options])
        out, err = capsys.readouterr()
        assert code == self.code, err
        assert "Traceback" not in err
        lines = err.splitlines()
        if code:
            assert out == ""
            *notes, error = lines
            assert error.startswith("error: ")
            assert all(line.startswith("note: ") for line in notes)
            assert re.search(self.said, error), error
        else:
            assert all(line.startswith("note: ") for line in lines), err
            notes = [line for line in lines if not re.match("note: (learned in|see) ", line)]
            assert self.said or not notes, err
            assert re.search(self.said, err + out), err + out
            assert self.right(out), out


TINY = ("--steps", 2, "--hidden-size", 2)
FORECAST = ("forecast", "--h", 2, *TINY)


def no(make, said, *arguments):
    """The command line refuses: exit code 2 and one line on standard error."""
    here().shell.append(Shell(make, arguments or FORECAST, 2, said))


def yes(make, said="", right=lambda _: True, *arguments):
    """The command line answers: exit code 0, without a note unless one is ``said``."""
    here().shell.append(Shell(make, arguments or FORECAST, 0, said, right))


def audited(make, said="", *arguments):
    here().shell.append(Shell(make, ("audit", *arguments), 0, said))


def not_audited(make, said, *arguments):
    here().shell.append(Shell(make, ("audit", *arguments), 2, said))


def unreached(why):
    """The command line has no way in for this."""
    here().unreached = why


# What comes in -----------------------------------------------------------------------------

SIZES = (5, 3, 4, 6, 3) * 4
LABELS = [0, 1] * 10


def records(*changes):
    """Twenty records of two channels; a change is (record, step, channel, value)."""
    random = np.random.default_rng(0)
    found = [random.normal(size=(size, 2)) for size in SIZES]
    for record, *place, value in changes:
        found[record][tuple(place)] = value
    return found


def learn(X, y=LABELS, model=rc.Classifier, options=None, **how):
    plain = {"hidden_size": 2, "training": rc.Training(steps=2, progress=False)}
    return model(**plain, **(options or {})).fit(X, y, **how)


def regress(X, y, **how):
    return learn(X, y, rc.Regressor, **how)


def ward(**columns):
    """A table of twenty records of three steps."""
    random = np.random.default_rng(0)
    plain = {
        "who": np.repeat(np.arange(20), 3),
        "day": [0, 1, 2] * 20,
        "pulse": random.normal(size=60),
        "room": ["x", "y", "z"] * 20,
        "ill": np.repeat(LABELS, 3),
    }
    return pd.DataFrame({**plain, **columns})


def at_ward(frame, **how):
    return from_long(frame, **{"id": "who", "time": "day", "target": "ill", **how})


def learned():
    return learn(at_ward(ward()), None)


def asked(frame):
    """Ask a model that learned from the ward about another table."""
    return lambda _: learned().predict_proba(at_ward(frame))


def said_of(frame, said, right=lambda answer: np.isfinite(answer).all()):
    return told(asked(frame), said, right, kept=False)


def lines(*changes, steps=8, first=0, header="unique_id,ds,y"):
    """A table as text: series a and b of some steps; a change is (line, text), line 0 the first."""
    rows = [f"{who},{k},{3 + (7 * k) % 5}" for who in "ab" for k in range(first, first + steps)]
    for line, text in changes:
        rows[line] = text
    return "\n".join([header, *(row for row in rows if row is not None), ""])


def saved(content, name="table.csv"):
    """Something that writes a file and returns its path."""

    def make(folder):
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make


def table(*changes, **form):
    return saved(lines(*changes, **form))


def dated(*changes):
    """Series a and b of eight days."""
    rows = [(k, f"{'ab'[k // 8]},2024-03-{1 + k % 8:02},{k % 5}") for k in range(16)]
    return table(*rows, *changes)


def long(make):
    """Read that table as records."""
    return lambda folder: read(make(folder), layout="long", id="unique_id", time="ds")


def fitted(make, **columns):
    """Learn to forecast that table."""

    def fit(folder):
        options = {"hidden_size": 2, "training": rc.Training(steps=2, progress=False)}
        return rc.Forecaster(**options, columns=rc.Columns(**columns)).fit(make(folder))

    return fit


def parquet(**columns):
    def make(folder):
        plain = {"unique_id": ["a"] * 8, "ds": np.arange(8), "y": np.arange(8.0) % 3}
        pq.write_table(pa.table({**plain, **columns}), folder / "table.parquet")
        return folder / "table.parquet"

    return make


def archived(**arrays):
    def make(folder):
        np.savez(folder / "x.npz", **arrays)
        return folder / "x.npz"

    return make


def offsets(given):
    return archived(values=np.arange(6.0)[:, None], offsets=np.array(given))


def layer(lengths, x=None, **options):
    """Run a layer over three records of eight steps, of these lengths."""
    gru = rc.layers.GRU(2, 3, batch_first=True, **options)
    return lambda _: gru(torch.ones(3, 8, 2) if x is None else x, lengths=lengths)


def alone(answer):
    """Whether records of length 1 give the outputs of their first step."""
    y, state = answer
    return bool(torch.isfinite(y).all() and (y[:, 1:] == 0).all() and len(state))


def sound(samples=b"\1\0" * 50, size=None, rate=8000, channels=1, bits=16, before=b"", data=True):
    """A WAV file."""
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * block % 2**32, block % 2**16, bits)
    size = len(samples) if size is None else size
    body = b"fmt " + struct.pack("<I", len(form)) + form + before
    body += b"data" + struct.pack("<I", size) + samples if data else b""
    return saved(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body, "a.wav")


def heard(make, **how):
    return lambda folder: from_audio(make(folder), **how)


def two_sounds(folder, rate=16000):
    (folder / "set").mkdir(exist_ok=True)
    sound()(folder).rename(folder / "set" / "a.wav")
    sound(rate=rate)(folder).rename(folder / "set" / "b.wav")
    return folder / "set"


# Bombs: read by a child that may not have more than this -----------------------------------

ROOM = 1.5 * 2**30
CHILD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({room}, {room}))
from recurra.errors import RecurraError
from recurra.data import read
try:
    read({path!r}, **{how!r})
except RecurraError as error:
    assert "torch" not in sys.modules
    print(type(error).__name__, getattr(error, "code", ""), error)
"""
ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}


@dataclass(frozen=True)
class InChild:
    """A file that would fill the memory: an error from a child that has little of it."""

    make: Callable[[Path], Path]
    said: str
    how: dict[str, str]
    shell: tuple[str, ...] = ()

    def check(self, folder: Path, _: object = None) -> None:
        path = str(self.make(folder))
        if self.shell:
            limit = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({int(ROOM)},) * 2);"
            verb, *options = self.shell
            run = f"from recurra.cli import main; raise SystemExit(main({[verb, path, *options]}))"
            code = limit + run
        else:
            code = CHILD.format(room=int(ROOM), path=path, how=self.how)
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env={**os.environ, **ALONE},
            timeout=120,
            check=False,
        )
        assert done.returncode == (2 if self.shell else 0), done.stderr
        assert re.search(self.said, done.stderr if self.shell else done.stdout), done
        assert len(done.stderr.splitlines()) == (1 if self.shell else 0), done.stderr


LONG = {"layout": "long", "id": "unique_id", "time": "ds"}


def in_child(make, said, **how):
    """The library refuses, in a child with little memory."""
    here().library.append(InChild(make, said, how))


def in_shell(make, said, *arguments):
    """The command line refuses, in a child with little memory."""
    here().shell.append(InChild(make, said, {}, tuple(map(str, arguments or FORECAST))))


def claiming(count):
    """An archive whose array says that it has so many rows, and has none."""

    def make(folder):
        content = io.BytesIO()
        about = {"descr": "<f8", "fortran_order": False, "shape": (count, 8)}
        np.lib.format.write_array_header_1_0(content, about)
        path = folder / "x.npz"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("values.npy", content.getvalue())
            starts = io.BytesIO()
            np.save(starts, np.array([0, count]))
            archive.writestr("offsets.npy", starts.getvalue())
        return path

    return make


def swelling(folder):
    """A Parquet file of less than a megabyte that decodes to gigabytes."""
    path, rows = folder / "bomb.parquet", 2**25
    columns = {name: pa.nulls(rows) for name in ("unique_id", "ds", "y", *map(str, range(14)))}
    pq.write_table(pa.table(columns), path, row_group_size=rows)
    assert path.stat().st_size < 2**20
    return path


def packed(folder):
    """A gzipped table of kilobytes that unpacks to 256 MiB."""
    path = folder / "bomb.csv.gz"
    with gzip.open(path, "wb") as file:
        file.write(b"unique_id,ds,y\n")
        for _ in range(2**8):
            file.write(b"a,1,1\n" * (2**20 // 6))
    return path


def damaged(content, name):
    """Every way in which a file may be broken, one after the other; each is a FileError."""

    def check(folder):
        whole = bytearray(content)
        flipped = bytearray(content)
        flipped[len(flipped) // 2] ^= 0xFF
        for part in (b"", whole[:4], whole[: len(whole) // 2], whole[:-1], b"XXXX" + whole[4:]):
            with pytest.raises((FileError, DataError)):
                files.read_table(saved(bytes(part), name)(folder))
        with suppress(RecurraError):
            read_table(saved(bytes(flipped), name)(folder))
        raise FileError("each was refused")

    return check


def as_parquet():
    content = io.BytesIO()
    pq.write_table(
        pa.table({"unique_id": ["a"] * 99, "ds": np.arange(99), "y": np.ones(99)}), content
    )
    return content.getvalue()


def at(name):
    return lambda folder: read(folder / name, **LONG)


def special(folder):
    """Paths that are no regular file."""
    (folder / "folder.csv").mkdir()
    os.mkfifo(folder / "pipe.csv")
    (folder / "device.csv").symlink_to("/dev/zero")
    (folder / "loop.csv").symlink_to(folder / "loop.csv")
    return folder


def place(name):
    return lambda folder: special(folder) / name


def growing(folder):
    """Read a file to which something is added meanwhile."""
    path = table()(folder)
    with files.opened(path) as file:
        file.read()
        path.write_text(lines() + "c,1,1\n")


def pair(folder):
    """A train and a test part with one record in common."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat([f"p{k}" for k in range(12)], 6),
            "ds": [*range(6)] * 12,
            "x": random.normal(size=72),
            "y": np.repeat([0, 1] * 6, 6),
        }
    )
    frame.to_csv(folder / "train.csv", index=False)
    frame[frame.unique_id.isin(["p3", "p4"])].to_csv(folder / "test.csv", index=False)
    return folder / "train.csv"


def shared(folder):
    train = pair(folder)
    ways = {**LONG, "target": "y"}
    return rc.audit(read(train, **ways), test=read(folder / "test.csv", **ways))


def labelled(answer):
    """Twelve records of five steps, whose answer may be their only value."""
    rows = (f"p{k},{j},{k % 2},{answer(k)}\n" for k in range(12) for j in range(5))
    return saved("unique_id,ds,x,y\n" + "".join(rows))


def driven(coming, past=None, **extra):
    """A history of a series and the shop it is sold in, and a table of the shops to come."""

    def make(folder):
        shops = ["xyz"[k % 3] if past is None else past for k in range(20)]
        frame = pd.DataFrame({"unique_id": "a", "ds": range(22), "shop": [*shops, *coming]})
        frame.assign(y=frame.ds % 3)[:20].to_csv(folder / "past.csv", index=False)
        frame.assign(**extra)[20:].to_csv(folder / "coming.csv", index=False)
        return folder / "past.csv"

    return make


DRIVEN = (*FORECAST, "--future", "shop", "--future-file", "{folder}/coming.csv")


def two_streams(**changes):
    return {"vitals": records(), "labs": [each[:2] for each in records()], **changes}


# The list ----------------------------------------------------------------------------------

NO_TENSORS = "the command line takes files, and no tensors"
NO_LABELS = "no verb learns labels from a file yet"
SAID_AXES = "a file says what its axes are"

X = records()
AT = "series 2, row 1, column 'x1'"


row(1, "no records")
refused(lambda _: learn([], []), "empty", "There are no records")
refused(long(table(steps=0)), "empty", "a header, but no rows")
no(table(steps=0), "a header, but no rows. Give at least one row")

row(2, "one record of length 0 among others")
refused(
    lambda _: learn([*X[:3], np.zeros((0, 2)), *X[4:]]),
    "empty_series",
    "The record has no steps .series 3.*Leave it out",
)
told(
    lambda _: learn(X).predict_proba([X[0], np.zeros((0, 2))]),
    "1 of 2 records have no steps and get no answer.*the first is 1",
    lambda answer: np.isfinite(answer[0]).all() and np.isnan(answer[1]).all(),
    kept=False,
)
no(table(*((k, f"b,{k},") for k in range(8, 16))), "series 'b', column 'y'")

row(3, "a single step")
works(
    lambda _: learn([each[:1] for each in X]).predict_proba([X[0][:1]]),
    lambda answer: np.isclose(answer.sum(), 1),
)
refused(fitted(table(steps=1)), "too_short", "1 observed values, but 3 are")
no(table(steps=1), "has 1 observed values, but 3 are needed")

row(4, "a single record, a single channel")
works(
    lambda _: learn([each[:, 0] for each in X]).predict([X[0][:, 0]]),
    lambda answer: answer[0] in (0, 1),
)
told(
    lambda _: regress(X[:1], [4.0]),
    "The target 'y' is always 4",
    lambda model: model.predict(X[1:2]) == [4.0],
)
yes(table(*((k, None) for k in range(8, 16))), "", lambda out: out.count("\na,") == 2)

row(5, "negative lengths")
refused(layer([5, -1, 2]), ShapeError, r"lengths\[1\] is -1")
refused(
    lambda _: from_flat(np.zeros((6, 1)), [0, 5, 3, 6]),
    "offsets",
    "ends at 3, before it starts at 5.*series 1",
)
not_audited(offsets([0, 5, 3, 6]), "ends at 3, before it starts at 5")

row(6, "lengths past the time axis")
refused(layer([5, 9, 2]), ShapeError, r"lengths\[1\] is 9, but the time axis holds 8")
refused(
    lambda _: from_flat(np.zeros((6, 1)), [0, 3, 9]),
    "offsets",
    "from 0 to 9, but there are 6 steps",
)
not_audited(offsets([0, 3, 9]), "from 0 to 9, but there are 6 steps")

row(7, "fractional lengths")
refused(layer([5, 4.7, 2]), ShapeError, r"lengths\[1\] is 4.7, but a length is an int")
refused(
    lambda _: from_flat(np.zeros((6, 1)), [0, 2.5, 6]), "offsets", "type float64. Give integers"
)
not_audited(offsets([0, 2.5, 6]), "type float64. Give integers")

row(8, "another number of lengths than records")
refused(layer([5, 2]), ShapeError, "There are 2 lengths for 3 records")
unreached(NO_TENSORS)

row(9, "all lengths are 1, in both directions")
works(layer([1, 1, 1], bidirectional=True), alone)
works(
    lambda _: learn([each[:1] for each in X], options={"bidirectional": True}).predict([X[0][:1]]),
    lambda answer: answer[0] in (0, 1),
)
audited(offsets([0, 1, 2, 3, 4, 5, 6]), "values +1 +6 +6 +1")

row(10, "two axes where three are read")
refused(
    lambda _: rc.read(np.zeros((20, 2))),
    "shape",
    r"X\[:, :, None\] for one channel, X\[None\] for one record",
)
refused(
    layer([8, 8, 8], torch.ones(8, 2)),
    ShapeError,
    r"x.unsqueeze\(0\) if it is one record.*x.unsqueeze\(-1\)",
)
unreached(SAID_AXES)

row(11, "a header that claims 10^9 steps")
in_child(claiming(10**9), "DataError too_long The header of values.npy")
in_child(sound(size=4 * 10**9), "FileError.*cut off")
in_shell(claiming(10**9), "The header of values.npy", "audit")

row(12, "ragged rows")
refused(
    lambda _: learn([[[1, 2], [3]], *X[1:]]), "ragged", "row 1 has 1, row 0 has 2.*series 0, row 1"
)
refused(long(table((1, "a,1"))), "ragged", "Line 3 of .* has 2 fields.*row 1")
no(table((1, "a,1")), "Line 3 of .* has 2 fields, but the header has 3")

row(13, "NaN, and nothing that fills it")
refused(
    lambda _: learn(records((2, 1, 1, NAN)), options={"treatments": [Scale()]}),
    "missing_values",
    "no treatment fills it .*series 2, row 1, column 'x1'.*Add Fill",
)
refused(
    lambda _: learn(X, options={"treatments": [Scale()]}).predict(records((2, 1, 1, NAN))),
    "missing_values",
    "no treatment fills it .*series 2, row 1, column 'x1'",
)
no(
    table(
        (3, "a,3,1,"),
        *((k, f"{'ab'[k // 8]},{k % 8},1,2") for k in range(16) if k != 3),
        header="unique_id,ds,y,price",
    ),
    "series 'a', row 3, column 'price'",
    *FORECAST,
    "--past",
    "price",
)

row(14, "NaN, and what fills it")
told(
    lambda _: learn(records((2, 1, 1, NAN))),
    "1 of 168 values of 'x' are missing: filled with the last value",
    lambda model: (
        {Indicators, SinceObserved} <= {type(each) for each in model.preprocessor_.treatments}
    ),
)
told(
    lambda _: learn(X).predict_proba(records((2, 1, 1, NAN))),
    "1 of 168 values of 'x' are missing and were filled",
    lambda answer: np.isfinite(answer).all(),
    kept=False,
)
yes(table((3, "a,3,")), "", lambda out: out.count("\n") == 5)

row(15, "infinite values")
for value in (INF, -INF):
    refused(
        lambda _, value=value: learn(records((2, 1, 1, value))), "infinite", f"{AT}, value {value}"
    )
no(table((3, "a,3,inf")), "infinite.*series 'a', row 3, column 'y'")
no(table((3, "a,3,-inf")), "infinite.*series 'a', row 3, column 'y'")

row(16, "values that float32 cannot carry")
for value in (1e38, 1e300):
    refused(
        lambda _, value=value: learn(records((2, 1, 1, value))),
        "overflow_float32",
        f"past 1e.30 .{AT}, value ",
    )
no(table((3, "a,3,1e300")), "row 3, column 'y', value 1e.300")

row(17, "denormals and -0.0")
works(
    lambda _: learn(records((2, 1, 1, 5e-324), (2, 1, 0, -0.0))).predict_proba(X),
    lambda answer: np.isfinite(answer).all(),
)
yes(table((3, "a,3,5e-324"), (4, "a,4,-0.0")))

row(18, "complex numbers, objects, bytes")
refused(lambda _: learn([x + 1j for x in X]), "no_number", "complex numbers came")
refused(lambda _: learn([x.astype("S4") for x in X]), "no_number", "bytes came")
refused(lambda _: learn([[1.0, object()], *X[1:]]), DataError, "object came.*series 0, row 1")
no(table((3, "a,3,1+2j")), r"row 3, column 'y', value '1\+2j'")

row(19, "flags and integers of every size")
for kind in ("bool", "int8", "uint8", "int16", "uint16", "int32", "int64", "uint64"):
    works(
        lambda _, kind=kind: from_arrays([np.array([[1, 0], [0, 1]]).astype(kind)]),
        lambda data: data.stream.values.tolist() == [[1, 0], [0, 1]],
    )
yes(parquet(y=pa.array([1, 0, 2, 1, 0, 2, 1, 0], pa.int8())))

row(20, "integers past 2^53 as values")
told(
    lambda _: from_arrays([[1, LARGE, 3]]),
    "Rounded, being past 2..53: 1 integer in 'x'",
    lambda data: data.stream.values[1, 0] == float(LARGE),
)
told(
    lambda _: at_ward(ward(pulse=[LARGE, *range(59)])),
    "Rounded, being past 2..53: 1 integer in 'pulse'",
    lambda data: data.stream.values[0, 0] == float(LARGE),
)
yes(table((3, f"a,3,{LARGE}")), "Rounded, being past 2..53: 1 integer in 'y'")

row(21, "identifiers past 2^53, one of them missing")
refused(
    long(table((3, ",3,1"), *((k, f"{LARGE},{k},1") for k in range(3)))),
    "null_id",
    "The identifier is missing.*row 3",
)
works(
    long(table(*((k, f"{LARGE},{k},1") for k in range(8)))),
    lambda data: data.ids == (str(LARGE), "b"),
)
refused(
    lambda _: at_ward(ward(who=[float(LARGE)] * 30 + [NAN] * 30)),
    DataError,
    "(missing|cannot tell).*column 'who'",
)
yes(table(*((k, f"{LARGE},{k},1") for k in range(8))), "", lambda out: str(LARGE) in out)

row(22, "text among the numbers of a column")
refused(
    long(table((1, "a,1,abc"))), DataError, "text among numbers.*row 1, column 'y', value 'abc'"
)
no(table((1, "a,1,abc")), "text.*row 1, column 'y', value 'abc'")

row(23, "decimal commas between semicolons")
for text in ("t;a\n1;3,14\n", "unique_id;ds;y\na;1;3,14\n"):
    refused(long(saved(text)), (DataError, FileError), "separated by ';'.*sep=';', decimal=','")
no(saved("t;a\n1;3,14\n"), "separated by ';'")
no(saved("unique_id;ds;y\na;1;3,14\n"), "sep=';', decimal=','")

row(24, "a channel that is never observed; all of them")
told(
    lambda _: learn(records(*((k, slice(None), 1, NAN) for k in range(20)))),
    "Never observed in the training part, so filled with 0: 'x1'",
    lambda model: np.isfinite(model.predict_proba(X)).all(),
)
refused(lambda _: learn([x * NAN for x in X]), "all_missing", "Nothing was observed")
no(table(*((k, f"{'ab'[k // 8]},{k % 8},") for k in range(16))), "here and in 1 more")

row(25, "a channel that never varies")
told(
    lambda _: learn(records(*((k, slice(None), 1, 7.0) for k in range(20)))),
    "Constant in the training part, so moved to 0 and not scaled: 'x1'",
    lambda model: np.isfinite(model.predict_proba(X)).all(),
)
yes(
    table(*((k, f"{'ab'[k // 8]},{k % 8},7") for k in range(16))),
    "",
    lambda out: np.allclose(pd.read_csv(io.StringIO(out)).LSTM, 7),
)

row(26, "a single class; a constant target")
refused(lambda _: learn(X, [1] * 20), "one_class", "the same label.*value 1")
told(
    lambda _: regress(X, [2.5] * 20),
    "The target 'y' is always 2.5, and so will be every answer",
    lambda model: model.predict(X).tolist() == [2.5] * 20,
)
audited(labelled(lambda _: 1), "Target 'y' has a single class, 1: there is nothing to tell apart")

row(27, "rows that stand there twice")
told(
    long(table((1, "a,0,3"))),
    "1 row has the record and time of another",
    lambda data: data.stream.lengths.tolist() == [7, 8],
)
yes(table((1, "a,0,3")), "note: 1 row repeats the row before")

row(28, "rows of one time that contradict each other")
refused(
    long(table((1, "a,0,4"))),
    "duplicate_time",
    "Rows 0 and 1 .*series 'a', row 1, column 'y'.*duplicates='first'",
)
no(table((1, "a,0,4")), "Rows 0 and 1 have the same time stamp")

row(29, "a record that is not sorted")
told(
    long(table((0, "a,1,5"), (1, "a,0,3"))),
    "1 row was earlier than the row before",
    lambda data: data.stream.values[:2, 0].tolist() == [3, 5],
)
yes(table((0, "a,1,5"), (1, "a,0,3")), "note: 1 row was earlier than the row before")

row(30, "records whose rows are mixed")
works(
    long(saved(lines(header="unique_id,ds,y"))), lambda data: data.stream.lengths.tolist() == [8, 8]
)
works(
    long(saved("unique_id,ds,y\na,0,1\nb,0,2\na,1,3\nb,1,4\n")),
    lambda data: data.stream.values.ravel().tolist() == [1, 3, 2, 4],
)
yes(
    saved("unique_id,ds,y\n" + "".join(f"a,{k},{k % 3}\nb,{k},1\n" for k in range(8))),
    "note: The rows of different series were interleaved",
    lambda out: out.count("\na,") == 2,
)

row(31, "stamps with and without a time zone")
refused(
    long(dated((3, "a,2024-03-04T00:00Z,1"))),
    "mixed_zones",
    "time zone.*series 'a', row 3, column 'ds'",
)
no(dated((3, "a,2024-03-04T00:00Z,1")), "time zone.*row 3, column 'ds'")

row(32, "stamps of different offsets")
told(
    long(saved("unique_id,ds,y\na,2024-01-01T00:00+01:00,2\na,2024-01-02T00:00+02:00,3\n")),
    "all are in UTC now",
    lambda data: data.stream.gaps[1] == 23 * 3600,
)
yes(
    saved(
        "unique_id,ds,y\n"
        + "".join(f"a,2024-01-01T{8 + k:02}:00+0{k % 2}:00,{k}\n" for k in (0, 3, 4, 7, 8))
    ),
    "UTC now",
)

row(33, "the hours at which summer time begins and ends")
works(
    lambda _: at_ward(
        ward(
            day=pd.Series(pd.date_range("2024-10-27", periods=3, freq="h", tz="Europe/Berlin"))
            .take([0, 1, 2] * 20)
            .reset_index(drop=True)
            + pd.Timedelta("1h")
        )
    ),
    lambda data: set(data.stream.gaps) == {0, 3600},
)
refused(
    long(saved("unique_id,ds,y\na,2024-10-27T02:30,2\na,2024-10-27T02:30,3\n")),
    "duplicate_time",
    "Rows 0 and 1",
)
yes(
    saved(
        "unique_id,ds,y\n"
        + "".join(
            (
                f"a,2024-10-27T{hour}:30+0{zone}:00,{hour}\n"
                for hour, zone in (("00", 2), ("01", 2), ("02", 2), ("02", 1), ("03", 1))
            )
        )
    ),
    "all are in UTC now",
    lambda out: "03:30:00+00:00" in out,
)
no(saved("unique_id,ds,y\na,2024-10-27T02:30,2\na,2024-10-27T02:30,3\n"), "Rows 0 and 1")

row(34, "a date that there is not")
refused(long(dated((3, "a,2024-13-45,1"))), "no_time", "no date.*row 3")
no(dated((3, "a,2024-13-45,1")), "row 3, column 'ds', value '2024-13-45'")

row(35, "days and months that could be each other")
refused(
    long(saved("unique_id,ds,y\na,01/02/2024,2\na,13/02/2024,3\n")),
    "ambiguous_time",
    "Which is the day.*row 0.*format=",
)
no(saved("unique_id,ds,y\na,01/02/2024,2\na,13/02/2024,3\n"), "Which is the day")

row(36, "seconds since 1970 in float32")
refused(
    lambda _: learn(X, times=[np.full(len(x), 1700000000.0, np.float32) for x in X]),
    "inexact_time",
    "float32.*series 0, row 0.*int64 or float64",
)
refused(
    lambda _: at_ward(
        ward(day=np.float32([1700000000.0, 1700000000.0 + 200, 1700000000.0 + 400] * 20))
    ),
    "inexact_time",
    "float32.*column 'day'.*int64 or float64",
)
no(parquet(ds=pa.array(np.float32(1700000000.0 + 200 * np.arange(8)))), "float32.*int64")

row(37, "milliseconds taken for seconds")
refused(
    lambda _: learn(X, times=[(np.arange(len(x)) + 1700000000000).astype("M8[s]") for x in X]),
    "time_range",
    "past the year 2200.*series 0, row 0.*milliseconds",
)
no(
    parquet(ds=pa.array(np.arange(8) + 1700000000000, pa.timestamp("s"))),
    "past the year 2200.*Were milliseconds taken for seconds",
)

row(38, "the years 1 and 9999")
for day, said in (("0001-01-01", "before the year 1678"), ("9999-01-01", "past the year")):
    for make in (
        lambda day: long(dated((0, f"a,{day},1"))),
        lambda day: lambda _: learn(X, times=[np.full(len(x), day, "M8[s]") for x in X]),
    ):
        refused(make(day), "time_range", said)
no(dated((0, "a,0001-01-01,1")), "before the year 1678")
no(dated((7, "a,9999-01-01,1")), "past the year 2200")

row(39, "time that stands still or goes back")
refused(
    lambda _: learn(X, times=[[*range(len(x) - 1), -1] for x in X]),
    "unsorted_time",
    "earlier than the one before.*series 0, row 4",
)
told(
    lambda _: learn(X, times=[[0, *range(len(x) - 1)] for x in X]),
    "20 steps have the time of the step before",
)
refused(
    lambda _: Duplicates().apply(from_arrays([[1.0, 2.0, 3.0]], times=[[0, 1, 1]]), {}),
    "duplicate_time",
    "same time",
)
no(table((1, "a,0,4")), "Rows 0 and 1 have the same time stamp")

row(40, "gaps of a second and of ten years")
told(
    lambda _: learn(X, times=[np.cumsum([1] * (len(x) - 1) + [320000000.0]) for x in X]),
    r"The steps of 'x' are 1 to 3.2e\+08 apart: the time between them is an input",
    lambda model: "Gaps(" in repr(model.preprocessor_),
)
yes(table((7, "a,320000000,1")), "note: Most stamps .* the clock is taken as irregular")

row(41, "stamps that are missing in regular data")
works(long(table((3, None))), lambda data: data.stream.lengths.tolist() == [7, 8])
told(
    fitted(table((3, None))),
    "1 stamp was missing in 1 of 2 series: unobserved steps now",
    lambda model: model.predict(1).ds.tolist() == [8, 8],
)
yes(table((3, None)), "note: 1 stamp was missing in 1 of 2 series")

row(42, "a missing key or time")
refused(long(table((3, "a,,1"))), "null_time", "stamp is missing.*row 3")
refused(long(table((3, ",3,1"))), "null_id", "identifier is missing.*row 3")
refused(
    lambda _: learn(X, times=[np.full(len(x), "NaT", "M8[s]") for x in X]),
    "null_time",
    "stamp is missing.*series 0, row 0",
)
refused(lambda _: learn(X, ids=[*range(19), None]), DataError, "identifier is missing.*row 19")
no(table((3, "a,,1")), "stamp is missing.*row 3, column 'ds'")
no(table((3, ",3,1")), "identifier is missing.*row 3, column 'unique_id'")

row(43, "a column that is called otherwise")
refused(long(table(header="unique_id,dss,y")), "missing_column", "Did you mean 'dss'")
refused(
    asked(ward().rename(columns={"pulse": "Pulse"})),
    "missing_channel",
    "'pulse', which is not there.*column 'pulse'.*Did you mean 'Pulse'",
)
no(table(header="unique_id,dss,y"), "no column 'ds'.*Did you mean 'dss'")

row(44, "a column more than was learned from")
said_of(ward(extra=1.0), "1 channel was not learned from and is left out: extra")
yes(driven(["x", "y"], extra=1), "were ignored: 'extra'", lambda _: True, *DRIVEN)

row(45, "two columns of one name")
refused(long(table(header="unique_id,ds,ds")), "duplicate_column", "names a column twice")
refused(
    lambda _: at_ward(ward().set_axis(["who", "day", "ill", "room", "ill"], axis=1)),
    DataError,
    "Two columns have the same name.*column 'ill'",
)
refused(lambda _: from_arrays(X, channels=["a", "a"]), OptionError, "Name each once")
no(table(header="unique_id,ds,ds"), "names a column twice .*column 'ds'")

row(46, "columns in another order")
works(
    lambda _: (
        (model := learned()).predict_proba(at_ward(ward())),
        model.predict_proba(at_ward(ward()[["ill", "room", "pulse", "day", "who"]])),
    ),
    lambda answers: np.array_equal(*answers),
)
yes(
    saved("y,unique_id,ds\n" + "".join(f"{k % 3},a,{k}\n" for k in range(8))),
    "",
    lambda out: out.count("\na,") == 2,
)

row(47, "a column of another type than was learned from")
refused(asked(ward(pulse="high")), DataError, "held numbers .*but now labels.*column 'pulse'")
refused(asked(ward(room=1.0)), "other_type", "held labels .*but now numbers")
refused(
    asked(ward(day=pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"] * 20))),
    "other_type",
    "clock='number' when the model learned, but now 'calendar'",
)
no(driven(["x", "y"], past=0), "held numbers at the fit, but holds categories now", *DRIVEN)

row(48, "a category that was never seen")
said_of(
    ward(room=["x", "new", "z"] * 20),
    "20 values of 'room' are unknown and were encoded as 0: .*'new'",
)
yes(driven(["x", "new"]), "are taken as unknown: 1 in 'shop'", lambda _: True, *DRIVEN)

row(49, "categories that are missing, empty, spaces, or differ in case")
works(
    lambda _: at_ward(ward(room=[None, "", " ", "x", "X", " x"] * 10)),
    lambda data: (
        data.stream.categories["room"] == ("", " ", " x", "X", "x") and (not data.stream.mask[0, 1])
    ),
)
yes(
    saved(
        "unique_id,ds,y\n"
        + "".join(f"{who},{k},{k % 3}\n" for who in ("x", "X", " x") for k in range(8))
    ),
    "",
    lambda out: set(pd.read_csv(io.StringIO(out)).unique_id) == {"x", "X", " x"},
)

row(50, "identifiers such as 007")
works(long(saved("unique_id,ds,y\n007,1,2\n7,1,3\n")), lambda data: data.ids == ("007", "7"))
yes(
    saved("unique_id,ds,y\n" + "".join(f"007,{k},{k % 3}\n" for k in range(8))),
    "",
    lambda out: out.count("\n007,") == 2,
)

row(51, "a label that is missing, infinite, a fraction, or out of range")
for y in (
    [*LABELS[:7], None, *LABELS[8:]],
    [*map(float, LABELS[:7]), NAN, *map(float, LABELS[8:])],
):
    refused(lambda _, y=y: learn(X, y), "null_label", "A label is missing .*series 7, row 7")
refused(
    lambda _: learn(X, [*map(float, LABELS[:7]), INF, *map(float, LABELS[8:])]),
    DataError,
    "A target is infinite.*series 7",
)
refused(
    lambda _: learn(X, [*map(float, LABELS[:7]), 0.5, *map(float, LABELS[8:])]),
    DataError,
    "y holds fractions .series 7, value 0.5.*Use Regressor",
)
refused(
    lambda _: Target(np.array([[0], [2], [1]]), classes=("no", "yes")),
    "label_range",
    "There are 2 classes.*row 1, column 'y', value 2",
)
unreached(NO_LABELS)

row(52, "answers of another length or shape than the records")
refused(lambda _: learn(X, LABELS[:-1]), DataError, "20 records, but y has 19 rows")
refused(lambda _: regress(X, np.zeros((1, 20))), DataError, r"has 1 rows. Use y\.T")
refused(lambda _: learn(X, 1), DataError, "one for each record, but a int came")
works(
    lambda _: (
        regress(X, np.arange(20.0)[:, None]).predict(X),
        regress(X, np.arange(20.0)).predict(X),
    ),
    lambda answers: answers[0].shape == (20,) and np.array_equal(*answers),
)
unreached(NO_LABELS)

row(53, "a transcript longer than its recording")
refused(
    lambda _: check_transcripts(
        from_arrays([[0.1] * 3, [0.1] * 2], ids=["ann", "bob"]).with_targets(
            said=read_transcripts(["abc", "abc"])
        )
    ),
    DataError,
    "3 labels needs 3 frames, but there are 2.*series 'bob'",
)
unreached(NO_LABELS)

row(54, "weights that are negative, missing, all zero, too few")
for weights, code, said in (
    ([-1] + [1] * 19, "weight", r"not negative.*\(series 0, value -1"),
    ([NAN] + [1] * 19, "weight", r"finite.*\(series 0, value nan"),
    ([0] * 20, "weight", "All weights are zero"),
    ([1] * 19, "weight_count", "there are 20 records"),
):
    refused(lambda _, weights=weights: learn(X, sample_weight=weights), code, said)
unreached(NO_LABELS)

row(55, "text that is not UTF-8")
refused(long(saved(b"unique_id,ds,y\na,1,2\n\xff,2,3\n")), FileError, "0xff at byte 21, line 3")
refused(
    lambda folder: from_text(saved(b"good\nb\xffd\n", "a.txt")(folder)),
    FileError,
    "0xff at byte 6, line 2",
)
no(saved(b"unique_id,ds,y\na,1,2\n\xff,2,3\n"), "0xff at byte 21, line 3")
not_audited(saved(b"good\nb\xffd\n", "a.txt"), "0xff at byte 6, line 2")

row(56, "zeros, half surrogates, marks of direction, accents apart, a BOM, a line of 10 MB")
refused(lambda _: from_text(["a\x00b"]), "zero", "zero.*series 0, row 1")
refused(lambda _: from_text(["a\ud800b"]), DataError, "surrogate.*series 0, row 1")
refused(lambda _: from_text(["a" * 10**7]), "too_long", "longest=None")
works(
    lambda _: from_text(["\ufeffa\u202eb é"]).stream.categories["token"],
    lambda tokens: set(tokens) == {*"a\u202eb ", unicodedata.normalize("NFC", "é")},
)
works(long(saved("\ufeff" + lines())), lambda data: data.ids == ("a", "b"))
no(table((3, "a,3,1\x00")), "a zero byte at")
yes(saved("\ufeff" + lines()), "", lambda out: out.count("\na,") == 2)

row(57, "tokens that the vocabulary does not have")
for token, said in ((3, "past the vocabulary, which has 3"), (-1, "negative")):
    refused(
        lambda _, token=token: from_tokens([[0], [1, token]], 3),
        "token_range",
        f"{said}.*series 1, row 1",
    )
unreached("a file of tokens is opened with its vocabulary, which the command line does not take")

row(58, "a WAV file that is cut off")
refused(heard(sound(size=200)), FileError, "cut off.*50")
told(heard(sound(size=200), damaged="cut"), "50", lambda data: data.stream.rows == 50)
not_audited(sound(size=200), "cut off")

row(59, "a WAV file that never got its size")
told(
    heard(sound(size=4294967295)), "read to its end|to the end", lambda data: data.stream.rows == 50
)
audited(sound(size=4294967295), "to its end|to the end")

row(60, "a WAV file that says 0 and has samples")
told(heard(sound(size=0)), "read to its end|to the end", lambda data: data.stream.rows == 50)
audited(sound(size=0), "to its end|to the end")

row(61, "a WAV header that cannot be true")
for form in (
    {"rate": 0},
    {"rate": 4 * 10**9},
    {"channels": 0},
    {"channels": 65535},
    {"bits": 0},
    {"bits": 7},
):
    refused(heard(sound(**form)), FileError, "a.wav")
not_audited(sound(rate=0), "a.wav")
not_audited(sound(bits=7), "a.wav")

row(62, "a WAV file with a part larger than itself, or without samples")
refused(heard(sound(before=b"JUNK" + struct.pack("<I", 4294967280))), FileError, "a.wav")
refused(heard(sound(data=False)), FileError, "no part with samples")
not_audited(sound(before=b"JUNK" + struct.pack("<I", 4294967280)), "a.wav")
not_audited(sound(data=False), "no part with samples")

row(63, "silence, clipping, and recordings of different rates")
works(
    heard(sound(b"\x00\x00" * 9 + b"\xff\x7f" * 9)),
    lambda data: data.stream.values.max() == 2**15 - 1,
)
refused(lambda folder: from_audio(two_sounds(folder)), DataError, "a.wav.*b.wav|b.wav.*a.wav")
works(
    lambda folder: from_audio(two_sounds(folder), rate=8000),
    lambda data: data.stream.lengths.tolist() == [50, 25],
)
not_audited(two_sounds, "a.wav.*b.wav|b.wav.*a.wav")

row(64, "a Parquet file that swells to gigabytes")
in_child(swelling, "FileError.*decodes to about [0-9]{10} bytes", **LONG)
in_shell(swelling, "decodes to about [0-9]{10} bytes")

row(65, "a table that is cut off, flipped, of another kind, empty, or a header alone")
refused(damaged(as_parquet(), "t.parquet"), FileError, "each was refused")
refused(damaged(gzip.compress(lines().encode()), "t.csv.gz"), FileError, "each was")
refused(long(saved("")), FileError, "is empty: 0 bytes")
refused(long(table(steps=0)), "empty", "no rows")
in_shell(saved(as_parquet()[:-9], "t.parquet"), "cut off or damaged")
in_shell(saved(gzip.compress(lines().encode())[:-9], "t.csv.gz"), "cut off or damaged")
no(saved(lines(), "t.parquet"), "is not Parquet: it does not begin with PAR1")
no(saved(""), "is empty: 0 bytes")

row(66, "a gzipped table that swells")
in_child(packed, "FileError.*unpacks to more than", **LONG)
in_shell(packed, "unpacks to more than")

row(67, "paths that lead to no file")
for name, said in (
    ("none.csv", "none.csv does not exist"),
    ("folder.csv", "is a directory|holds no"),
    ("pipe.csv", "a pipe or a device"),
    ("device.csv", "a pipe or a device"),
    ("loop.csv", "cannot be read"),
    ("../nowhere/x.csv", "does not exist"),
):
    refused(lambda folder, name=name: at(name)(special(folder)), (FileError, OptionError), said)
no(place("none.csv"), "none.csv does not exist")
no(place("folder.csv"), "is a directory")
no(place("pipe.csv"), "a pipe or a device")
no(place("device.csv"), "a pipe or a device")
no(place("loop.csv"), "cannot be read")

row(68, "a file that changes while it is read")
refused(growing, FileError, "changed while it was being read")
unreached("the same reader, which cannot be stopped half-way from a command line")

row(69, "a record that lacks a stream; a stream that all lack")
told(
    lambda _: learn(two_streams(labs=[None, *(x[:2] for x in X[1:])])),
    "1 record has no step in stream 'labs', of 20",
    lambda model: np.isfinite(model.predict_proba(two_streams())).all(),
)
refused(
    lambda _: learn(two_streams(labs=[np.zeros((0, 2))] * 20)),
    "empty_stream",
    "No record has a step in stream 'labs'",
)
refused(
    lambda _: learn(two_streams()).predict({"vitals": X}),
    "missing_stream",
    "a stream 'labs', which is not there",
)
audited(
    saved('{"x": {"a": [1, 2], "b": [3]}}\n{"x": {"a": [1, 2]}}\n', "x.jsonl"),
    r"\[b\] 1 of 2 records has no steps",
)

row(70, "a record in train and test; an answer among the inputs")
told(
    lambda _: learn([np.column_stack([x, np.full(len(x), k % 2)]) for k, x in enumerate(X)]),
    "'x2' of 'x' equals the target 'y' in all 20 records: does it leak",
)
told(
    lambda _: learn(X, static=np.array(LABELS, float)[:, None]),
    "'static0' of 'static' equals the target 'y'",
)
works(shared, lambda report: "2 of 2 test records have an identifier of the" in str(report))
audited(
    pair,
    r"2 of 2 test records have an identifier of the training part \('p3' and 'p4'\)",
    "--test",
    "{folder}/test.csv",
)
audited(labelled(lambda k: k % 2), "'x' determines target 'y': leave it out")


LIBRARY = [(number, k) for number, one in ROWS.items() for k in range(len(one.library))]
SHELL = [(number, k) for number, one in ROWS.items() for k in range(len(one.shell))]


def test_the_list_is_whole():
    assert list(ROWS) == list(range(1, 71))
    for one in ROWS.values():
        assert one.library
        assert bool(one.shell) != bool(one.unreached)


@pytest.mark.parametrize(("number", "k"), LIBRARY)
def test_the_library_answers(number, k, tmp_path):
    ROWS[number].library[k].check(tmp_path)


@pytest.mark.parametrize(("number", "k"), SHELL)
def test_the_command_line_answers(number, k, tmp_path, capsys):
    ROWS[number].shell[k].check(tmp_path, capsys)
