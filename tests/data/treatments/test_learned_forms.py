"""What a file says that a treatment learned is checked; every treatment has its form."""

import numpy as np
import pytest

from recurra.data import treatments
from recurra.data.treatments import StreamTreatment, Treatment
from recurra.data.treatments.learned_forms import FORMS, check_learned
from recurra.errors import FileError


def test_every_treatment_has_a_form():
    exported = [getattr(treatments, name) for name in treatments.__all__]
    kinds = {each.__name__ for each in exported if isinstance(each, type)}
    abstract = {StreamTreatment.__name__, Treatment.__name__, "Preprocessor"}
    assert set(FORMS) == kinds - abstract


@pytest.mark.parametrize(
    ("learned", "words"),
    [
        ({"x/channels": ["a"]}, "x/gappy is missing"),
        ({"x/channels": "a", "x/gappy": np.ones(1, bool)}, "channels is 'a', .* a list"),
        ({"x/channels": ["a"], "x/gappy": [True]}, "must be an array of bool"),
        ({"x/channels": ["a"], "x/gappy": np.ones(1)}, "of float64, but it must be of bool"),
        ({"x/channels": ["a"], "x/gappy": np.ones((1, 1), bool)}, "must have 1 axes"),
        ({"x/channels": ["a"], "x/gappy": np.ones(1, bool), "x/run": 1}, "x/run is not known"),
    ],
)
def test_what_it_cannot_have_learned_is_refused(learned, words):
    with pytest.raises(FileError, match=words):
        check_learned("Indicators", learned, "here")
