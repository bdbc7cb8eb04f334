"""Channels one by one and side by side: constant, doubled, far out, skewed, of unequal size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from recurra.auditing.alike import find_alike
from recurra.auditing.case import Case
from recurra.auditing.finding import Finding
from recurra.auditing.phrases import names, number, percent, plural, quoted
from recurra.auditing.profile import Profile

__all__ = ["find_channels"]

ALMOST = 0.999
SOMETIMES = 0.01
MOST_SINGLE = 3
"""Of what more channels show, one sentence tells."""
STAND_INS = (-1, -9, -99, -999, -9999, -99999, 99, 999, 9999, 99999, 999999)
"""Numbers that people write for what they do not know."""
MAINLY = 0.5
UNEQUAL = 100.0
EXACT, LARGEST = 2**53, 3.4e38
FINE = 1e-6
"""A spread this small beside the size of the values is nearly lost in float32."""
MOST_LABELS = 1000


def find_channels(case: Case, profiles: Mapping[str, list[Profile]]) -> list[Finding]:
    """Look at the values of each channel, and at channels that are alike.

    Parameters
    ----------
    case : Case
        The data.
    profiles : dict of str to list of Profile
        The channels of each stream.

    Returns
    -------
    list of Finding
        What was found.
    """
    found: list[Finding] = []
    for name, channels in profiles.items():
        found += _without_news(case, channels)
        for each in channels:
            found += _labels(case, each) if each.coded else _numbers(case, each)
        plain = [each for each in channels if not each.coded]
        found += [*_far_out(case, plain), *_skewed(case, plain)]
        telling = [k for k, each in enumerate(channels) if not each.constant and each.count]
        usual = case.views[name].seen.copy()
        for k, each in enumerate(channels):
            usual[each.outlying, k] = False  # two spikes at once would make anything alike
        found += find_alike(case, replace(case.views[name], seen=usual), telling)
        found += _sizes(case, channels)
    return found


def _called(case: Case, profile: Profile) -> str:
    return quoted(case.called(profile.stream, profile.channel))


def _without_news(case: Case, channels: list[Profile]) -> list[Finding]:
    """Channels that are never observed, or always the same."""
    found = []
    never = [each for each in channels if not each.count and each.missing.rows]
    if never:
        which = names(case.called(each.stream, each.channel) for each in never)
        verb, them = ("is", "it") if len(never) == 1 else ("are", "them")
        said = f"{which} {verb} never observed: leave {them} out."
        every = tuple(each.channel for each in never)
        found.append(Finding("never_observed", "warning", said, never[0].stream, every))
    for each in channels:
        if each.count > 1 and each.constant:
            found.append(_constant(case, each))
        elif each.common[1] >= ALMOST and each.count >= 1000:
            value, share = each.common
            others = each.count - round(share * each.count)
            said = f"{_called(case, each)} is almost always {_value(case, each, value)}: only "
            said += (
                f"{others:,} of {plural(each.count, 'value')} differ{'s' if others == 1 else ''}."
            )
            where = (each.stream, (each.channel,), {"value": value, "others": others})
            found.append(Finding("almost_constant", "note", said, *where))
    return found


def _constant(case: Case, profile: Profile) -> Finding:
    """Tell of a channel with one value: where it lacks some, that it is there may tell much."""
    value = _value(case, profile, profile.low)
    if case.ahead == (profile.stream, profile.channel):
        said = f"{_called(case, profile)}, which is to be learnt, is always {value}."
        numbers = {"target": profile.channel, "value": profile.low}
        where = (profile.stream, (profile.channel,), numbers)
        return Finding("constant_target", "warning", said, *where)
    where = (profile.stream, (profile.channel,), {"value": profile.low})
    if profile.missing.share < SOMETIMES:
        said = f"{_called(case, profile)} is always {value}: leave it out."
        return Finding("constant", "advice", said, *where)
    there = percent(1 - profile.missing.share)
    said = (
        f"{_called(case, profile)} is {value} wherever it is observed ({there}): only whether it "
    )
    said += "is there can tell anything, so keep its mask."
    return Finding("constant_if_there", "note", said, *where)


def _value(case: Case, profile: Profile, value: float) -> str:
    """Write a value, or its label."""
    categories = case.views[profile.stream].stream.categories
    if not profile.coded:
        return number(value)
    return quoted(categories[profile.channel][int(value)])


def _labels(case: Case, profile: Profile) -> list[Finding]:
    """A category with so many labels that it may be an identifier."""
    if profile.different < MOST_LABELS and profile.different * 2 < max(profile.count, 40):
        return []
    said = f"{_called(case, profile)} has {profile.different:,} different labels in "
    said += f"{plural(profile.count, 'value')}: is it an identifier, or free text?"
    numbers = {"labels": profile.different, "of": profile.count}
    where = (profile.stream, (profile.channel,), numbers)
    return [Finding("many_labels", "advice", said, *where)]


def _numbers(case: Case, profile: Profile) -> list[Finding]:
    """Numbers too large or too close for float32, and values that stand for others."""
    if profile.count < 20 or profile.constant or profile.binary:
        return []
    found, where = [], (profile.stream, (profile.channel,))
    called, size = _called(case, profile), max(abs(profile.low), abs(profile.high))
    if size > LARGEST:
        said = f"{called} reaches {number(size)}, more than float32 holds: correct it, or scale it "
        said += "before."
        found.append(Finding("big_numbers", "warning", said, *where, {"largest": size}))
    elif size > EXACT and bool((profile.ordered[-1:] % 1 == 0).all()):
        said = f"{called} reaches {number(size)}, past 2⁵³, where whole numbers are no longer "
        said += "exact: is it an identifier, or a time?"
        found.append(Finding("big_numbers", "warning", said, *where, {"largest": size}))
    elif profile.spread < FINE * abs(profile.middle):
        said = f"{called} varies by {number(profile.spread)} around {number(profile.middle)}: "
        said += "scale it before it becomes float32, which would lose that."
        numbers = {"spread": profile.spread, "median": profile.middle}
        found.append(Finding("fine_numbers", "advice", said, *where, numbers))
    found += _stands_in(case, profile)
    value, share = profile.common
    if MAINLY < share < ALMOST:
        said = f"{called} is {number(value)} in {percent(share)} of its values."
        numbers = {"value": value, "share": share}
        found.append(Finding("mainly_one_value", "note", said, *where, numbers))
    return found


def _stands_in(case: Case, profile: Profile) -> list[Finding]:
    """Tell of a value at the end of the range that may stand for none."""
    for value, at_end in ((profile.low, "left"), (profile.high, "right")):
        if value not in STAND_INS:
            continue
        edge = int(np.searchsorted(profile.ordered, value, side="right" if value < 0 else "left"))
        rest = profile.ordered[edge:] if at_end == "left" else profile.ordered[:edge]
        count = profile.count - len(rest)
        apart = len(rest) > count >= 2 and (
            (at_end == "left" and value < 0 and float(rest[0]) >= 0)
            or (at_end == "right" and value > 0 and value >= 2 * float(rest[-1]))
        )
        if apart:
            said = (
                f"{number(value)} stands {count:,} times in {_called(case, profile)}, whose other "
            )
            said += (
                f"values are {number(float(rest[0]))} to {number(float(rest[-1]))}: does it mean "
            )
            said += "unknown? Then mark it as unobserved."
            numbers = {"value": value, "count": count}
            where = (profile.stream, (profile.channel,), numbers)
            return [Finding("stand_in", "advice", said, *where)]
    return []


def _far_out(case: Case, channels: list[Profile]) -> list[Finding]:
    """Tell of values far from the others: channel by channel, or of many at once."""
    odd = [each for each in channels if each.outlying.any()]
    told = {each.channel: _furthest(case, each) for each in odd}
    width = {e.channel: max(e.quantiles[3] - e.quantiles[1], 1e-300) for e in odd}
    odd.sort(key=lambda e: -abs(told[e.channel] - e.middle) / width[e.channel])
    numbers = {
        each.channel: {
            "outliers": int(each.outlying.sum()),
            "of": each.count,
            "furthest": told[each.channel],
            "beyond": each.beyond,
        }
        for each in odd
    }
    shown = [_reach(case, each, told[each.channel]) for each in odd]
    found = []
    if len(odd) > MOST_SINGLE:
        said = f"{len(odd)} channels have a few values far from the others: {', '.join(shown[:4])}"
        said += f", and {len(odd) - 4} more." if len(odd) > 4 else "."
        names_ = tuple(each.channel for each in odd)
        found.append(Finding("outliers", "advice", said, odd[0].stream, names_, numbers))
        return found
    for each, words in zip(odd, shown, strict=True):
        count = int(each.outlying.sum())
        said = f"{plural(count, 'value')} ({percent(count / each.count)}) "
        said += f"{'is' if count == 1 else 'are'} far from the others: {words}."
        own = {each.channel: numbers[each.channel]}
        found.append(Finding("outliers", "advice", said, each.stream, (each.channel,), own))
    return found


def _furthest(case: Case, profile: Profile) -> float:
    """Give the value that is furthest out."""
    stream = case.views[profile.stream].stream
    values = stream.values[profile.outlying, stream.channels.index(profile.channel)]
    return float(values[np.abs(values - profile.middle).argmax()])


def _reach(case: Case, profile: Profile, furthest: float) -> str:
    """Say how far out values are, and where most lie."""
    low, high = number(profile.quantiles[1]), number(profile.quantiles[3])
    way = "up" if furthest > profile.middle else "down"
    return f"{_called(case, profile)} {way} to {number(furthest)} (mostly {low} to {high})"


def _skewed(case: Case, channels: list[Profile]) -> list[Finding]:
    """Tell of channels with one long tail."""
    odd = [each for each in channels if each.skewed]
    shown = [
        f"{_called(case, e)} (half under {number(e.middle)}, a twentieth over "
        f"{number(e.quantiles[3])})"
        if e.skew > 0
        else f"{_called(case, e)} (half over {number(e.middle)}, a twentieth under "
        f"{number(e.quantiles[1])})"
        for e in odd
    ]
    if not odd:
        return []
    numbers = {each.channel: {"skew": each.skew} for each in odd}
    verb = "is" if len(odd) == 1 else "are"
    if len(odd) > MOST_SINGLE:
        said = f"{len(odd)} channels are skewed: {', '.join(shown[:3])} and {len(odd) - 3} more."
    else:
        *first, last = shown
        listed = f"{', '.join(first)} and {last}" if first else last
        said = f"{listed} {verb} skewed."
    which = tuple(each.channel for each in odd)
    return [Finding("skewed", "note", said, odd[0].stream, which, numbers)]


def _sizes(case: Case, channels: list[Profile]) -> list[Finding]:
    """Tell of spreads that differ much."""
    known = [
        each for each in channels if not (each.coded or each.binary or each.constant) and each.count
    ]
    known = [each for each in known if each.spread > 0]
    if len(known) < 2:
        return []
    small, *_, large = sorted(known, key=lambda each: each.spread)
    ratio = large.spread / small.spread
    if ratio < UNEQUAL:
        return []
    said = f"Channels differ {number(ratio)} times in spread, from {_called(case, small)} "
    said += (
        f"({number(small.spread)}) to {_called(case, large)} ({number(large.spread)}): scale them."
    )
    both = (small.channel, large.channel)
    return [Finding("unequal_scales", "advice", said, large.stream, both, {"ratio": ratio})]
