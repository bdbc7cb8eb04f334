"""What is missing: by channel and pattern, all channels together or each by itself, by record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from recurra.auditing.case import Case, View
from recurra.auditing.finding import Finding, Level
from recurra.auditing.phrases import names, percent, plural, quoted
from recurra.auditing.profile import Profile
from recurra.auditing.together import find_groups
from recurra.data.sequences import STATIC

__all__ = ["find_holes"]

MOST_SINGLE = 3
"""Of a pattern that more channels show, one sentence tells."""
LITTLE = 0.05
TOLD = {
    "seasonal": "missing by the calendar",
    "yearly": "missing by the calendar",
    "periodic": "missing after an exact period",
    "recurring": "missing again and again, after about the same time",
    "unclear": "missing too seldom to tell a pattern",
    "contiguous": "missing in a few long gaps",
    "scattered": "missing in scattered gaps",
    "sparse": "mostly missing, and observed at random",
    "random": "missing at random",
}


def find_holes(case: Case, profiles: Mapping[str, list[Profile]]) -> list[Finding]:
    """Look at what is missing.

    Parameters
    ----------
    case : Case
        The data.
    profiles : dict of str to list of Profile
        The channels of each stream.

    Returns
    -------
    list of Finding
        Patterns, groups of channels, and records.
    """
    found: list[Finding] = []
    for name, channels in profiles.items():
        view = case.views[name]
        found += _broken(view)
        groups: dict[tuple[str, ...], list[Profile]] = {}
        for each in channels:
            if each.missing.pattern not in ("complete", "empty"):
                groups.setdefault(_likeness(each), []).append(each)
        for group in groups.values():
            if len(group) > MOST_SINGLE:
                found.append(_of_many(case, group))
            else:
                found += [_of_one(case, each) for each in group]
        if name != STATIC and view.seen.size:
            found += [*_together(case, view), *_by_record(case, view)]
    return found


def _likeness(profile: Profile) -> tuple[str, ...]:
    """What channels that are told together have in common."""
    missing = profile.missing
    return (missing.pattern, missing.cycle or "", missing.where or "")


def _level(share: float) -> Level:
    return "note" if share < LITTLE else "advice"


def _numbers(profile: Profile) -> dict[str, object]:
    missing = profile.missing
    return {
        "pattern": missing.pattern,
        "missing": missing.missing,
        "of": missing.rows,
        "gaps": missing.gaps,
        "longest": missing.longest,
        "period": missing.period,
        "cycle": missing.cycle,
        "phase": missing.phase,
        "where": missing.where,
    }


def _of_one(case: Case, profile: Profile) -> Finding:
    """Tell of one channel."""
    missing = profile.missing
    called = quoted(case.called(profile.stream, profile.channel))
    if profile.stream == STATIC:
        lost = f"{percent(missing.share)} ({missing.missing:,} of {missing.rows:,})"
        said = f"{called} is unknown of {lost} of the records."
    elif missing.pattern == "unclear":
        said = f"{called} lacks {missing.missing:,} of {plural(missing.rows, 'value')}."
    else:
        said = f"{called} is {missing.sentence}."
    return Finding(
        "missing_values",
        _level(missing.share),
        said,
        profile.stream,
        (profile.channel,),
        {profile.channel: _numbers(profile)},
    )


def _of_many(case: Case, group: list[Profile]) -> Finding:
    """Tell of channels that go missing after the same pattern."""
    group = sorted(group, key=lambda each: -each.missing.share)
    high, low = group[0].missing.share, group[-1].missing.share
    shares = (
        percent(high) if percent(low) == percent(high) else f"{percent(low)} to {percent(high)}"
    )
    pattern, cycle, where = _likeness(group[0])
    told = TOLD[pattern] if group[0].stream != STATIC else "unknown of some records"
    if cycle and where:
        told = f"missing every {cycle}, {where}"
    called = names(case.called(each.stream, each.channel) for each in group)
    said = f"{len(group)} channels are {told}, {shares} of their values: {called}."
    channels = tuple(each.channel for each in group)
    numbers = {each.channel: _numbers(each) for each in group}
    return Finding("missing_values", _level(high), said, group[0].stream, channels, numbers)


def _broken(view: View) -> list[Finding]:
    """Values that are said to be observed, but are none."""
    if not view.broken:
        return []
    verb = "is" if view.broken == 1 else "are"
    said = f"{plural(view.broken, 'value')} said to be observed {verb} NaN or infinite: "
    said += "correct them, or mark them as unobserved."
    numbers = {"values": view.broken}
    return [Finding("not_finite", "warning", said, view.name, numbers=numbers)]


def _together(case: Case, view: View) -> list[Finding]:
    """Tell whether channels lose their values at the same steps."""
    part = np.flatnonzero(~view.seen.all(0) & view.seen.any(0))
    if len(part) < 2:
        return []
    found = find_groups(view.seen[:, part])
    numbers: dict[str, Any] = {"pattern": found.pattern, "steps": found.steps, "whole": found.whole}
    channels = [view.stream.channels[k] for k in part]
    if found.pattern == "whole steps":
        whole = len(part) == len(view.stream.channels)
        which = "all channels" if whole else f"{len(part)} channels"
        said = f"Whole steps are missing: {percent(found.whole)} of the steps lack {which} at once."
        return [Finding("missing_steps", "note", said, view.name, tuple(channels), numbers)]
    if found.pattern != "groups":
        return []
    groups = [[channels[k] for k in group] for group in found.groups]
    said = "; ".join(names(case.called(view.name, name) for name in group) for group in groups[:4])
    more = f"; and {plural(len(groups) - 4, 'more group')}" if len(groups) > 4 else ""
    together = tuple(name for group in groups for name in group)
    said = f"Channels go missing together: {said}{more}."
    numbers["groups"] = groups
    return [Finding("missing_together", "note", said, view.name, together, numbers)]


def _by_record(case: Case, view: View) -> list[Finding]:
    """Tell of records without any value, and of how unequal records are."""
    lengths = view.stream.lengths
    full = np.flatnonzero(lengths)
    if not full.size or view.seen.all():
        return []
    per_row = view.seen.mean(1)
    shares = 1 - np.add.reduceat(per_row, view.places[:-1][full]) / lengths[full]
    none, found = full[shares > 1 - 1e-9], []
    if none.size:
        whose = names(case.dataset.ids[i] for i in none)
        verb = "has" if none.size == 1 else "have"
        said = f"{none.size:,} of {plural(len(lengths), 'record')} {verb} steps, but no value "
        said += f"({whose}): leave them out."
        numbers = {"records": int(none.size), "of": len(lengths)}
        found.append(Finding("unobserved_records", "warning", said, view.name, numbers=numbers))
    low, middle, high = (float(each) for each in np.quantile(shares, (0, 0.5, 1)))
    if len(full) >= 5 and high - low >= 0.2:
        said = f"Records differ in what they lack: {percent(low)} to {percent(high)} of their "
        said += f"values, half of them over {percent(middle)}."
        range_ = {"lowest": low, "median": middle, "highest": high}
        found.append(Finding("missing_by_record", "note", said, view.name, numbers=range_))
    return found
