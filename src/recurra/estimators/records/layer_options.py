"""The options of a recurrent layer that reads records, and how they reach the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recurra import layers
from recurra.errors import OptionError, check_count
from recurra.estimators.learning.options import check_choice, check_share

if TYPE_CHECKING:
    from recurra.data import SequenceDataset
    from recurra.models import SequenceNetwork

__all__ = ["DROPS", "LAYERS", "check_layer", "set_scales"]

LAYERS = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.RNN, "grud": layers.GRUD}
DROPS = ("input_dropout", "dropout", "recurrent_dropout", "channel_dropout")
"""Options of the layer, and of what it reads and says: each a probability."""


def check_layer(model: Any, both: bool) -> None:
    """Refuse a layer that there is not, impossible sizes, and what GRU-D cannot do.

    Parameters
    ----------
    model : estimator
        With the options of a layer.
    both : bool
        Whether it is told to read backwards, too.

    Raises
    ------
    OptionError
        If an option is impossible.
    """
    check_choice("layer", model.layer, LAYERS)
    for name in DROPS:
        check_share(name, getattr(model, name))
    for name in ("hidden_size", "num_layers", "encoder_size", "memory"):
        check_count(name, getattr(model, name), optional=name in ("encoder_size", "memory"))
    if model.layer == "grud" and (both or model.num_layers > 1):
        raise OptionError('layer="grud" reads once, forwards: num_layers=1, bidirectional=False.')


def set_scales(network: SequenceNetwork, treated: SequenceDataset, longest: int | None) -> None:
    """Tell layers that read times what a usual gap is, and gates how long a memory may be.

    Parameters
    ----------
    network : SequenceNetwork
        Not trained.
    treated : SequenceDataset
        What it is to learn from.
    longest : int, optional
        The longest dependency, in steps: all gates begin with memories of many lengths up to it.
    """
    for name, layer in zip(network.reads, network.layers, strict=True):
        gaps = treated.streams[name].gaps if name in treated.streams else np.zeros(0)
        if isinstance(layer, layers.GRUD) and (gaps > 0).any():
            layer.time_scale.fill_(float(np.median(gaps[gaps > 0])))
    if longest is None:
        return
    for each in network.modules():
        if isinstance(each, layers.LSTM | layers.GRU | layers.GRUD):
            layers.chrono(each, longest)
