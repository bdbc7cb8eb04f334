"""Plain JAX: a hand-written cell under `lax.scan`, all of it under `jit`.

Written the way that came out fastest under XLA: weights transposed outside the scan; the product
with the input one for all steps for a single record, step by step for a batch, which XLA then
fuses (up to four times faster than outside). XLA takes its number of threads from the CPUs that
this process may use.
"""

from __future__ import annotations

from typing import Any

import jax
import jaxlib
import numpy as np
from jax import numpy as jnp
from shared import WEIGHTS, Arrays, Call, Case, Results, serve


def rnn(u: Any, state: Any, w: Any, b: Any) -> Any:
    return (jnp.tanh(u + state[0] @ w + b),)


def lstm(u: Any, state: Any, w: Any, b: Any) -> Any:
    h, c = state
    i, f, g, o = jnp.split(u + h @ w + b, 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def gru(u: Any, state: Any, w: Any, b: Any) -> Any:
    (h,) = state
    u_r, u_z, u_n = jnp.split(u, 3, axis=-1)
    v_r, v_z, v_n = jnp.split(h @ w + b, 3, axis=-1)
    z = jax.nn.sigmoid(u_z + v_z)
    n = jnp.tanh(u_n + jax.nn.sigmoid(u_r + v_r) * v_n)
    return (n + z * (h - n),)


STEPS = {"rnn": rnn, "lstm": lstm, "gru": gru}


def make_forward(case: Case) -> Any:
    step, at_once = STEPS[case.cell], case.shape[0] == 1

    def forward(weights: Any, x: Any, state: Any, mask: Any) -> Any:
        w_ih, w_hh = weights["weight_ih"].T, weights["weight_hh"].T

        def read(values: Any) -> Any:
            return values @ w_ih + weights["bias_ih"]

        def body(before: Any, now: Any) -> Any:
            values, real = now
            u = values if at_once else read(values)
            after = step(u, before, w_hh, weights["bias_hh"])
            if case.ragged:
                pairs = zip(after, before, strict=True)
                after = tuple(jnp.where(real[:, None], new, old) for new, old in pairs)
            return after, after[0]

        last, output = jax.lax.scan(body, state, (read(x) if at_once else x, mask))
        return output, last

    return forward


def build(case: Case, arrays: Arrays) -> tuple[Call, Results]:
    weights = {name: jnp.asarray(arrays[name]) for name in WEIGHTS}
    letters = "hc" if case.cell == "lstm" else "h"
    state = tuple(jnp.asarray(arrays[letter]) for letter in letters)
    mask = jnp.asarray(np.arange(case.shape[1])[:, None] < arrays["lengths"])
    x, gradient = jnp.asarray(arrays["x"]), jnp.asarray(arrays["gradient"])
    forward = make_forward(case)

    def loss(weights: Any, x: Any, state: Any, mask: Any, gradient: Any) -> Any:
        output, last = forward(weights, x, state, mask)
        return (output * gradient).sum(), (output, last)

    infer = jax.jit(forward)
    train = jax.jit(jax.value_and_grad(loss, has_aux=True))

    def run() -> Any:
        nonlocal state
        if case.training:
            (_, found), grads = jax.block_until_ready(train(weights, x, state, mask, gradient))
            return found, grads
        found = jax.block_until_ready(infer(weights, x, state, mask))
        if case.is_step:
            state = found[1]
        return found, {}

    def results() -> Arrays:
        (output, last), grads = run()
        states = dict(zip(letters, last, strict=True))
        return {name: np.asarray(a) for name, a in ({"output": output} | states | grads).items()}

    return run, results


if __name__ == "__main__":
    serve(build, {"jax": jax.__version__, "jaxlib": jaxlib.__version__})
