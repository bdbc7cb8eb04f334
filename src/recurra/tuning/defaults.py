"""Which parameters matter, and how far they are worth going: a space for each class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recurra.errors import OptionError, near
from recurra.tuning.space import Choice, Real, Space, Whole

__all__ = ["default_space"]

LAYER = Choice(("gru", "lstm"))
DEPTH = Whole(1, 2)
BOTH = Choice((False, True))


def _rate(low: float, high: float) -> dict[str, Real]:
    """How fast to learn, and how much weights decay: what matters most, in every class."""
    decay = Real(1e-4, 1e-1, log=True)
    return {"training.learning_rate": Real(low, high, log=True), "training.weight_decay": decay}


POOLING = Choice((("last", "mean", "max"), ("last",), ("mean", "max"), ("attention",)))
RECORDS: Space = {
    "layer": LAYER,
    "hidden_size": Whole(24, 192, log=True),
    "num_layers": DEPTH,
    "bidirectional": BOTH,
    "pooling": POOLING,
    "input_dropout": Real(0.0, 0.3),
    "dropout": Real(0.0, 0.6),
    **_rate(5e-4, 1e-2),
}
SPACES: Mapping[str, Space] = {
    "Classifier": RECORDS,
    "Regressor": RECORDS,
    "MultiTask": RECORDS,
    "Tagger": {
        "layer": LAYER,
        "hidden_size": Whole(48, 256, log=True),
        "num_layers": DEPTH,
        "bidirectional": BOTH,
        "crf": BOTH,
        "dropout": Real(0.1, 0.6),
        **_rate(1e-3, 2e-2),
    },
    "LanguageModel": {
        "layer": LAYER,
        "hidden_size": Whole(96, 768, log=True),
        "num_layers": DEPTH,
        "dropout": Real(0.0, 0.6),
        "weight_dropout": Real(0.0, 0.6),
        **_rate(1e-3, 2e-2),
    },
    "Transcriber": {
        "layer": LAYER,
        "hidden_size": Whole(64, 256, log=True),
        "num_layers": Whole(1, 3),
        "bidirectional": BOTH,
        "dropout": Real(0.0, 0.5),
        **_rate(5e-4, 1e-2),
    },
    "SequenceToSequence": {
        "layer": LAYER,
        "hidden_size": Whole(64, 256, log=True),
        "attention": Choice(("dot", "additive")),
        "dropout": Real(0.0, 0.5),
        "label_smoothing": Real(0.0, 0.2),
        **_rate(5e-4, 1e-2),
    },
    "NextStep": {
        "layer": LAYER,
        "hidden_size": Whole(64, 512, log=True),
        "input_dropout": Real(0.0, 0.4),
        "dropout": Real(0.0, 0.6),
        "recurrent_dropout": Real(0.0, 0.5),
        **_rate(1e-3, 1e-2),
    },
    "AnomalyDetector": {
        "layer": LAYER,
        "hidden_size": Whole(8, 64, log=True),
        "dropout": Real(0.0, 0.5),
        **_rate(1e-3, 2e-2),
    },
    "Forecaster": {
        "layer": LAYER,
        "hidden_size": Whole(24, 192, log=True),
        "num_layers": DEPTH,
        "dropout": Real(0.0, 0.4),
        "context": Whole(16, 128, log=True),
        **_rate(2e-3, 3e-2),
    },
}
FIXED_BY_DECAY = ("layer", "num_layers", "bidirectional")


def default_space(estimator: Any, *, offline: bool = True) -> dict[str, Choice | Whole | Real]:
    """Give the space that is searched where none is given.

    Parameters
    ----------
    estimator : estimator
        Of a class of `recurra.estimators`.
    offline : bool
        Whether records are whole when they are asked about. If not, it stays undecided by the
        search whether they are read from both ends, and the model can be fed step by step.

    Returns
    -------
    dict of str to Choice, Whole or Real
        Yours to change: ``{**default_space(model), "dropout": Real(0.0, 0.2)}``.

    Raises
    ------
    OptionError
        If there is none for the class.

    Examples
    --------
    >>> from recurra import AnomalyDetector
    >>> list(default_space(AnomalyDetector()))
    ['layer', 'hidden_size', 'dropout', 'training.learning_rate', 'training.weight_decay']
    """
    name = type(estimator).__name__
    if name not in SPACES:
        known = near(name, SPACES)
        raise OptionError(f"There is no usual space for a {name}. Give space={{...}}. {known}")
    space = dict(SPACES[name])
    if getattr(estimator, "layer", None) == "grud":  # reads forwards, in one layer
        space = {key: what for key, what in space.items() if key not in FIXED_BY_DECAY}
    if not offline:
        space.pop("bidirectional", None)
    return space
