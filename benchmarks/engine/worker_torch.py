"""Recurra's layers and torch.nn's, each in a process of its own: `worker_torch.py NAME THREADS`.

NAME is recurra, recurra-step (`layer.step`), torch, or compile (`torch.compile`).
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from typing import Any

import torch
from shared import WEIGHTS, Arrays, Call, CannotRunError, Case, Results, serve
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import recurra
from recurra import layers

NAME, THREADS = sys.argv[1], int(sys.argv[2])
TORCH = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
RECURRA = {"rnn": layers.RNN, "lstm": layers.LSTM, "gru": layers.GRU}
COMPILED_STEPS = 50
Forward = Callable[[Any], tuple[Tensor, Any]]


def build(case: Case, arrays: Arrays) -> tuple[Call, Results]:
    named = case.precision in ("high", "medium")
    torch.set_float32_matmul_precision(case.precision if named else "highest")
    torch.set_grad_enabled(case.training)
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    if case.precision == "float64":
        tensors = {n: t.double() if t.is_floating_point() else t for n, t in tensors.items()}
    kinds = RECURRA if NAME.startswith("recurra") else TORCH
    layer = kinds[case.cell](case.shape[2], case.shape[3], dtype=tensors["x"].dtype)
    layer.load_state_dict({f"{name}_l0": tensors[name] for name in WEIGHTS})
    layer.train(case.training)
    make = {"recurra-step": read_step, "compile": read_compiled}.get(NAME, read_all)
    forward = make(layer, case, tensors)
    if case.precision == "bfloat16":
        forward = autocast(forward)
    start = start_of(case, tensors)
    if case.training:
        run = train(layer, forward, start, tensors["gradient"])
    else:
        run = infer(forward, start, carry=case.is_step)
    return run, lambda: results(case, layer, run)


def read_all(layer: Any, case: Case, tensors: dict[str, Tensor]) -> Forward:
    """The layer over the whole input, as a user would call it."""
    x, lengths = tensors["x"], tensors["lengths"]
    if not case.ragged:
        return lambda state: layer(x, state)
    if NAME == "recurra":
        return lambda state: layer(x, state, lengths=lengths)

    def packed(state: Any) -> tuple[Tensor, Any]:
        y, after = layer(pack_padded_sequence(x, lengths, enforce_sorted=False), state)
        return pad_packed_sequence(y, total_length=x.shape[0])[0], after

    return packed


def read_step(layer: Any, case: Case, tensors: dict[str, Tensor]) -> Forward:
    if not case.is_step:
        raise CannotRunError("layer.step reads one step")
    x = tensors["x"][0]
    return lambda state: layer.step(x, state)


def read_compiled(layer: Any, case: Case, tensors: dict[str, Tensor]) -> Forward:
    """torch.compile, allowed to unroll the layer; by default it leaves it to eager torch."""
    if case.ragged:
        raise CannotRunError("not compiled over packed sequences")
    if case.shape[1] > COMPILED_STEPS:
        raise CannotRunError(f"unrolls every step: minutes to compile beyond {COMPILED_STEPS}")
    torch._dynamo.reset()
    torch._dynamo.config.allow_rnn = True
    function, x = torch.compile(layer), tensors["x"]
    return lambda state: function(x, state)


def autocast(forward: Forward) -> Forward:
    def lowered(state: Any) -> tuple[Tensor, Any]:
        with torch.autocast("cpu", torch.bfloat16):
            return forward(state)

    return lowered


def start_of(case: Case, tensors: dict[str, Tensor]) -> Any:
    """The state of one step that goes on; None, zeros to every layer, for whole records."""
    if not case.is_step:
        return None
    h, c = tensors["h"][None], tensors["c"][None]
    return (h, c) if case.cell == "lstm" else h


def infer(forward: Forward, start: Any, carry: bool) -> Callable[[], Any]:
    """One forward call; with `carry` each goes on from the state of the one before."""
    before = start

    def run() -> Any:
        nonlocal before
        y, state = forward(before)
        if carry:
            before = state
        return y, state

    return run


def train(layer: nn.Module, forward: Forward, start: Any, gradient: Tensor) -> Callable[[], Any]:
    """Forward and backward, to the gradients of weights and biases; the input needs none."""

    def run() -> Any:
        layer.zero_grad()
        y, state = forward(start)
        y.backward(gradient.to(y.dtype))
        return y, state

    return run


def results(case: Case, layer: nn.Module, run: Callable[[], Any]) -> Arrays:
    y, state = run()
    after = state if isinstance(state, tuple) else (state,)
    found = {"output": y.reshape(case.shape[1], case.shape[0], -1)}
    found |= {letter: part[0] for letter, part in zip("hc", after, strict=False)}
    if case.training:
        found |= {name: getattr(layer, f"{name}_l0").grad for name in WEIGHTS}
    return {name: tensor.detach().double().numpy() for name, tensor in found.items()}


def main() -> None:
    torch.set_num_threads(THREADS)
    torch.set_num_interop_threads(1)
    versions = {"torch": torch.__version__, "python": platform.python_version()}
    versions["capability"] = torch.backends.cpu.get_cpu_capability()
    if NAME.startswith("recurra"):
        versions["recurra"] = recurra.__version__
    serve(build, versions)


if __name__ == "__main__":
    main()
