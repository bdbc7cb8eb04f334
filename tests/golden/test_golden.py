"""The files of every release, and of the version to come, give the answers they gave."""

import importlib.util
import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

import recurra
from recurra.testing.answers import apart

HOME = Path(__file__).parent
MODELS = sorted(HOME.glob("*/*.recurra"))
LAYERS = sorted(HOME.glob("*/*.layer"))
CLOSE = 1e-5  # another instruction set adds up in another order


def writer():
    found = importlib.util.spec_from_file_location("write", HOME / "write.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def name(path):
    return f"{path.parent.name}-{path.stem}"


@pytest.mark.parametrize("path", MODELS, ids=name)
def test_a_saved_model_of_any_version_answers_as_it_did(path):
    told = json.loads(path.with_suffix(".json").read_text())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = writer().asked(recurra.load(path), told)
    assert apart(found, told["answers"]) < CLOSE


@pytest.mark.parametrize("path", LAYERS, ids=name)
def test_a_saved_layer_of_any_version_says_what_it_said(path):
    told = np.array(json.loads(Path(f"{path}.json").read_text()))
    x = torch.linspace(-1, 1, 8).reshape(1, 4, 2)
    with torch.no_grad():
        assert np.allclose(recurra.layers.load(path).eval()(x)[0].numpy(), told, atol=1e-6)
    if path.stem in ("LSTM", "RNN", "Jordan"):
        found = recurra.runtime.load(path).run(x.numpy())[0]
        assert np.allclose(found, told, atol=1e-6)


def test_there_is_a_small_file_of_every_class():
    classes = set(recurra.estimators.loading.CLASSES)
    for folder in {path.parent for path in MODELS}:
        assert {path.stem for path in folder.glob("*.recurra")} == classes
        assert {path.stem for path in folder.glob("*.layer")} == set(recurra.layers.loading.CLASSES)
        assert all(path.stat().st_size < 60_000 for path in folder.iterdir())
