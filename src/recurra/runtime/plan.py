"""What a file says of a stack: its cell, its sizes, its options, and the weights it must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from recurra.artifact import take
from recurra.errors import FileError
from recurra.types import Array

__all__ = ["Plan", "Weights", "read_plan"]

# Arguments of a layer that act in training only, or before it.
_PAST = ("dropout", "recurrent_dropout", "initialisation", "forget_bias", "recompute")
_SAME = (
    "input_size", "hidden_size", "num_layers", "bias", "batch_first", "learn_initial_state",
    "output_size", "zoneout", "zoneout_cell", "layer_norm", "peephole", "coupled", "heads",
)  # fmt: skip
_RENAMED = {"nonlinearity": "activation", "output_nonlinearity": "output_activation"}
_GATES = {"RNN": 1, "Jordan": 1, "GRU": 3, "LSTM": 4}
_ACTIVATIONS = ("tanh", "relu", "sigmoid", "identity")
_LETTERS = {"LSTM": ("h", "c"), "Jordan": ("y",)}


class Weights(NamedTuple):
    """The weights of one layer, under the names and in the layout that torch gives them.

    ``gates`` is 1 for RNN and Jordan, 3 for GRU (r, z, n), 4 for LSTM (i, f, g, o) or 3 if its
    gates are coupled (f, g, o); ``outputs`` is what is fed back: ``hidden`` without a projection.

    Parameters
    ----------
    weight_ih : ndarray, shape (gates·hidden, inputs)
        Input to hidden.
    weight_hh : ndarray, shape (gates·hidden, outputs / heads)
        What is fed back to hidden.
    bias_ih, bias_hh : ndarray, shape (gates·hidden,), optional
        Of both.
    weight_hr : ndarray, shape (outputs, hidden), optional
        The projection of an LSTM.
    weight_ho, bias_ho : ndarray, shapes (outputs, hidden) and (outputs,), optional
        Jordan's map from hidden to output.
    weight_ch : ndarray, shape (gates - 1, hidden), optional
        The peepholes of an LSTM.
    gain_ih, gain_hh : ndarray, shape (gates·hidden,), optional
        Of the layer norms of what is fed in and back.
    gain_c, bias_c : ndarray, shape (hidden,), optional
        Of the layer norm of an LSTM's c.
    """

    weight_ih: Array
    weight_hh: Array
    bias_ih: Array | None = None
    bias_hh: Array | None = None
    weight_hr: Array | None = None
    weight_ho: Array | None = None
    bias_ho: Array | None = None
    weight_ch: Array | None = None
    gain_ih: Array | None = None
    gain_hh: Array | None = None
    gain_c: Array | None = None
    bias_c: Array | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What stays the same from step to step; the arguments of the layer that was saved.

    Parameters
    ----------
    layer : {"RNN", "LSTM", "GRU", "Jordan"}
        The class in `recurra.layers`.
    input_size, hidden_size, output_size : int
        Width of the input, of the hidden layers and of the output.
    num_layers : int, default 1
        Layers on layers.
    bias, batch_first, learn_initial_state : bool
        As the layer's.
    activation, output_activation : str
        Of RNN and Jordan.
    zoneout, zoneout_cell : float
        Share of the former state that is kept: the expectation of what chance did in training.
    layer_norm, peephole, coupled : bool
        As the layer's.
    heads : int, default 1
        Groups of units that feed back within themselves only.

    Examples
    --------
    >>> Plan(layer="GRU", input_size=3, hidden_size=4, output_size=4, bias=False).shapes(0)
    {'weight_ih': (12, 3), 'weight_hh': (12, 4)}
    """

    layer: str
    input_size: int
    hidden_size: int
    output_size: int
    num_layers: int = 1
    bias: bool = True
    batch_first: bool = False
    learn_initial_state: bool = False
    activation: str = "tanh"
    output_activation: str = "identity"
    zoneout: float = 0.0
    zoneout_cell: float = 0.0
    layer_norm: bool = False
    peephole: bool = False
    coupled: bool = False
    heads: int = 1

    @property
    def gates(self) -> int:
        """Rows of ``weight_ih`` for each hidden unit."""
        return _GATES[self.layer] - self.coupled

    @property
    def letters(self) -> tuple[str, ...]:
        """One letter for each array of the state."""
        return _LETTERS.get(self.layer, ("h",))

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """Width of each array of the state; the first is also the output's."""
        return (self.output_size, self.hidden_size)[: len(self.letters)]

    @property
    def projected(self) -> bool:
        """Whether an LSTM projects its h."""
        return self.layer == "LSTM" and self.output_size != self.hidden_size

    def shapes(self, layer: int) -> dict[str, tuple[int, ...]]:
        """Shapes of one layer's weights, by field of `Weights`.

        Parameters
        ----------
        layer : int
            Which layer, from 0.

        Returns
        -------
        dict of str to tuple of int
            Of each weight that it has.
        """
        rows, hidden, outputs = self.gates * self.hidden_size, self.hidden_size, self.output_size
        inputs, lstm = (outputs if layer else self.input_size), self.layer == "LSTM"
        jordan, norm, bias = self.layer == "Jordan", self.layer_norm, self.bias
        every: dict[str, tuple[bool, tuple[int, ...]]] = {
            "weight_ih": (True, (rows, inputs)),
            "weight_hh": (True, (rows, outputs // self.heads)),
            "bias_ih": (bias, (rows,)),
            "bias_hh": (bias, (rows,)),
            "weight_hr": (self.projected, (outputs, hidden)),
            "weight_ho": (jordan, (outputs, hidden)),
            "bias_ho": (jordan and bias, (outputs,)),
            "weight_ch": (self.peephole, (self.gates - 1, hidden)),
            "gain_ih": (norm, (rows,)),
            "gain_hh": (norm, (rows,)),
            "gain_c": (norm and lstm, (hidden,)),
            "bias_c": (norm and lstm and bias, (hidden,)),
        }
        return {field: shape for field, (held, shape) in every.items() if held}


def read_plan(layer: object, arguments: Mapping[str, Any]) -> Plan:
    """Understand the arguments of a saved layer.

    Parameters
    ----------
    layer : object
        The name of its class.
    arguments : mapping of str to object
        What its constructor was given.

    Returns
    -------
    Plan
        Checked: every size is positive and every name known.

    Raises
    ------
    FileError
        If the runtime does not know the layer or an option of it, or it reads both ways.

    Examples
    --------
    >>> read_plan("LSTM", {"input_size": 3, "hidden_size": 8, "proj_size": 2}).state_sizes
    (2, 8)
    """
    if not isinstance(layer, str) or layer not in _GATES:
        known = ", ".join(_GATES)
        raise FileError(f"The file holds a layer {layer!r}, but the runtime knows {known}.")
    if arguments.get("bidirectional"):
        raise FileError(
            f"The file holds a bidirectional {layer}, but the runtime goes forward only: a way "
            "back begins at the end. Use recurra.layers.load, or train with bidirectional=False."
        )
    read = {name: arguments[name] for name in _SAME if name in arguments}
    read |= {new: arguments[old] for old, new in _RENAMED.items() if old in arguments}
    read.setdefault("output_size", arguments.get("proj_size") or arguments.get("hidden_size"))
    plain = ("bidirectional", "proj_size")
    strange = [one for one in arguments if one not in (*_SAME, *_RENAMED, *_PAST, *plain)]
    if strange:
        raise FileError(
            f"The saved {layer} has {strange[0]}={arguments[strange[0]]!r}, which this version "
            "does not know. Install the version that wrote the file."
        )
    needed = ("input_size", "hidden_size", "output_size")
    lacking = [name for name in needed if read.get(name) is None]
    if lacking:
        raise FileError(f"The header of the saved {layer} lacks what a layer needs: {lacking[0]}.")
    plan: Plan = take(Plan, {"layer": layer, **read}, f"The saved {layer}'s header")
    _check(plan)
    return plan


def _check(plan: Plan) -> None:
    for name in ("input_size", "hidden_size", "output_size", "num_layers", "heads"):
        value = getattr(plan, name)
        if type(value) is not int or value < 1:
            raise FileError(f"The saved {plan.layer} has {name}={value!r}: no size.")
    for name in ("activation", "output_activation"):
        value = getattr(plan, name)
        if value not in _ACTIVATIONS:
            raise FileError(f"The saved {plan.layer} has {name}={value!r}, which is not known.")
