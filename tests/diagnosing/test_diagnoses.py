"""Diagnoses of several networks stand side by side, each by its name."""

import pytest

import recurra as rc
from recurra.diagnosing import Diagnoses
from recurra.errors import OptionError


@pytest.fixture(scope="module")
def found():
    X = [[float(k), 2.0, 1.0] for k in range(40)]
    models = [
        rc.Regressor(hidden_size=4, training=rc.Training(steps=steps, progress=False))
        for steps in (3, 30)
    ]
    each = [model.fit(X, range(40)).diagnose(X, range(40)) for model in models]
    return Diagnoses("Pair", {"short": each[0], "long": each[1]})


def test_they_are_a_mapping_in_order(found):
    assert [*found] == ["short", "long"]
    assert found["long"].measures.task == "Regressor"
    assert len(found) == 2
    with pytest.raises(OptionError, match="Did you mean 'short'"):
        found["shrot"]


def test_all_that_is_found_is_told_of_each(found):
    rows = found.to_frame()
    assert rows.columns[0] == "network"
    assert len(rows) == len(found.findings) == sum(len(each.findings) for each in found.values())
    assert found.healthy is (not found.illnesses)
    text = str(found)
    assert text.splitlines()[0] == repr(found).removeprefix("Diagnoses(").removesuffix(")")
    for name, each in found.items():
        assert f"{name}: " in text
        assert all(str(finding) in text for finding in each.findings)


def test_one_is_drawn(found):
    assert found.plot("long").get_suptitle().startswith("long: ")
    ill = [name for name, each in found.items() if not each.healthy]
    assert found.plot().get_suptitle().startswith((ill or ["short"])[0])
