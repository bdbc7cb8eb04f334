"""A doctor who is there while a network learns, and warns as soon as something goes wrong."""

from __future__ import annotations

import logging
import math
import warnings
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor, nn

from recurra.auditing.phrases import number, plural
from recurra.diagnosing.advising import Advising
from recurra.diagnosing.curves import curve_of
from recurra.diagnosing.examined import Examined
from recurra.diagnosing.finding import Finding
from recurra.diagnosing.judging import GROWS, HOP, NOISES, RELAPSE, judge_layer
from recurra.diagnosing.measures import Measures, measure
from recurra.errors import TrainingWarning, check_count
from recurra.layers.recurrent import Recurrent
from recurra.training import Log, Moment

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Doctor"]

logger = logging.getLogger("recurra.training")

RECORDS, STEPS = 16, 128  # of a batch that are gone through step by step: some milliseconds
SHORT, LONG = 3.0, 10.0
"""A memory that ends within so many steps, of records of that many or more, is hardly one."""
JUMP = 1000.0
"""Times its median that a gradient is when it explodes: far beyond what batches differ by."""
FEWEST = 5  # looks from which a median is taken
BACKWARDS = 50  # the last steps whose loss is compared with the beginning, as a share: 1 / 50
NAMES = {"elman": "rnn", "jordan": "jordan", "lstm": "lstm", "gru": "gru"}


class Doctor:
    """Looks at a network every some steps of its training, and warns once of each kind of illness.

    Exploding and vanishing gradients, gates that are saturated or forget all, dead units, weights
    that jump, a loss that rises above where it began. A look runs the last batch once more, without
    dropout, and changes nothing: weights come out the same to the bit.

    Parameters
    ----------
    every : int
        Steps between two looks.

    Attributes
    ----------
    findings : list of Finding
        What was warned of, in order.

    Raises
    ------
    OptionError
        If `every` is no positive integer.

    Examples
    --------
    ``model.fit(X, y, callbacks=[Doctor(every=50)])``. Each look is logged to ``recurra.training``
    at level INFO; warnings are of `recurra.errors.TrainingWarning`.

    >>> Doctor(every=20).every
    20
    """

    def __init__(self, every: int = 50) -> None:
        check_count("every", every)
        self.every = int(every)
        self.findings: list[Finding] = []
        self._losses: list[float] = []
        self._lengths: list[float] = []  # of gradients
        self._before: dict[str, Tensor] = {}

    def __enter__(self) -> Doctor:
        """Forget the training before."""
        self.findings, self._losses, self._lengths, self._before = [], [], [], {}
        return self

    def __exit__(self, *_: object) -> None:
        """Keep what was found, and nothing of the network."""
        self._before = {}

    def __call__(self, moment: Moment) -> None:
        """See a step, and look closely every some steps.

        Parameters
        ----------
        moment : Moment
            The training after it.
        """
        self._losses.append(moment.loss)
        self._tell(self._moved(moment), moment.step)
        if moment.step % self.every:
            if len(self._losses) == 1:
                self._keep(moment.model)
            return
        self._tell(self._course(), moment.step)
        if moment.batch is not None:
            self._tell(self._look(moment), moment.step)
        self._keep(moment.model)

    def _keep(self, model: nn.Module) -> None:
        """Keep the recurrent weights until the next step."""
        self._before = {name: each.detach().clone() for name, each in _fed_back(model)}

    def _tell(self, found: Iterable[Finding], step: int) -> None:
        """Warn of what was not warned of before."""
        known = {each.code for each in self.findings}
        for each in found:
            if each.level != "note" and each.code not in known:
                known.add(each.code)
                self.findings.append(each)
                warnings.warn(f"step {step}: {each}", TrainingWarning, stacklevel=4)

    def _moved(self, moment: Moment) -> Iterable[Finding]:
        """Compare recurrent weights with those of the step before, where they were kept."""
        before, self._before = self._before, {}
        if not before:
            return
        for name, each in _fed_back(moment.model):
            size = float(before[name].norm()) if name in before else 0.0
            hop = float((each.detach() - before[name]).norm()) / size if size else 0.0
            if hop > HOP or not math.isfinite(hop):
                told = f"One step moved {name!r} by {number(hop)} times its size."
                advice = Advising({}).slower(moment.options.learning_rate, hop)
                yield Finding("learning_rate", "warning", told, advice, name, {"hop": hop})
                return

    def _course(self) -> Iterable[Finding]:
        """Look at the loss so far."""
        curve = curve_of(Log(loss=self._losses))
        if curve is None:
            return
        last = max(curve.steps // BACKWARDS, 5)
        start, now = curve.start, float(np.mean(np.nan_to_num(curve.loss[-last:], nan=np.inf)))
        rose = max(RELAPSE * curve.gain, NOISES * curve.noise, 1e-9)
        if not np.isfinite(now) or (curve.relapse > rose and now - start > NOISES * curve.noise):
            told = f"The loss is {number(now)}, and was {number(start)} at first."
            advice = Advising({}).slower(None, float("nan"))
            yield Finding("diverging", "warning", told, advice, None, {"loss": now})

    def _look(self, moment: Moment) -> Iterable[Finding]:
        """Run the last batch once more, and look at layers and gradients."""
        batch = moment.batch
        few = batch.rows(0, min(RECORDS, len(batch))) if hasattr(batch, "rows") else batch
        examined = Examined(type(moment.model).__name__, moment.model, few, RECORDS)
        found = measure(examined, records=RECORDS, steps=STEPS)
        if not found.is_finite:
            told = "Weights, or what a layer says, are not finite."
            yield Finding("not_finite", "warning", told, Advising({}).slower(None, float("nan")))
            return
        length = math.sqrt(sum(each.gradient**2 for each in found.parameters))
        _log(moment, found, length)
        self._lengths.append(length)
        usual = float(np.median(self._lengths))
        if len(self._lengths) >= FEWEST and length > JUMP * usual > 0:
            told = f"The gradient is {number(length)} long, where {number(usual)} is usual."
            yield Finding("exploding", "warning", told, Advising({}).steadier())
        for layer in found.layers:
            advising = Advising({"layer": NAMES[layer.cell]})
            for each in judge_layer(layer, advising):
                if each.code != "exploding" or layer.growth > GROWS:  # a latch may be on its way
                    yield each
            if layer.memory < SHORT and found.length >= LONG:
                told = f"The gradient of {layer.name!r} is below 1 % after {number(layer.memory)} "
                told += f"steps, of records of {number(found.length)}: it vanishes."
                advice = advising.remember(int(found.length))
                numbers = {"memory": layer.memory, "rate": layer.rate}
                yield Finding("vanishing", "warning", told, advice, layer.name, numbers)


def _fed_back(model: nn.Module) -> Iterable[tuple[str, Tensor]]:
    """Give the weights that feed states back."""
    for name, module in model.named_modules():
        if isinstance(module, Recurrent):
            for each, weight in module.named_parameters():
                if each.startswith("weight_hh"):
                    yield f"{name}.{each}", weight


def _log(moment: Moment, found: Measures, length: float) -> None:
    reach = found.memory
    told = "longer than a record" if math.isinf(reach) else plural(round(reach), "step")
    logger.info("step %d: gradient %.3g, memory %s", moment.step, length, told)
