"""From what was measured to what is wrong: each illness by what the network does, with advice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from recurra.auditing.finding import LEVELS, Level
from recurra.auditing.phrases import names, number, percent, plural, quoted
from recurra.diagnosing.advising import Advising
from recurra.diagnosing.curves import first_moves
from recurra.diagnosing.examined import Examined
from recurra.diagnosing.finding import Finding
from recurra.diagnosing.finite import Broken
from recurra.diagnosing.measures import LayerMeasures, Measures
from recurra.diagnosing.remains import Relation

__all__ = ["judge", "judge_layer"]

MISSED = 0.05
"""Share of the variance of the answer that has to be left on the table: less is no illness, since a
network that is stopped early or decays its weights shrinks every answer by a little."""
REPEATS = 0.3
"""Of residuals with earlier ones of their own: below it, these foretell less than a tenth."""
FADES = 0.8
"""A gradient that loses a fifth at each step is below 1 % after 20."""
GROWS = 100.0
"""Times that a gradient grows on its way back: its sum over steps is then that of a few early ones.
A layer that latches what it read first, and does it well, makes it grow some fifty times."""
WILD, LASTS = 1.3, 0.95
"""Spectral radius from which a tanh layer stretches a small state into a motion of its own; and the
rate from which gradients do not fade. Layers that foretell well stay below 1.2, but for latches,
which have 2 or 3: so it is an illness only where the answers are not sound."""
SOUND = 0.5
"""Share of the variance of the answer that is explained where a network does what it is to do."""
FORGETS = 0.1
"""A gate that keeps less than a tenth of a state has forgotten it after two steps."""
STUCK, STUCK_GATE = 0.5, 0.9
"""Shares of saturated values: of all gates together, and of one of them."""
DEAD = 0.2
"""Share of units that may be dead before it is an illness: relu networks live with a few."""
LARGE, SMALL = 25.0, 1e-3
"""Root mean squares of a column that is not scaled: gates are flat beyond 4, and weights begin near
a tenth, so that 25 moves one into its corner by itself; what is below 1e-3 is not felt."""
RELAPSE, NOISES = 1.0, 8.0
"""A loss that rises by all it had ever gained, and far beyond what batches differ by."""
FAILED = 0.1
"""Share of steps without a finite gradient: now and then one overflows, but not every tenth."""
HOP = 0.5
"""Sizes of a weight that one step of Adam moves it by: good rates are near a fiftieth."""
FLAT = 2.0
"""Times what the smoothed loss varies by chance: a loss that ends no lower has not fallen."""
LATE = 0.15
"""Share of all that a loss gained which it gained in the last tenth of the steps."""
OVERFIT = 0.3
"""Share of what the validation loss had gained that it lost again."""
TOO_SURE = 0.1
"""Expected calibration error: probabilities are off by ten points."""
DRIFT = 1.5
"""How many times the loss of the last quarter of a record is that of the second."""


def judge(measures: Measures, examined: Examined) -> tuple[Finding, ...]:
    """Say what is wrong.

    Parameters
    ----------
    measures : Measures
        What was measured.
    examined : Examined
        Of what: advice is in terms of its options.

    Returns
    -------
    tuple of Finding
        The worst first.
    """
    advising = Advising(examined.options)
    found = [*_finite(measures, examined)]
    if not found:
        sound = None if np.isnan(measures.skill) else measures.skill > SOUND
        for layer in measures.layers:
            found += judge_layer(layer, advising, sound)
        found += _memory(measures, advising)
        found += _answers(measures, advising)
    found += _columns(measures)
    found += _training(measures, examined, advising)
    return tuple(sorted(found, key=lambda each: LEVELS.index(each.level)))


def judge_layer(
    layer: LayerMeasures, advising: Advising, sound: bool | None = None
) -> list[Finding]:
    """Say what is wrong with one layer, whatever it was to learn.

    Parameters
    ----------
    layer : LayerMeasures
        What was measured of it.
    advising : Advising
        Knows the options.
    sound : bool, optional
        Whether the answers are good; None where that is not known.

    Returns
    -------
    list of Finding
        Exploding gradients, gates that forget or are saturated, dead units.
    """
    return [*_exploding(layer, advising, sound), *_gates(layer, advising), *_units(layer, advising)]


# ------------------------------------------------------------------ numbers that are none


def _finite(measures: Measures, examined: Examined) -> Iterator[Finding]:
    if measures.hole is not None:
        stream, channel, record, row = measures.hole
        place = f"record {quoted(record)}, row {row}, column {quoted(channel)}"
        yield Finding(
            "not_finite",
            "warning",
            f"What the network reads is not finite: the first is in {place} of {quoted(stream)}.",
            'Leave treatments="auto", or add Fill() and Outliers() to them.',
            channel,
            {"record": record, "row": row, "column": channel},
        )
    if measures.broken_weight is not None:
        broken = measures.broken_weight
        yield Finding(
            "not_finite",
            "warning",
            f"{plural(broken.count, 'number')} of the weight {broken.where!r} "
            f"{'is' if broken.count == 1 else 'are'} not finite: the first is {broken.value} at "
            f"{list(broken.index)}.",
            "Fit again with a lower learning_rate, or load an earlier file.",
            broken.where,
            {"index": list(broken.index), "count": broken.count},
        )
    elif measures.broken is not None and measures.hole is None:
        yield _overflow(measures.broken, examined.names)


def _overflow(broken: Broken, called: tuple[object, ...]) -> Finding:
    told = f"The {broken.where} is not finite"
    if broken.index:
        record, *rest = broken.index
        who = quoted(called[record]) if record < len(called) else str(record)
        row = f", row {rest[0]}" if len(rest) > 1 else ""
        column = f", column {rest[-1]}" if rest else ""
        told = f"{broken.where!r} says {broken.value} first: in record {who}{row}{column}"
    return Finding(
        "not_finite",
        "warning",
        f"{told}. What was read is finite, and so are the weights.",
        "Look for values many orders of magnitude apart in that record, and scale them: "
        "treatments=[Scale()].",
        broken.where,
        {"index": list(broken.index), "count": broken.count},
    )


# ------------------------------------------------------------------ layers


def _exploding(layer: LayerMeasures, advising: Advising, sound: bool | None) -> Iterator[Finding]:
    numbers = {"rate": layer.rate, "growth": layer.growth, "radius": layer.radius}
    lasts = layer.rate > LASTS
    wild = layer.cell == "elman" and layer.radius > WILD and (lasts or sound is False)
    if not (wild or (layer.growth > GROWS and layer.rate > 1.0)):
        return
    told = []
    if layer.growth >= 2:
        grew = f"grows {number(layer.growth)} times over {plural(len(layer.gradient) - 1, 'step')}"
        told.append(f"the gradient of {layer.name!r} {grew} on its way back")
    if wild:
        radius = f"the spectral radius of {layer.name!r} is {number(layer.radius)}"
        told.append(f"{radius}, so that a small state grows by itself until tanh bounds it")
    sentence = "; ".join(told)
    level: Level = "note" if sound else "warning"
    end = ": answers are sound, as of a latch." if sound else ": gradients explode."
    advice = "" if sound else advising.steadier()
    whole = sentence[0].upper() + sentence[1:] + end
    yield Finding("exploding", level, whole, advice, layer.name, numbers)


def _gates(layer: LayerMeasures, advising: Advising) -> Iterator[Finding]:
    kept = layer.kept
    forgets = kept is not None and kept.mean < FORGETS
    if kept is not None and forgets:
        bias = f"; its bias is {layer.forget_bias:.1f}" if np.isfinite(layer.forget_bias) else ""
        yield Finding(
            "forgetting",
            "warning",
            f"The {kept.name} gate of {layer.name!r} keeps {percent(kept.mean)} of the state a "
            f"step{bias}: all is forgotten after a step or two.",
            advising.keep(layer.steps),
            layer.name,
            {"mean": kept.mean, "forget_bias": layer.forget_bias},
        )
    others = [gate for gate in layer.gates if not (forgets and gate.name == "forget")]
    shares = {gate.name: gate.saturated for gate in others}
    if shares and (np.mean([*shares.values()]) > STUCK or max(shares.values()) > STUCK_GATE):
        said = ", ".join(f"{name} {percent(share)}" for name, share in shares.items())
        told = f"The gates of {layer.name!r} are saturated, below .02 or above .98: {said}."
        yield Finding("saturated", "warning", told, advising.softer(), layer.name, shares)
    elif layer.flat > STUCK:
        told = f"{percent(layer.flat)} of what the units of {layer.name!r} say is beyond ±.98."
        numbers = {"flat": layer.flat}
        yield Finding("saturated", "warning", told, advising.softer(), layer.name, numbers)


def _units(layer: LayerMeasures, advising: Advising) -> Iterator[Finding]:
    dead, share = len(layer.dead), len(layer.dead) / max(layer.units, 1)
    if not dead:
        return
    zero, advice = "", advising.softer()
    if layer.activation == "relu":
        zero = " (a relu that never opens)"
        advice = (
            "Fit again with a lower learning_rate, or with tanh units or gates instead of relu."
        )
    told = f"{dead} of {plural(layer.units, 'unit')} of {layer.name!r} say the same at every step"
    yield Finding(
        "dead_units",
        "warning" if share > DEAD else "note",
        f"{told} of every record{zero}: they are dead.",
        advice if share > DEAD else "",
        layer.name,
        {"units": list(layer.dead), "share": share},
    )


# ------------------------------------------------------------------ memory and answers


def _memory(measures: Measures, advising: Advising) -> Iterator[Finding]:
    """Hold what the data ask for against how far back the layers reach."""
    if not measures.layers:
        return
    memory, missed = measures.memory, _missed(measures)
    if missed is None:
        if memory < measures.length:
            told = f"Memory ends near {_steps(memory)}, of records of {number(measures.length)}"
            known = "; nothing beyond it is seen to be missed." if measures.probed else "."
            yield Finding("memory", "note", told + known, numbers={"memory": memory})
        return
    lag, what = missed
    numbers = {"memory": memory, "lag": lag}
    advice = advising.remember(int(np.ceil(lag)) + 1)
    longest = max(measures.layers, key=lambda each: each.memory)
    if longest.rate < FADES:
        told = f"The gradient of {longest.name!r} falls to {number(longest.rate)} of itself a step"
        told += f", below 1 % after {number(memory)}, and {number(lag)} are needed: it vanishes."
        more = {"rate": longest.rate, "radius": longest.radius}
        yield Finding("vanishing", "warning", told, advice, longest.name, {**numbers, **more})
    told = f"Memory ends near {_steps(memory)}, but {what}."
    yield Finding("short_memory", "warning", told, advice, longest.name, numbers)


def _missed(measures: Measures) -> tuple[float, str] | None:
    """Find what lies beyond the memory and is missing in the answers."""
    memory, left = measures.memory, measures.left
    if left and left[0].share >= MISSED and left[0].lag > memory:
        best = left[0]
        told = f"{_where(best)} still explains {percent(best.share)} of the answer"
        return best.lag, told
    found = measures.autocorrelation
    if found is None:
        return None
    lag = int(np.abs(found.values[1:]).argmax()) + 1
    size = abs(float(found.values[lag]))
    if size < max(REPEATS, found.bound) or lag <= memory:
        return None
    what = "the period is" if lag in measures.seasons else "residuals repeat after"
    return float(lag), f"{what} {lag} (their correlation is {found.values[lag]:.2f})"


def _answers(measures: Measures, advising: Advising) -> Iterator[Finding]:
    """Say what residuals still hold, and whether probabilities are right."""
    left, found = measures.left, measures.autocorrelation
    if left and left[0].share >= MISSED and left[0].lag <= measures.memory:
        best = left[0]
        told = f"{_where(best)} still explains {percent(best.share)} of the answer, although the "
        told += "layers reach that far."
        numbers = {"share": best.share, "lag": best.lag}
        yield Finding("structure_left", "advice", told, advising.learn_more(), None, numbers)
    if found is not None:
        lag = int(np.abs(found.values[1:]).argmax()) + 1
        value = float(found.values[lag])
        if abs(value) >= max(REPEATS, found.bound) and lag <= measures.memory:
            told = f"Residuals go with those of {plural(lag, 'step')} before: their correlation is "
            told += f"{value:.2f} (Ljung–Box p = {found.p_value:.1g})."
            numbers = {"lag": lag, "correlation": value, "p_value": found.p_value}
            yield Finding("structure_left", "advice", told, advising.learn_more(), None, numbers)
    sure = measures.reliability
    if sure is not None and sure.error > max(TOO_SURE, sure.chance):
        way = "too sure" if sure.sure > 0 else "not sure enough"
        told = f"Probabilities are {way}: the expected calibration error is {sure.error:.2f}."
        numbers = {"error": sure.error, "sure": sure.sure}
        yield Finding("calibration", "advice", told, advising.calibrate(), None, numbers)
    yield from _positions(measures)


def _positions(measures: Measures) -> Iterator[Finding]:
    if measures.by_position is None:
        return
    known = measures.by_position[np.isfinite(measures.by_position)]
    if len(known) < 8:
        return
    quarter = len(known) // 4
    middle, late = known[quarter : 2 * quarter].mean(), known[-quarter:].mean()
    if middle > 0 and late > DRIFT * middle:
        told = f"The loss is {number(late)} late in a record, and {number(middle)} earlier: it "
        told += "gets worse along the way."
        numbers = {"early": float(middle), "late": float(late)}
        yield Finding("late_loss", "note", told, "", None, numbers)


def _where(relation: Relation) -> str:
    """Say which number residuals go with."""
    first, last = relation.first, relation.last
    name = relation.name if "×" in relation.name or "²" in relation.name else quoted(relation.name)
    side = "steps before the last" if relation.from_end else "steps after the first"
    return f"{name} {first if first == last else f'{first} to {last}'} {side}"


def _steps(memory: float) -> str:
    return plural(round(memory), "step")


# ------------------------------------------------------------------ inputs and training


def _columns(measures: Measures) -> Iterator[Finding]:
    large = [each for each in measures.columns if each.size > LARGE]
    if large:
        most = max(large, key=lambda each: each.size)
        told = f"{names([each.channel for each in large])} {'is' if len(large) == 1 else 'are'} "
        told += f"not scaled: {quoted(most.channel)} has mean {number(most.mean)} and deviation "
        told += f"{number(most.deviation)}, where a layer reads best near 0 and 1."
        yield Finding(
            "unscaled",
            "warning",
            told,
            'Leave treatments="auto", or add Scale() to them.',
            most.channel,
            {"columns": [each.channel for each in large], "size": most.size},
        )
    small = [each for each in measures.columns if each.deviation > 0 and each.size < SMALL]
    if small:
        told = f"{names([each.channel for each in small])} {'is' if len(small) == 1 else 'are'} so "
        told += f"small, {number(small[0].size)}, that no layer feels it."
        advice = 'Leave treatments="auto", or add Scale() to them.'
        numbers = {"columns": [each.channel for each in small]}
        yield Finding("unscaled", "warning", told, advice, small[0].channel, numbers)


def _training(measures: Measures, examined: Examined, advising: Advising) -> Iterator[Finding]:
    curve, options = measures.curve, examined.training
    if curve is None:
        return
    hop = float("nan")
    if options is not None and measures.layers:
        hop = first_moves(options, min(each.units for each in measures.layers))
    relapsed = curve.relapse > max(RELAPSE * curve.gain, NOISES * curve.noise, 1e-9)
    failed = relapsed or curve.slowed > 0 or curve.skipped > FAILED * curve.steps
    if failed or hop > HOP:
        told = []
        if relapsed:
            told.append(
                f"the loss rose by {number(curve.relapse)}, when it had fallen by "
                f"{number(curve.gain)} in all"
            )
        if curve.skipped:
            told.append(f"{plural(curve.skipped, 'step')} had no finite gradient")
        if hop > HOP:
            told.append(f"a step moves a recurrent weight by {number(hop)} times its first size")
        rate = None if options is None else options.learning_rate
        numbers = {"relapse": curve.relapse, "gain": curve.gain, "skipped": curve.skipped}
        sentence = f"The learning rate was too high: {'; '.join(told) or 'weights went back'}."
        level: Level = "warning" if failed else "advice"
        advice = advising.slower(rate, hop)
        yield Finding("learning_rate", level, sentence, advice, None, numbers)
    elif curve.start - curve.end < FLAT * curve.noise:
        told_flat = f"Nothing was learned: the loss began at {number(curve.start)} and ended at "
        told_flat += f"{number(curve.end)}."
        yield Finding("flat", "warning", told_flat, advising.wake(), None, {"gain": curve.gain})
    elif curve.late > LATE and curve.late * curve.gain > 4 * curve.noise:
        told_late = f"The loss still fell at the end, by {percent(curve.late)} of all it gained."
        yield Finding("falling", "advice", told_late, advising.longer(), None, {"late": curve.late})
    if curve.worsened > OVERFIT:
        best, last = curve.validation[:, 1].min(), curve.validation[-1, 1]
        told_over = f"The validation loss rose again, from {number(best)} to {number(last)}: the "
        told_over += f"weights of step {curve.best_step} were kept."
        yield Finding("overfit", "note", told_over, "", None, {"worsened": curve.worsened})
