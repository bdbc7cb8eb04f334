"""Take a recurrent stack out of a saved file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.artifact import read_model, take
from recurra.errors import FileError
from recurra.runtime.plan import Plan, Weights, read_plan
from recurra.runtime.stack import SavedStack

if TYPE_CHECKING:
    import os

    from recurra.types import Array

__all__ = ["load"]

# What a Forecaster calls its layers, and where its file keeps the weights of the layer.
_FORECASTERS = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN", "jordan": "Jordan"}
_PREFIX = "network.layer."


def load(path: str | os.PathLike[str]) -> SavedStack:
    """Load the recurrent stack of a saved file, without torch.

    Parameters
    ----------
    path : str or path-like
        What `recurra.layers.Recurrent.save` or `recurra.Forecaster.save` wrote. Of a forecaster
        only the recurrent stack is taken up: what encodes its inputs, its head and its intervals
        stay behind, and `recurra.load` has them.

    Returns
    -------
    SavedStack
        Gives what the layer gave when not training.

    Raises
    ------
    FileError
        If the file is missing, damaged, or holds no stack that the runtime knows.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import recurra.layers
    >>> with TemporaryDirectory() as folder:
    ...     recurra.layers.LSTM(3, 8).save(f"{folder}/lstm.recurra")
    ...     stack = load(f"{folder}/lstm.recurra")
    >>> stepper = stack.stepper(batch=1)
    >>> for x_t in np.ones((5, 1, 3), np.float32):
    ...     y_t = stepper.step(x_t)
    >>> y_t.shape
    (1, 8)
    """
    header, arrays = read_model(path)
    if "layer" in header:
        arguments = take(dict[str, Any], header.get("arguments", {}), "header.arguments")
        plan = read_plan(header["layer"], arguments)
    elif header.get("estimator") == "Forecaster":
        plan = _forecaster_plan(header.get("parameters"), arrays)
        cut = len(_PREFIX)
        arrays = {name[cut:]: one for name, one in arrays.items() if name.startswith(_PREFIX)}
    else:
        raise FileError(
            f"{path} holds no layer and no Forecaster. Give the path that a layer's save(), or a "
            "Forecaster's, was given."
        )
    if plan.num_layers > len(arrays):
        raise FileError(f"{path} has {plan.num_layers} layers, but only {len(arrays)} arrays.")
    wanted = _wanted(plan)
    _check(path, plan, wanted, arrays)
    weights = [
        Weights(**{field: arrays[f"{field}_l{k}"] for field in plan.shapes(k)})
        for k in range(plan.num_layers)
    ]
    initial = None
    if plan.learn_initial_state:
        initial = tuple(
            np.stack([arrays[f"initial_{letter}_l{k}"] for k in range(plan.num_layers)])
            for letter in plan.letters
        )
    return SavedStack(plan, weights, initial)


def _forecaster_plan(told: object, arrays: Mapping[str, Array]) -> Plan:
    parameters = take(dict[str, Any], told, "header.parameters")
    layer = _FORECASTERS.get(str(parameters.get("layer")))
    first = arrays.get(f"{_PREFIX}weight_ih_l0")
    if first is None or first.ndim != 2:
        raise FileError(f"The Forecaster's file holds no {_PREFIX}weight_ih_l0: it is damaged.")
    names = ("hidden_size", "num_layers")
    sizes = {name: take(int, parameters.get(name), f"header.parameters.{name}") for name in names}
    return read_plan(layer, {"input_size": first.shape[1], "batch_first": True, **sizes})


def _wanted(plan: Plan) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all arrays of a stack."""
    wanted: dict[str, tuple[int, ...]] = {}
    for k in range(plan.num_layers):
        wanted |= {f"{field}_l{k}": shape for field, shape in plan.shapes(k).items()}
        if plan.learn_initial_state:
            sizes = zip(plan.letters, plan.state_sizes, strict=True)
            wanted |= {f"initial_{letter}_l{k}": (size,) for letter, size in sizes}
    return wanted


def _check(
    path: str | os.PathLike[str],
    plan: Plan,
    wanted: Mapping[str, tuple[int, ...]],
    arrays: Mapping[str, Array],
) -> None:
    """The engine trusts every shape, so none may be other than the header says."""
    found = {name: one.shape for name, one in arrays.items()}
    for name in {**wanted, **found}:
        if found.get(name) != wanted.get(name):
            raise FileError(
                f"{path} holds {name} with shape {found.get(name)}, but its {plan.layer} has "
                f"{wanted.get(name)}. Save the layer again."
            )
    types = {str(one.dtype) for one in arrays.values()}
    if types not in ({"float32"}, {"float64"}):
        raise FileError(
            f"{path} holds weights of {' and '.join(sorted(types))}, but the runtime computes in "
            "float32 or float64. Use layer.float() before layer.save()."
        )
