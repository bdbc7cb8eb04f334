"""From treated data to the plan of a network, and the plan as JSON holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from recurra.artifact import take
from recurra.data import SequenceDataset, Stream
from recurra.errors import FileError
from recurra.models import Answer, Input, NetworkPlan

__all__ = ["plan_from_dict", "plan_network", "plan_to_dict"]


def plan_network(
    treated: SequenceDataset, encoder_size: int | None, options: Mapping[str, Any]
) -> NetworkPlan:
    """Plan the network that suits treated data.

    Parameters
    ----------
    treated : SequenceDataset
        The training part, with targets.
    encoder_size : int, optional
        Width of what the encoder of each stream gives.
    options : dict of str
        The other fields of the plan.

    Returns
    -------
    NetworkPlan
        With an input for each stream and an answer for each target.
    """
    inputs = {name: _input(stream, encoder_size) for name, stream in treated.streams.items()}
    answers = {
        name: Answer(t.level, len(t.outputs), len(t.classes), t.stream)
        for name, t in treated.targets.items()
    }
    static = None if treated.static is None else _input(treated.static, None)
    return NetworkPlan(inputs, answers, static, **options)


def plan_to_dict(plan: NetworkPlan) -> dict[str, Any]:
    """Write a plan for JSON, whose objects have no order: streams and targets are in lists.

    Parameters
    ----------
    plan : NetworkPlan
        The plan.

    Returns
    -------
    dict of str
        For `plan_from_dict`.
    """
    told = asdict(plan)
    return told | {name: list(told[name].items()) for name in ("inputs", "answers")}


def plan_from_dict(told: Mapping[str, Any]) -> NetworkPlan:
    """Make a plan of what JSON held.

    Parameters
    ----------
    told : dict of str
        What `plan_to_dict` returned.

    Returns
    -------
    NetworkPlan
        The plan.

    Raises
    ------
    FileError
        If it is none.
    """
    named = {name: _named(told.get(name), name) for name in ("inputs", "answers")}
    plan: NetworkPlan = take(NetworkPlan, {**told, **named}, "header.network")
    return plan


def _input(stream: Stream, width: int | None) -> Input:
    """Describe a treated stream to the network."""
    if stream.inner is not None:
        return Input("records", (), inner=_input(stream.inner, width))
    codes = {
        k: len(stream.categories[channel])
        for k, channel in enumerate(stream.channels)
        if channel in stream.categories
    }
    return Input(stream.kind, stream.channels, codes, width)


def _named(pairs: Any, name: str) -> dict[str, Any]:
    """Make an object of a list of names and values, where no name comes twice."""
    place = f"header.network.{name}"
    read = dict(listed := take(list[tuple[str, dict[str, Any]]], pairs, place))
    if len(read) < len(listed):
        raise FileError(f"{place} gives a name twice.")
    return read
