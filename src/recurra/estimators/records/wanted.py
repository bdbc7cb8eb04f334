"""Which number is explained: the log odds of a label, or a number in the units of y."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from recurra.errors import OptionError, near

if TYPE_CHECKING:
    from recurra.models.records.crf import CRF
    from recurra.types import Floats

__all__ = ["Wanted", "chosen_answer", "chosen_step", "log_odds", "number", "refuse_step"]


class Wanted(NamedTuple):
    """The number that is explained.

    Attributes
    ----------
    asked : str
        What it is.
    pick : callable
        Finds it, shape (records,), in what a network says of records, by target.
    """

    asked: str
    pick: Callable[[Mapping[str, Tensor]], Tensor]


def chosen_answer(known: Iterable[str], answer: str | None) -> str:
    """Choose a target.

    Parameters
    ----------
    known : iterable of str
        The targets that were learned.
    answer : str, optional
        Which of them; not needed where there is one.

    Returns
    -------
    str
        Its name.
    """
    names = [*known]
    if answer is None and len(names) > 1:
        raise OptionError(f"There are several answers: say which, answer={names[0]!r}.")
    if answer is not None and answer not in names:
        raise OptionError(f"There is no answer {answer!r}. {near(str(answer), names)}")
    return names[0] if answer is None else answer


def chosen_step(step: int | None, steps: int) -> int:
    """Choose a step.

    Parameters
    ----------
    step : int, optional
        Which, counted from 0, or from the end if negative; not needed where there is one.
    steps : int
        How many there are.

    Returns
    -------
    int
        Counted from 0.
    """
    if step is None and steps == 1:
        return 0
    if isinstance(step, bool) or not isinstance(step, int) or not -steps <= step < steps:
        raise OptionError(
            f"step={step!r}, but there is an answer for each of {steps} steps: say which, 0 to "
            f"{steps - 1}."
        )
    return step % steps


def refuse_step(step: int | None) -> None:
    """Refuse a step where the answer is for the whole record.

    Parameters
    ----------
    step : int, optional
        What was said.
    """
    if step is not None:
        raise OptionError(f"step={step!r}, but the answer is for the whole record: leave it out.")


def log_odds(
    name: str,
    labels: Sequence[object],
    target: Any,
    logits: Tensor,
    heat: float = 1.0,
    step: int | None = None,
    crf: CRF | None = None,
) -> Wanted:
    r"""Ask for a label: how much more probable it is than all others.

    .. math:: \log \frac{p_k}{1 - p_k} = z_k / T - \log \sum_{j \ne k} \exp(z_j / T)

    Parameters
    ----------
    name : str
        The target.
    labels : sequence
        All labels.
    target : object
        The label; None for the most probable one. Of several outputs ``(output, label)``, with the
        output counted from 0.
    logits : Tensor, shape (1, outputs, classes) or (1, steps, outputs, classes)
        What the network says of the record itself.
    heat : float
        The temperature T.
    step : int, optional
        Of which step.
    crf : CRF, optional
        The random field by which labels depend on their neighbours.

    Returns
    -------
    Wanted
        The log odds.
    """
    place, label = _output(name, target, logits.shape[-2], labelled=True)
    own = logits[0, place] if step is None else logits[0, step, place]
    k = int(own.argmax()) if label is None else _place(label, labels)
    asked = f"log odds of {labels[k]!r}"
    asked += f" in output {place}" if logits.shape[-2] > 1 else ""
    asked += "" if step is None else f" at step {step}"

    def pick(raw: Mapping[str, Tensor]) -> Tensor:
        said = raw[name].double()
        if crf is not None:
            lengths = torch.full((len(said),), said.shape[1])
            return crf.log_odds(said[:, :, 0], lengths, int(step or 0), k)
        found = (said if step is None else said[:, step])[:, place] / heat
        others = torch.cat([found[:, :k], found[:, k + 1 :]], -1)
        return found[:, k] - torch.logsumexp(others, -1)

    return Wanted(asked, pick)


def number(
    name: str,
    centre: Sequence[float] | Floats,
    spread: Sequence[float] | Floats,
    target: Any,
    step: int | None = None,
) -> Wanted:
    """Ask for a number, in the units of y.

    Parameters
    ----------
    name : str
        The target.
    centre, spread : sequence of float
        Mean and standard deviation of each output.
    target : int, optional
        Which output, counted from 0; not needed where there is one.
    step : int, optional
        Of which step.

    Returns
    -------
    Wanted
        The number.
    """
    place, _ = _output(name, target, len(centre), labelled=False)
    asked = f"number {name!r}" + (f", output {place}" if len(centre) > 1 else "")
    asked += "" if step is None else f", at step {step}"
    shift, scale = float(centre[place]), float(spread[place])

    def pick(raw: Mapping[str, Tensor]) -> Tensor:
        said = raw[name].double()
        return (said if step is None else said[:, step])[:, place] * scale + shift

    return Wanted(asked, pick)


def _output(name: str, target: Any, outputs: int, labelled: bool) -> tuple[int, Any]:
    """Find which output is asked for, and which label of it."""
    if outputs == 1 and labelled:
        return 0, target
    if outputs == 1 and target in (None, 0):
        return 0, None
    place, label = target, None
    if labelled and isinstance(target, tuple) and len(target) == 2:
        place, label = target
    if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < outputs:
        example = "target=(0, label)" if labelled else "target=0"
        there = f"{outputs} outputs, 0 to {outputs - 1}" if outputs > 1 else "one output, 0"
        raise OptionError(
            f"target={target!r}, but {name!r} has {there}: say which, as in {example}."
        )
    return place, label


def _place(label: object, labels: Sequence[object]) -> int:
    if label not in labels:
        raise OptionError(f"There is no label {label!r}. {near(str(label), labels)}")
    return [*labels].index(label)
