"""Keras 3 on JAX: `keras.layers.SimpleRNN`, `LSTM` and `GRU` under `jit`.

Called through `stateless_call`, as Keras's own trainer does on JAX. Records of differing length
are told by `mask`.
"""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "jax"

# isort: split
from typing import Any

import jax
import keras
import numpy as np
from jax import numpy as jnp
from shared import Arrays, Call, Case, Results, gate_order, serve

LAYERS = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}
GRU_ORDER = (1, 0, 2)


def make_layer(case: Case, arrays: Arrays) -> Any:
    """The layer with torch's weights in Keras's order: GRU reads z, r, n; the rest agree."""
    _, time, inputs, hidden = case.shape
    layer = LAYERS[case.cell](hidden, return_sequences=True, return_state=True)
    layer.build((None, time, inputs))
    w_ih, w_hh, b_ih, b_hh = (
        gate_order(arrays[name], GRU_ORDER) if case.cell == "gru" else arrays[name]
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    biases = np.stack([b_ih, b_hh]) if case.cell == "gru" else b_ih + b_hh
    layer.set_weights([w_ih.T, w_hh.T, biases])
    return layer


def torch_gradients(case: Case, grads: Any) -> Arrays:
    """Gradients in torch's order; a single bias has the gradient of either of torch's two."""
    w_ih, w_hh, bias = (np.asarray(grad) for grad in grads)
    found = {"weight_ih": w_ih.T, "weight_hh": w_hh.T, "bias_ih": bias}
    if case.cell == "gru":
        found |= {"bias_ih": bias[0], "bias_hh": bias[1]}
        found = {name: gate_order(grad, GRU_ORDER) for name, grad in found.items()}
    return found


def make_functions(layer: Any) -> tuple[Any, Any]:
    """The compiled forward pass, and the compiled gradients with it."""
    fixed = [variable.value for variable in layer.non_trainable_variables]

    def forward(weights: Any, x: Any, state: Any, mask: Any) -> Any:
        found, _ = layer.stateless_call(weights, fixed, x, initial_state=state, mask=mask)
        return found[0], list(found[1:])

    def loss(weights: Any, x: Any, state: Any, mask: Any, gradient: Any) -> Any:
        output, last = forward(weights, x, state, mask)
        return (output * gradient).sum(), (output, last)

    return jax.jit(forward), jax.jit(jax.value_and_grad(loss, has_aux=True))


def build(case: Case, arrays: Arrays) -> tuple[Call, Results]:
    layer = make_layer(case, arrays)
    infer, train = make_functions(layer)
    weights = [variable.value for variable in layer.trainable_variables]
    letters = "hc" if case.cell == "lstm" else "h"
    state = [jnp.asarray(arrays[letter]) for letter in letters] if case.is_step else None
    x, gradient = (jnp.asarray(arrays[n].swapaxes(0, 1)) for n in ("x", "gradient"))
    real = np.arange(case.shape[1]) < arrays["lengths"][:, None]
    mask = jnp.asarray(real) if case.ragged else None

    def run() -> Any:
        nonlocal state
        if case.training:
            (_, found), grads = jax.block_until_ready(train(weights, x, state, mask, gradient))
            return found, grads
        found = jax.block_until_ready(infer(weights, x, state, mask))
        if case.is_step:
            state = found[1]
        return found, None

    def results() -> Arrays:
        (output, last), grads = run()
        found = dict(zip(letters, map(np.asarray, last), strict=True))
        found["output"] = np.asarray(output).swapaxes(0, 1)
        return found | (torch_gradients(case, grads) if case.training else {})

    return run, results


if __name__ == "__main__":
    serve(build, {"keras": keras.__version__, "jax": jax.__version__})
