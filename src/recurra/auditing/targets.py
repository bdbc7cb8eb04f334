"""What is to be learnt: classes and how many there are of each, what is unknown, or far out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.auditing.case import Case
from recurra.auditing.finding import Finding, Level
from recurra.auditing.phrases import names, number, percent, plural, quoted
from recurra.auditing.profile import OUTLYING
from recurra.data.sequences import Target
from recurra.data.treatments import find_outliers

if TYPE_CHECKING:
    from recurra.types import Integers

__all__ = ["find_targets"]

RARE, LASTING, MOST_NAMED = 0.05, 0.05, 4


def find_targets(case: Case) -> list[Finding]:
    """Look at each target.

    Parameters
    ----------
    case : Case
        The data.

    Returns
    -------
    list of Finding
        Unknown answers, classes that are rare or alone, numbers far out.
    """
    found: list[Finding] = []
    for name, target in case.targets.items():
        if not len(target.values):
            continue
        unit = {"record": "record", "step": "step", "labels": "label"}[target.level]
        found += _unknown(name, target, unit)
        if target.classes:
            found += [*_classes(name, target, unit), *_persistent(name, target)]
        else:
            for k, output in enumerate(target.outputs):
                called = quoted(name if len(target.outputs) == 1 else f"{name}.{output}")
                found += _numbers(called, target, k)
    return found


def _unknown(name: str, target: Target, unit: str) -> list[Finding]:
    """Answers that are not there."""
    lost, total = int((~target.observed.all(1)).sum()), len(target.values)
    if not lost:
        return []
    said = f"Target {quoted(name)} is unknown for {lost:,} of {plural(total, unit)} "
    said += f"({percent(lost / total)}): nothing is learnt from those."
    numbers = {"target": name, "missing": lost, "of": total}
    level: Level = "warning" if lost == total else "advice"
    return [Finding("missing_target", level, said, numbers=numbers)]


def _classes(name: str, target: Target, unit: str) -> list[Finding]:
    """Balance, and classes that are rare or alone."""
    codes = target.values[target.observed]
    counts = np.bincount(codes, minlength=len(target.classes))
    total, called = int(counts.sum()), quoted(name)
    there = np.flatnonzero(counts)
    if not total:
        return []
    numbers = {
        "target": name,
        "counts": {str(target.classes[k]): int(counts[k]) for k in range(len(counts))},
    }
    if len(there) == 1:
        said = f"Target {called} has a single class, {quoted(target.classes[there[0]])}: there is "
        said += "nothing to tell apart."
        return [Finding("single_class", "warning", said, numbers=numbers)]
    return [
        *_odd_classes(called, target, counts, numbers),
        _balance(called, target, counts, unit, numbers),
    ]


def _odd_classes(
    called: str, target: Target, counts: Integers, numbers: dict[str, Any]
) -> list[Finding]:
    """Classes that are alone, or never there."""
    found = []
    alone = np.flatnonzero(counts == 1)
    if alone.size and target.level == "record":
        which = names(target.classes[k] for k in alone)
        said = f"Target {called} has classes with a single record ({which}): they cannot be both "
        said += "learnt and tested."
        found.append(Finding("lone_classes", "warning", said, numbers=numbers))
    unused = np.flatnonzero(counts == 0)
    if unused.size:
        which = names(target.classes[k] for k in unused)
        said = f"Target {called} has classes that never occur: {which}."
        found.append(Finding("unused_classes", "note", said, numbers=numbers))
    return found


def _balance(
    called: str, target: Target, counts: Integers, unit: str, numbers: dict[str, Any]
) -> Finding:
    """Say how common each class is, and what to do where one is rare."""
    total, there = int(counts.sum()), np.flatnonzero(counts)
    order = there[np.argsort(-counts[there], kind="stable")]
    if len(there) <= MOST_NAMED:
        shares = [f"{percent(counts[k] / total)} are {quoted(target.classes[k])}" for k in order]
        said = f"Target {called}: {', '.join(shares)}"
    else:
        ends = [
            f"{quoted(target.classes[k])} ({plural(int(counts[k]), unit)})" for k in order[[0, -1]]
        ]
        said = f"Target {called} has {len(there)} classes, from {ends[0]} to {ends[1]}"
    rare = counts[order[-1]] / total < min(RARE, 0.25 / len(there) * 2)
    if rare:
        said += ": choose a measure that rare classes count in, such as balanced accuracy, and "
        said += "weigh them"
    return Finding("class_balance", "advice" if rare else "note", f"{said}.", numbers=numbers)


def _persistent(name: str, target: Target) -> list[Finding]:
    """Classes of steps that stay as they are for long."""
    if target.level != "step" or target.offsets is None or len(target.values) < 100:
        return []
    inner = np.ones(len(target.values), bool)
    inner[target.offsets[:-1][np.diff(target.offsets) > 0]] = False
    changes = int((target.values[1:] != target.values[:-1]).any(1)[inner[1:]].sum())
    if changes > LASTING * len(target.values):
        return []
    said = (
        f"Target {quoted(name)} changes {changes:,} times in {len(target.values):,} steps: split "
    )
    said += "by record or in time, never steps at random, since neighbours tell the answer."
    numbers = {"target": name, "changes": changes, "of": len(target.values)}
    return [Finding("lasting_target", "advice", said, numbers=numbers)]


def _numbers(called: str, target: Target, k: int) -> list[Finding]:
    """Numbers that are all one, or far out."""
    known = target.observed[:, k]
    values = target.values[known, k].astype(np.float64)
    if len(values) < 2:
        return []
    numbers: dict[str, object] = {"target": called.strip("'"), "of": len(values)}
    if values.min() == values.max():
        said = f"Target {called} is always {number(float(values[0]))}: there is nothing to learn."
        return [Finding("constant_target", "warning", said, numbers=numbers)]
    if len(values) < 20:
        return []
    ends = np.array([0, len(values)])
    seen = np.ones((len(values), 1), bool)
    odd = find_outliers(values[:, None], seen, ends, threshold=OUTLYING)[:, 0]
    if not odd.any() or odd.mean() > RARE:
        return []
    furthest = float(values[odd][np.abs(values[odd] - np.median(values)).argmax()])
    low, high = (float(one) for one in np.quantile(values, (0.05, 0.95)))
    said = f"Target {called} has {plural(int(odd.sum()), 'value')} far from the others, up to "
    said += f"{number(furthest)}, where nine tenths lie from {number(low)} to {number(high)}: they "
    said += "would rule a squared loss."
    numbers |= {"outliers": int(odd.sum()), "furthest": furthest}
    return [Finding("target_outliers", "advice", said, numbers=numbers)]
