"""The cells in plain NumPy, one step each: what runs where the compiled engine cannot.

The definitions are those of `recurra.kernels`, at rest: nothing is dropped, and zoneout is its
expectation. Arrays are ``(batch, …)``; a state is a tuple of arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from recurra.runtime.plan import Plan, Weights
from recurra.types import Array

__all__ = ["State", "fed_in", "step", "step_layers"]

State = tuple[Array, ...]


def step(plan: Plan, weights: Weights, projected: Array, state: State) -> State:
    """One step of one layer: the state after it, whose first array is also the output.

    Parameters
    ----------
    plan : Plan
        The plan.
    weights : Weights
        Of the layer.
    projected : ndarray, shape (batch, gates·hidden)
        What `fed_in` gives.
    state : tuple of ndarray, each (batch, size)
        Before the step.

    Returns
    -------
    tuple of ndarray, each (batch, size)
        After it; new arrays.

    Examples
    --------
    >>> plan = Plan(layer="GRU", input_size=1, hidden_size=1, output_size=1)
    >>> weights = Weights(np.ones((3, 1)), np.zeros((3, 1)))
    >>> step(plan, weights, np.zeros((1, 3)), (np.ones((1, 1)),))
    (array([[0.5]]),)
    """
    after = _CELLS[plan.layer](plan, weights, projected, state)
    kept = (plan.zoneout, plan.zoneout_cell)
    return tuple(
        share * old + (1 - share) * new if share else new
        for share, old, new in zip(kept, state, after, strict=False)
    )


def step_layers(plan: Plan, weights: Sequence[Weights], x_t: Array, state: State) -> Array:
    """One step of layers on layers.

    Parameters
    ----------
    plan : Plan
        The plan.
    weights : sequence of Weights
        One for each layer.
    x_t : ndarray, shape (batch, inputs)
        The input of this step.
    state : tuple of ndarray, each (layers, batch, size)
        Before the step; written over with the state after it.

    Returns
    -------
    ndarray, shape (batch, outputs)
        The output of the last layer; a new array.

    Examples
    --------
    >>> plan = Plan(layer="RNN", input_size=1, hidden_size=1, output_size=1, activation="relu")
    >>> weights, state = [Weights(np.ones((1, 1)), np.ones((1, 1)))], (np.ones((1, 1, 1)),)
    >>> step_layers(plan, weights, np.ones((1, 1)), state), state
    (array([[2.]]), (array([[[2.]]]),))
    """
    for k, one in enumerate(weights):
        before = tuple(part[k] for part in state)
        after = step(plan, one, fed_in(x_t, one), before)
        for here, new in zip(before, after, strict=True):
            here[...] = new
        x_t = after[0]
    return x_t


def fed_in(x: Array, weights: Weights) -> Array:
    """Compute what the input contributes to the gates, for any number of steps.

    Parameters
    ----------
    x : ndarray, shape (…, inputs)
        The input.
    weights : Weights
        Of the layer.

    Returns
    -------
    ndarray, shape (…, gates·hidden)
        ``W_ih x + b_ih``, the product normalised first if there is a layer norm.

    Examples
    --------
    >>> fed_in(np.ones((1, 2)), Weights(np.ones((1, 2)), np.ones((1, 1)), np.ones(1)))
    array([[3.]])
    """
    return _summed(x @ weights.weight_ih.T, weights.gain_ih, weights.bias_ih)


def _fed_back(h: Array, weights: Weights) -> Array:
    weight, width = weights.weight_hh, h.shape[-1]
    if weight.shape[1] == width:
        product = h @ weight.T
    else:
        heads = (width // weight.shape[1], weight.shape[1])
        blocks = weight.reshape(-1, *heads, heads[1])
        apart = np.einsum("gkij,bkj->bgki", blocks, h.reshape(-1, *heads))
        product = apart.reshape(len(h), len(weight))
    return _summed(product, weights.gain_hh, weights.bias_hh)


def _summed(product: Array, gain: Array | None, bias: Array | None) -> Array:
    if gain is not None:
        product = _normalised(product, gain)
    return product if bias is None else product + bias


def _normalised(x: Array, gain: Array) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    variance = np.square(centred).mean(-1, keepdims=True)
    return centred / np.sqrt(variance + 1e-5) * gain


def _sigmoid(x: Array) -> Array:
    return 0.5 * np.tanh(0.5 * x) + 0.5  # never overflows


_ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": _sigmoid,
    "identity": lambda x: x,
}


def _elman(plan: Plan, weights: Weights, projected: Array, state: State) -> State:
    return (_ACTIVATIONS[plan.activation](projected + _fed_back(state[0], weights)),)


def _jordan(plan: Plan, weights: Weights, projected: Array, state: State) -> State:
    assert weights.weight_ho is not None, "Jordan's weights hold weight_ho"
    h = _ACTIVATIONS[plan.activation](projected + _fed_back(state[0], weights))
    y = _summed(h @ weights.weight_ho.T, None, weights.bias_ho)
    return (_ACTIVATIONS[plan.output_activation](y),)


def _gru(plan: Plan, weights: Weights, projected: Array, state: State) -> State:  # noqa: ARG001
    (h,) = state
    r, z, n = np.split(projected, 3, axis=-1)
    hr, hz, hn = np.split(_fed_back(h, weights), 3, axis=-1)
    z = _sigmoid(z + hz)
    n = np.tanh(n + _sigmoid(r + hr) * hn)
    return ((1 - z) * n + z * h,)


def _lstm(plan: Plan, weights: Weights, projected: Array, state: State) -> State:
    (h, c), peepholes = state, weights.weight_ch
    gates = projected + _fed_back(h, weights)
    *i_f, g, o = np.split(gates, plan.gates, axis=-1)  # without i if it is coupled to f
    if peepholes is not None:
        i_f = [gate + p * c for gate, p in zip(i_f, peepholes[:-1], strict=True)]
    *i, f = (_sigmoid(gate) for gate in i_f)
    c = f * c + (i[0] if i else 1 - f) * np.tanh(g)
    if peepholes is not None:
        o = o + peepholes[-1] * c
    read = c if weights.gain_c is None else _summed(c, weights.gain_c, weights.bias_c)
    h = _sigmoid(o) * np.tanh(read)
    return (h if weights.weight_hr is None else h @ weights.weight_hr.T), c


_CELLS = {"RNN": _elman, "Jordan": _jordan, "GRU": _gru, "LSTM": _lstm}
