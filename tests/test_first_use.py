import sys
from importlib import import_module
from pkgutil import iter_modules
from subprocess import run

import pytest

import recurra
from recurra.first_use import names_of

ROOMS = (
    "recurra",
    "recurra.data",
    "recurra.data.batching",
    "recurra.data.treatments",
    "recurra.estimators",
)
FIT = """
import sys
import numpy as np
import recurra as rc
x = np.random.default_rng(0).normal(size=(40, 6, 2))
training = rc.Training(steps=2, progress=False)
model = rc.Regressor(hidden_size=4, validation=0, training=training).fit(x, x[:, -1, 0])
model.predict(x), model.report(), repr(model), model.get_params()
strangers = {"pandas", "scipy", "sklearn", "narwhals", "joblib", "pyarrow"}
sys.exit(", ".join(strangers & {*sys.modules}) or 0)
"""


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_of_a_room_is_there(room):
    module = import_module(room)
    assert all(hasattr(module, name) for name in module.__all__)
    assert {*module.__all__} <= {*dir(module)}


@pytest.mark.parametrize("room", ROOMS)
def test_no_name_of_a_room_is_also_a_module_of_it_which_would_take_its_place(room):
    module = import_module(room)
    modules = {each.name for each in iter_modules(module.__path__)}
    rooms = {name for name in module.__all__ if not module._HOMES[name]}
    assert not (modules & {*module.__all__}) - rooms


@pytest.mark.parametrize("room", ROOMS)
def test_type_checkers_are_told_of_every_name(room):
    module = import_module(room)
    with open(module.__file__) as file:
        told = file.read().partition("\n_HOMES")[0]
    for name in module.__all__:
        assert f" {name}\n" in told or f" {name}," in told or f", {name}\n" in told, name


def test_a_name_that_is_not_there_is_named():
    getter, _ = names_of("recurra", {})
    with pytest.raises(AttributeError, match="module 'recurra' has no attribute 'Regresor'"):
        getter("Regresor")
    assert not hasattr(recurra, "Regresor")


def test_a_first_fit_on_arrays_imports_neither_pandas_nor_scipy_nor_scikit_learn():
    done = run([sys.executable, "-c", FIT], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
