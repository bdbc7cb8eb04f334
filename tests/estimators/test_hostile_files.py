"""Files made to harm, with a hash that is right: each is refused, and says what is wrong."""

import copy
import json
import struct
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import recurra
from recurra.artifact import model_file, read_model, write_model
from recurra.errors import FileError
from recurra.estimators.loading import CLASSES

GOLDEN = Path(__file__).parents[1] / "golden"
HUGE = 10**12


def golden(name):
    header, arrays = read_model(max(GOLDEN.glob(f"*/{name}.recurra")))
    return copy.deepcopy(header), dict(arrays)


def put(*way):
    """Change what stands at the end of a way through a header."""
    *before, last, value = way

    def change(header, arrays):
        for name in before:
            header = header[name]
        header[last] = value

    return change


def gone(*way):
    *before, last = way

    def change(header, arrays):
        for name in before:
            header = header[name]
        del header[last]

    return change


def array(name, value):
    return lambda header, arrays: arrays.update({name: value})


def lost(start):
    def change(header, arrays):
        del arrays[next(name for name in arrays if name.startswith(start))]

    return change


def deep(levels):
    made = []
    for _ in range(levels):
        made = [made]
    return made


def inner(levels):
    made = {"kind": "tokens", "channels": ["a"], "cardinalities": {"0": 3}}
    for _ in range(levels):
        made = {"kind": "records", "channels": [], "inner": made}
    return made


NAN2 = np.array([np.nan, 1.0])
C, F, L = "Classifier", "Forecaster", "LanguageModel"
T, S = "Transcriber", "SequenceToSequence"
NET, PARS, OWN = "network", "parameters", "learned"
HOSTILE = [
    (C, put("estimator", "Oracle"), "holds a 'Oracle', but this version knows"),
    (C, put("estimator", "os.system"), r"holds a 'os.system', but this version knows"),
    (C, put("estimator", "recurra.Classifier"), "but this version knows"),
    (C, put("estimator", "Ｃlassifier"), "but this version knows"),
    (C, put("estimator", "Classifier\u200b"), "but this version knows"),
    (C, put("estimator", None), "but this version knows"),
    (C, put("estimator", ["Classifier"]), "but this version knows"),
    (C, put("estimator", {"__class__": "os.system"}), "but this version knows"),
    (C, put("estimator", "__init__"), "but this version knows"),
    (C, put("estimator", "Regressor"), r"header.parameters has 'front|has 'adversarial'"),
    (C, put("schema", 2), "has schema 2, which is newer: .* pip install --upgrade recurra"),
    (C, put("schema", "1"), r"header.schema is '1', but it must be an int from 1 on"),
    (C, put("schema", -1), "header.schema is -1"),
    (C, put("schema", True), "header.schema is True"),
    (C, gone("schema"), "header.schema is None"),
    (C, gone(NET), "header lacks 'network'"),
    (C, gone("preprocessor"), "header lacks 'preprocessor'"),
    (C, put("__reduce__", ["os.system", "ls"]), "header has '__reduce__', which this version"),
    (C, put(PARS, []), "header.parameters is a list of 0, but it must be an object"),
    (C, put(PARS, "hidden_size", "4"), r"header.parameters.hidden_size is '4', .* an int"),
    (C, put(PARS, "hidden_size", -4), "hidden_size=-4, but it must be an int of at least 1"),
    (C, put(PARS, "hidden_size", 4.5), "header.parameters.hidden_size is 4.5"),
    (C, put(PARS, "hidden_size", 10**5000), "damaged: .*(digits|too large)"),
    (C, put(PARS, "hidden_size", 2**70), "header.parameters.hidden_size is 118059"),
    (C, put(PARS, "layer", "__import__('os').system('ls')"), "header.parameters.layer is"),
    (C, put(PARS, "layer", "torch.nn.LSTM"), "but it must be one of 'lstm', 'gru'"),
    (C, put(PARS, "layer", "rnn"), "_l0 is of float32 with shape"),
    (C, put(PARS, "self", 1), "header.parameters has 'self', which this version does not know"),
    (C, put(PARS, "dropout", True), "header.parameters.dropout is True, .* a number"),
    (C, put(PARS, "treatments", [{"kind": "Scale"}]), "header.parameters.treatments is a list"),
    (C, put(PARS, "training", "steps", 0), "header.parameters.training: steps=0"),
    (C, put(PARS, "training", "callback", "os.system"), "training has 'callback'"),
    (C, put(PARS, "training", "optimizer", "torch.optim.SGD"), "training.optimizer is"),
    (C, put(NET, "hidden_size", HUGE), "header.network.hidden_size is 1000000000000, but in such"),
    (C, put(NET, "hidden_size", 2**20), "is of float32 with shape"),
    (C, put(NET, "hidden_size", -1), "header.network.hidden_size is -1, but in such a file"),
    (C, put(NET, "num_layers", 10**6), "header.network.num_layers is 1000000, but in such"),
    (C, put(NET, "num_layers", 0), r"does not fit together|lacks|has not"),
    (C, put(NET, "pooling", ["os.system"]), "does not fit together|header.network"),
    (C, put(NET, "join", "eval"), "header.network.join is 'eval', but it must be one of"),
    (C, put(NET, "inputs", {"x": 1}), "header.network.inputs is an object of 1"),
    (C, put(NET, "inputs", [["x", {"kind": "values"}]]), r"inputs.x lacks 'channels'"),
    (C, put(NET, "inputs", 0, 1, inner(400)), "does not fit together|header.network|lacks|has not"),
    (C, put(NET, "inputs", 0, 1, "cardinalities", {"0": HUGE}), "is 1000000000000, but in such"),
    (C, put(NET, "inputs", 0, 1, "cardinalities", {"-1": 3}), "has the key '-1'"),
    (C, put(NET, "answers", 0, 1, "classes", 2**19), "is of float32 with shape"),
    (C, put(NET, "answers", [["y", {}], ["y", {}]]), "header.network.answers gives a name twice"),
    (C, put(NET, "fronts", {"x": {"widths": [HUGE]}}), r"widths\[0\] is 1000000000000"),
    (C, put(NET, "fronts", {"x": {"kernels": [2**20] * 3}}), "lacks network|has not|together"),
    (C, put("rounds", "0"), "header.rounds is '0'"),
    (C, put("notes", "text"), "header.notes is 'text', but it must be a list"),
    (C, put("shapes", "x", "path", "../../etc/passwd"), "header.shapes.x has 'path'"),
    (C, put("log", "loss", [None]), r"header.log.loss\[0\] is None"),
    (C, put("report", "scores", [{}]), r"header.report.scores\[0\] lacks"),
    (C, put("preprocessor", 0, "kind", "os.system"), "a treatment 'os.system', which this version"),
    (C, put("preprocessor", 0, "kind", "Preprocessor"), "a treatment 'Preprocessor', which this"),
    (C, put("preprocessor", 0, "kind", "find_outliers"), "a treatment 'find_outliers'"),
    (C, put("preprocessor", 0, "options", "method", "exec"), "preprocessor.0..options: .*exec"),
    (C, put("preprocessor", 0, "options", "module", "os"), "options has 'module'"),
    (C, put("preprocessor", 0, OWN, "x/channels", ["x0"]), "has shape .2,., but there must be 1"),
    (C, put("preprocessor", 0, OWN, "x/code", "exit()"), "x/code is not known"),
    (C, put("preprocessor", 0, OWN, "x/centre", [1, 2]), "x/centre is there twice"),
    (C, put("preprocessor", []), "has an array '0/.*' that nothing needs"),
    (C, put("preprocessor", deep(900)), "JSON|deep|must be an object"),
    (C, put(OWN, "classes", ["up"] * 9), "has 9 classes, but its network has 2"),
    (C, put(OWN, "classes", [["a"], {}]), r"header.learned.classes\[0\] is a list"),
    (C, put(OWN, "temperature", 0), "header.learned.temperature is 0, not positive"),
    (C, put(OWN, "temperature", None), "header.learned.temperature is None"),
    (C, put(OWN, "units", {"x": "../../x"}), r"header.learned.units.x is '../../x'"),
    (C, lost("network."), "The file lacks network.* a weight of its network"),
    (C, lost("0/x/centre"), "centre is missing"),
    (C, array("network.more", np.ones(2)), "has 'network.more', which its network has not"),
    (C, array("../../etc/passwd", np.ones(2)), "an array '../../etc/passwd' that nothing needs"),
    (C, array("0/x/centre", np.ones((2, 2))), "centre has shape .2, 2., but it must have 1 axes"),
    (C, array("0/x/centre", np.ones(3)), "centre.* must be|there must be 2 in its first axis"),
    (C, array("0/x/sort", NAN2), "sort is an array of float64, but it must be of int64"),
    (F, put(PARS, "hidden_size", HUGE), "header.parameters.hidden_size is 1000000000000"),
    (F, put(PARS, "num_layers", 10**7), "header.parameters.num_layers is 10000000"),
    (F, put(PARS, "columns", {"id": 1}), "header.parameters.columns.id is 1"),
    (F, put("backend", "os"), "header.backend is 'os', but it must be one of 'pandas'"),
    (F, put("engine", "local", "lags", 0, HUGE), "'recent' is of float64 with shape"),
    (F, put("engine", "local", "lags", []), "header.engine.local.lags must be whole numbers"),
    (F, put("engine", "local", "lags", [0]), "header.engine.local.lags must be whole numbers"),
    (F, put("engine", "calendar", ["../x"]), "header.engine.calendar has '../x'"),
    (F, put("engine", "encoder", {"os": {}}), "a key of header.engine.encoder is 'os'"),
    (F, put("state", "ids", []), "header.state.ids is empty"),
    (F, put("state", "ids", ["a"] * 5), "static.shop has 2 rows for 5 series"),
    (F, put("state", "clock", "zone", "../../etc/passwd"), "clock.zone is .* no time zone"),
    (F, put("state", "clock", "zone", "dateutil//etc/passwd"), "clock.zone is .* no time zone"),
    (F, put("state", "clock", "zone", "/etc/passwd"), "clock.zone is .* no time zone"),
    (F, put("state", "clock", "unit", "object"), "clock.unit is 'object', which is no unit"),
    (F, put("state", "text", "past.wind", ["a"]), "past.wind has 1 rows for 2 series"),
    (F, lost("layer.0"), "lacks the array 'layer.0'"),
    (F, array("times", NAN2), "'times' is of float64 with shape .2,., but must be int64"),
    (L, put(OWN, "vocabulary", ["a"]), "has 1 tokens, but its network has 8"),
    (L, put(NET, "vocabulary", HUGE), "header.network.vocabulary is 1000000000000"),
    (L, put(NET, "silent", [-1]), r"header.network.silent\[0\] is -1"),
    (T, put(OWN, "rate", -1), "header.learned.rate is -1, but it must be positive"),
    (T, put(NET, "stride", HUGE), "header.network.stride is 1000000000000"),
    (S, put(OWN, "form", "../../x"), "header.learned.form is"),
    ("AnomalyDetector", put(OWN, "ranges", "low", [1]), "has 1 channels in low, but its"),
    ("Regressor", put(OWN, "spread", []), "has 0 targets with a scale, but its network has 1"),
    ("MultiTask", put(OWN, "answers", 0, 1, {"classes": ["a"]}), "has 1 classes of way"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "words"), HOSTILE)
def test_a_hostile_header_is_refused_quickly_and_said_why(tmp_path, name, change, words):
    header, arrays = golden(name)
    change(header, arrays)
    with_any_number(tmp_path / "m", header, arrays)
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(FileError, match=words) as caught:
        recurra.load(tmp_path / "m")
    taken, (_, peak) = time.perf_counter() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(str(caught.value)) < 1500
    assert peak < 30e6
    assert taken < 5


def with_any_number(path, header, arrays):
    """Write a header even if it holds numbers that Python writes only if told to."""
    try:
        write_model(path, header, arrays)
    except ValueError:
        size, header["parameters"]["hidden_size"] = header["parameters"]["hidden_size"], 9081726354
        digits = f"1{'0' * 5000}"
        assert size == 10**5000
        write_text(path, json.dumps(header).replace("9081726354", digits), arrays)


def write_text(path, text, arrays):
    """Write any text as the header of a file whose hash is right."""
    real = json.dumps
    try:
        model_file.json.dumps = lambda header, **how: text
        write_model(path, {}, arrays)
    finally:
        model_file.json.dumps = real


TEXTS = {
    "a key twice": ('{"schema": 1, "schema": 2}', "the key 'schema' is there twice"),
    "NaN": ('{"a": NaN}', "NaN is no number in JSON"),
    "infinity": ('{"a": -Infinity}', "-Infinity is no number in JSON"),
    "a number too large": ('{"a": 1e999}', "1e999 is too large"),
    "a hundred thousand brackets": ("[" * 100_000 + "]" * 100_000, "too deep"),
    "a hundred thousand objects": ('{"a":' * 100_000 + "1" + "}" * 100_000, "too deep"),
    "a list": ("[1]", "its header is a list, not an object"),
    "a text": ('"Classifier"', "its header is a str, not an object"),
    "nothing": ("", "damaged: Expecting value"),
    "half": ('{"estimator": "Class', "damaged: Unterminated"),
    "code": ("__import__('os').system('ls')", "damaged: Expecting value"),
    "a comment": ('{"a": 1} // x', "damaged: Extra data"),
    "pickle": ("cos\nsystem\n(S'ls'\ntR.", "damaged: Expecting value"),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_a_header_that_is_no_plain_json_is_refused(tmp_path, kind):
    text, words = TEXTS[kind]
    write_text(tmp_path / "m", text, {"a": np.ones(2)})
    with pytest.raises(FileError, match=words):
        recurra.load(tmp_path / "m")


def sealed(outer, body=b""):
    """Write the container by hand, with the right hash."""
    metadata = {"format": model_file.FORMAT, "header": "{}", "sha256": model_file.BLANK}
    text = outer if isinstance(outer, bytes) else json.dumps(
        {"__metadata__": metadata, **outer}, separators=(",", ":")
    ).encode()  # fmt: skip
    content = bytearray(struct.pack("<Q", len(text)) + text + body)
    digest = model_file.hashlib.sha256(content).hexdigest().encode()
    return bytes(content.replace(model_file.BLANK.encode(), digest))


def tensor(kind="F64", shape=(2,), offsets=(0, 16)):
    return {"dtype": kind, "shape": list(shape), "data_offsets": list(offsets)}


CONTAINERS = {
    "fewer bytes": ({"a": tensor()}, b"\0" * 8, "another size than its bytes"),
    "more bytes": ({"a": tensor()}, b"\0" * 24, "damaged"),
    "huge": ({"a": tensor(shape=(HUGE, HUGE))}, b"\0" * 16, "another size than its bytes"),
    "overflowing": ({"a": tensor(shape=(2**63, 2, 2**63))}, b"\0" * 16, "another size"),
    "negative": ({"a": tensor(shape=(-2, -1))}, b"\0" * 16, "a size that is none"),
    "a flag as size": ({"a": tensor(shape=(True, 2))}, b"\0" * 16, "a size that is none"),
    "a text as size": ({"a": tensor(shape=("2",))}, b"\0" * 16, "a size that is none"),
    "forty axes": ({"a": tensor(shape=(1,) * 39 + (2,))}, b"\0" * 16, "a size that is none"),
    "overlapping": ({"a": tensor(), "b": tensor()}, b"\0" * 16, "damaged"),
    "with a hole": ({"a": tensor(), "b": tensor(offsets=(24, 40))}, b"\0" * 40, "damaged"),
    "backwards": ({"a": tensor(offsets=(16, 0))}, b"\0" * 16, "another size"),
    "complex": ({"a": tensor(kind="C64")}, b"\0" * 16, "type 'C64', which is not known"),
    "objects": ({"a": tensor(kind="O")}, b"\0" * 16, "type 'O', which is not known"),
    "a list as type": ({"a": tensor(kind=["F64"])}, b"\0" * 16, "which is not known"),
    "flags of two": ({"a": tensor(kind="BOOL", offsets=(0, 2))}, b"\2\1", "neither 0 nor 1"),
    "no tensor": ({"a": "tensor"}, b"", "is not described as one"),
    "more than a tensor": ({"a": {**tensor(), "file": "/etc/passwd"}}, b"\0" * 16, "described"),
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_hostile_container_is_refused(tmp_path, kind):
    outer, body, words = CONTAINERS[kind]
    (tmp_path / "m").write_bytes(sealed(outer, body))
    with pytest.raises(FileError, match=words):
        recurra.load(tmp_path / "m")


def test_the_container_made_by_hand_is_a_good_one(tmp_path):
    (tmp_path / "m").write_bytes(sealed({"a": tensor()}, np.arange(2.0).tobytes()))
    assert read_model(tmp_path / "m")[1]["a"].tolist() == [0, 1]


@pytest.mark.parametrize("size", [0, 1, 2**31, 2**63, 2**64 - 1])
def test_a_length_that_cannot_be_is_refused(tmp_path, size):
    (tmp_path / "m").write_bytes(struct.pack("<Q", size) + b"{}" * 50)
    with pytest.raises(FileError, match="not a model file"):
        recurra.load(tmp_path / "m")


@pytest.mark.parametrize("found", ["recurra/2", "recurra/12"])
def test_a_newer_format_is_refused_with_advice(tmp_path, monkeypatch, found):
    monkeypatch.setattr(model_file, "FORMAT", found)
    write_model(tmp_path / "m", {}, {"a": np.ones(1)})
    monkeypatch.undo()
    with pytest.raises(FileError, match=f"{found}', which is newer: .* --upgrade recurra"):
        read_model(tmp_path / "m")


@pytest.mark.parametrize("name", CLASSES)
def test_every_missing_part_of_every_file_is_noticed(tmp_path, name):
    header, arrays = golden(name)
    for key in header:
        less = {k: v for k, v in header.items() if k != key}
        write_model(tmp_path / "m", less, arrays)
        with pytest.raises(FileError):
            recurra.load(tmp_path / "m")
    for key in arrays:
        less = {k: v for k, v in arrays.items() if k != key}
        write_model(tmp_path / "m", header, less)
        with pytest.raises(FileError):
            recurra.load(tmp_path / "m")
        write_model(tmp_path / "m", header, {**arrays, key: arrays[key][None]})
        with pytest.raises(FileError):
            recurra.load(tmp_path / "m")


def test_columns_keep_their_order(tmp_path):
    header, arrays = golden("Forecaster")
    write_model(tmp_path / "m", header, arrays)
    assert list(read_model(tmp_path / "m")[0]) == list(header)
