"""From findings to one preprocessor: what is done, in which order, and why.

The order is that of the treatments' needs: steps in order and single, channels that stay, values
that are believed, holes filled, channels that tell of holes and gaps, codes, sizes. Every fill
recommended is causal: a hole gets nothing that came later.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from recurra.auditing.case import Case
from recurra.auditing.finding import Finding
from recurra.auditing.opened import quietly
from recurra.auditing.profile import Profile
from recurra.auditing.ways import Way, way_to_fill
from recurra.data.sequences import STATIC
from recurra.data.treatments import (
    Drop,
    Duplicates,
    Encode,
    Fill,
    Gaps,
    Indicators,
    Outliers,
    Resample,
    Scale,
    SinceObserved,
    Sort,
    Treatment,
    Vocabulary,
)
from recurra.errors import DataError

__all__ = ["Step", "recommend"]

MOSTLY = 0.5
DROPPED = ("never_observed", "constant", "equal_channels", "alike_channels", "target_copied")


@dataclass(frozen=True)
class Step:
    """One treatment that is recommended.

    Parameters
    ----------
    treatment : Treatment
        What is done.
    reason : str
        Why, in a few words.
    codes : tuple of str
        The findings it answers.
    channels : tuple of (str, str)
        The streams and channels it answers them for; none for whole streams.
    """

    treatment: Treatment
    reason: str
    codes: tuple[str, ...] = ()
    channels: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def recommend(
    case: Case, profiles: dict[str, list[Profile]], found: list[Finding]
) -> tuple[list[Step], list[Finding]]:
    """Choose treatments for what was found.

    Parameters
    ----------
    case : Case
        The data.
    profiles : dict of str to list of Profile
        The channels of each stream.
    found : list of Finding
        What was found.

    Returns
    -------
    steps : list of Step
        In the order in which they are done.
    found : list of Finding
        The same findings, with their treatments.
    """
    plan = _Plan(case, profiles, found)
    steps = [
        *plan.order(),
        *plan.dropped(),
        *plan.clipped(),
        *plan.resampled(),
        *plan.filled(),
        *plan.marked(),
        *plan.coded(),
        *plan.scaled(),
    ]
    return steps, [_with_treatment(one, steps) for one in found]


def _with_treatment(finding: Finding, steps: list[Step]) -> Finding:
    """Attach the first treatment that answers a finding."""
    for step in steps:
        if finding.code not in step.codes:
            continue
        own = getattr(step.treatment, "stream", None)
        if own is not None and own != finding.stream:
            continue
        which = {(finding.stream or "", name) for name in finding.channels}
        if not step.channels or not which or which & {*step.channels}:
            return replace(finding, treatment=step.treatment)
    return finding


class _Plan:
    """What is chosen from findings, part by part."""

    def __init__(
        self, case: Case, profiles: dict[str, list[Profile]], found: list[Finding]
    ) -> None:
        self.case, self.found = case, found
        self.lost = self._lost()
        self.profiles = [
            each
            for channels in profiles.values()
            for each in channels
            if (each.stream, each.channel) not in self.lost
        ]
        values = {n for n, view in case.views.items() if view.stream.kind == "values"}
        self.treated = [each for each in self.profiles if each.stream in values]

    def _of(self, *codes: str) -> list[Finding]:
        return [one for one in self.found if one.code in codes]

    def _lost(self) -> dict[tuple[str, str], str]:
        """The channels that are left out, and why; never all of a stream, nor what is forecast."""
        reasons = {"never_observed": "never observed", "constant": "always the same"}
        lost: dict[tuple[str, str], str] = {}
        for one in self._of(*DROPPED, "future_copied"):
            if one.stream is None or self.case.views[one.stream].stream.kind != "values":
                continue
            doubled = one.code in ("equal_channels", "alike_channels")
            if doubled and one.level != "advice":
                continue
            for name in one.channels[:1] if doubled else one.channels:
                reason = reasons.get(one.code) or (
                    "doubled" if doubled else "gives the answer away"
                )
                lost[one.stream, name] = reason
        if self.case.ahead is not None:
            lost.pop(self.case.ahead, None)
        for name, view in self.case.views.items():
            if view.stream.channels and all((name, each) in lost for each in view.stream.channels):
                for each in view.stream.channels:
                    lost.pop((name, each))
        return lost

    def order(self) -> list[Step]:
        """Sort steps, and make one of those with the same time."""
        steps = []
        if unsorted := self._of("unsorted_times"):
            only = self._single(unsorted)
            steps.append(Step(Sort(stream=only), "steps out of order", ("unsorted_times",)))
        if repeated := self._of("repeated_stamps"):
            only = self._single(repeated)
            keep = self._keep(only)
            if keep is not None:
                reason = "several steps of one time"
                reason += "" if keep == "error" else ", whose values differ"
                steps.append(Step(Duplicates(keep, only), reason, ("repeated_stamps",)))  # type: ignore[arg-type]
        return steps

    def _single(self, found: list[Finding]) -> str | None:
        """The stream, if several have times and only one is meant."""
        timed = [n for n, view in self.case.streams.items() if view.stream.times is not None]
        streams = {one.stream for one in found}
        return next(iter(streams)) if len(streams) == 1 and len(timed) > 1 else None

    def _keep(self, stream: str | None) -> str | None:
        """Find the gentlest way to make one step of several."""
        data = quietly(Sort(stream=stream).apply, self.case.dataset, {})
        for keep in ("error", "mean", "last"):
            try:
                quietly(Duplicates(keep, stream).apply, data, {})
            except DataError as error:
                if not error.code.startswith("duplicate"):
                    return None
            else:
                return keep
        return None

    def dropped(self) -> list[Step]:
        """Leave channels out that tell nothing, or too much."""
        steps = []
        for stream in {name: None for name, _ in self.lost}:
            mine = {name: why for (each, name), why in self.lost.items() if each == stream}
            reasons = list(dict.fromkeys(mine.values()))
            which = tuple((stream, name) for name in mine)
            only = stream if len(self.case.views) > 1 else None
            treatment = Drop(tuple(mine), stream=only)
            steps.append(Step(treatment, ", or ".join(reasons), (*DROPPED, "future_copied"), which))
        return steps

    def clipped(self) -> list[Step]:
        """Clip what is far out, but not of skewed channels, which are scaled instead."""
        odd = [each for each in self.treated if each.outlying.any() and not each.skewed]
        beyond = {each.stream: 0.0 for each in odd}
        for each in odd:
            beyond[each.stream] = max(beyond[each.stream], each.beyond)
        return [
            Step(
                Outliers(threshold=beyond[which[0][0]], stream=stream, channels=channels),
                f"values more than {beyond[which[0][0]]:.0f} robust deviations out",
                ("outliers",),
                which,
            )
            for stream, channels, which in self._by_stream(odd)
        ]

    def resampled(self) -> list[Step]:
        """Put back the stamps that are missing from a regular clock."""
        steps = []
        for one in self._of("missing_stamps"):
            if one.stream is None or self.case.views[one.stream].stream.kind != "values":
                continue
            every, only = one.numbers["step"], one.stream if len(self.case.streams) > 1 else None
            treatment = Resample(every, "last", stream=only)
            reason = "stamps that are missing become unobserved steps"
            steps.append(Step(treatment, reason, ("missing_stamps",)))
        return steps

    def filled(self) -> list[Step]:
        """Fill holes: by season, from the last observation, or with the middle."""
        gappy = [each for each in self.treated if not each.coded and self._holes(each)]
        gappy = [each for each in gappy if each.count]  # of nothing, nothing can be learnt
        numbers = [each for each in self.treated if not each.coded and each.count]
        irregular = {one.stream for one in self._of("irregular_clock", "jitter")}
        ways: dict[Way, list[Profile]] = {}
        for each in gappy:
            others = sum(e.stream == each.stream for e in numbers) > 1
            way = way_to_fill(each, others, each.stream not in irregular)
            ways.setdefault(way, []).append(each)
        everything = [each for each in self.treated if not each.coded]
        only = len(ways) == 1 and len(self.case.streams) == 1
        steps = []
        for way, group in ways.items():
            for stream, channels, which in self._by_stream(group, whole=only):
                covers = {*which} >= {
                    (e.stream, e.channel) for e in everything if e.stream == stream
                }
                named = None if covers else channels
                treatment = Fill(
                    way.method,
                    way.then,
                    limit=way.limit,
                    period=way.period,
                    stream=stream,
                    channels=named,
                )
                codes = ("missing_values", "missing_stamps", "missing_steps", "missing_together")
                steps.append(Step(treatment, way.reason, codes, which))
        return steps

    def _holes(self, profile: Profile) -> bool:
        """Whether a channel lacks values, or will once missing stamps are put back."""
        return profile.missing.missing > 0 or self._regridded(profile.stream)

    def _regridded(self, stream: str) -> bool:
        return any(one.stream == stream for one in self._of("missing_stamps"))

    def marked(self) -> list[Step]:
        """Tell a network where holes were, how old values are, and how much time went by."""
        steps = []
        gappy = [each for each in self.treated if self._holes(each)]
        if gappy:
            wide = any(each.stream == STATIC for each in gappy) or len(self.case.views) == 1
            one = self._single_of(gappy) if not wide else None
            reason = "a network sees what was filled"
            codes = ("missing_values", "missing_tells", "missing_together", "missing_steps")
            steps.append(Step(Indicators(stream=one), reason, codes))
        rare = [e for e in gappy if e.stream != STATIC and e.missing.share > MOSTLY]
        for stream, channels, which in self._by_stream(rare):
            mine = [each for each in gappy if each.stream == which[0][0]]
            named = None if 2 * len(channels) > len(mine) else channels
            only = stream if len(self.case.streams) > 1 or named else None
            reason = 'mostly missing: how old a value is (layer="grud" reads the holes themselves)'
            treatment = SinceObserved(stream=only, channels=named)
            steps.append(Step(treatment, reason, ("missing_values",), which))
        uneven = [
            one.stream
            for one in self._of("irregular_clock", "jitter")
            if one.stream and self.case.views[one.stream].stream.kind == "values"
        ]
        for name in uneven:
            only = name if len(self.case.streams) > 1 else None
            uneven_codes = ("irregular_clock", "jitter", "long_gap")
            steps.append(Step(Gaps(stream=only), "the time since the step before", uneven_codes))
        return steps

    def _single_of(self, profiles: list[Profile]) -> str | None:
        streams = {each.stream for each in profiles}
        return next(iter(streams)) if len(streams) == 1 and len(self.case.streams) > 1 else None

    def coded(self) -> list[Step]:
        """Write labels as codes, with one for what is unknown."""
        steps = []
        if any(each.coded for each in self.treated):
            steps.append(Step(Encode(), "labels as codes, with one for those not known"))
        if any(
            view.stream.kind == "tokens" and view.stream.categories
            for view in self.case.views.values()
        ):
            steps.append(Step(Vocabulary(), "tokens as codes, with one for those not known"))
        return steps

    def scaled(self) -> list[Step]:
        """Bring numbers to one size: skewed ones by their logarithm or power."""
        numbers = [e for e in self.treated if not e.coded and not e.binary and e.count]
        skewed = [each for each in numbers if each.skewed]
        steps = []
        for method, group, reason in (
            ("log", [e for e in skewed if e.low >= 0], "skewed, and never negative"),
            ("yeo-johnson", [e for e in skewed if e.low < 0], "skewed"),
        ):
            for stream, channels, which in self._by_stream(group):
                treatment = Scale(method, stream=stream, channels=channels)
                steps.append(Step(treatment, reason, ("skewed",), which))
        if numbers:
            codes = ("outliers", "unequal_scales", "fine_numbers", "big_numbers")
            steps.append(Step(Scale(), "numbers of one size; those scaled above stay", codes))
            if not steps[:-1]:
                steps = [Step(Scale(), "numbers of one size", codes)]
        return steps

    def _by_stream(
        self, group: Iterable[Profile], whole: bool = False
    ) -> list[tuple[str | None, tuple[str, ...], tuple[tuple[str, str], ...]]]:
        """Part channels by stream; the stream is named where there are several, or none is."""
        streams: dict[str, list[str]] = {}
        for each in group:
            streams.setdefault(each.stream, []).append(each.channel)
        alone = whole and len(streams) == len(self.case.views)
        named = len(self.case.views) > 1 and not alone
        return [
            (stream if named else None, tuple(each), tuple((stream, name) for name in each))
            for stream, each in streams.items()
        ]
