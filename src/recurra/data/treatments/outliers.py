"""Find values far from the others, and clip them, take them out, or flag them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recurra.data.sequences import Stream
from recurra.data.treatments.added import with_channels
from recurra.data.treatments.hampel import window_limits
from recurra.data.treatments.options import check_count, check_number
from recurra.data.treatments.stream_treatment import StreamTreatment, as_floats
from recurra.data.treatments.treatment import Learned
from recurra.errors import OptionError, near
from recurra.types import Array, Booleans, Floats, Integers

__all__ = ["DETECTORS", "Outliers", "find_outliers"]

DETECTORS = {"robust_z": 3.5, "iqr": 1.5, "quantile": 0.005, "hampel": 3.0}
"""What is looked for, and the usual threshold."""
TREATMENTS = ("clip", "missing", "flag")
MAD_TO_STD = 1.4826
MEAN_TO_STD = 1.2533
IQR_OF_NORMAL = 1.349


@dataclass(frozen=True, repr=False)
class Outliers(StreamTreatment):
    """Find values far from the others, and clip them, take them out, or flag them.

    ============  ==================================================================  =========
    detect        a value is an outlier past                                          threshold
    ============  ==================================================================  =========
    ``robust_z``  median ± threshold · 1.4826 · MAD of the training part              3.5
    ``iqr``       the quartiles ∓ threshold · (their distance), of the training part  1.5
    ``quantile``  the quantiles threshold and 1 − threshold of the training part      0.005
    ``hampel``    the same as ``robust_z``, of the window of values around it         3
    ============  ==================================================================  =========

    MAD is the median distance to the median. Where it is 0 (more than half of the values are
    equal), 1.2533 times the mean distance stands for 1.4826 · MAD, and 1.349 times as much for the
    distance of the quartiles. In a window whose MAD is 0, the spread in the training part stands
    for it. A channel that was constant in training, or held nothing but 0 and 1, has no outliers.
    How many there are is told for each channel, and noted.

    Parameters
    ----------
    detect : {"robust_z", "iqr", "quantile", "hampel"}
        How they are found; clipping at quantiles is known as winsorising.
    threshold : float, optional
        How far is too far; by default as above.
    treat : {"clip", "missing", "flag"}
        Bring them to the nearest value that is none; say that they were not observed; or leave them
        and add a channel ``name:outlier`` of 0 and 1.
    window : int
        For ``"hampel"``: how many observed values of the record are looked at, the value itself
        among them.
    centred : bool
        Whether the window lies around the value, which looks ahead, or ends with it.
    stream : str, optional
        Which stream; None for every stream of measurements, and the static covariates.
    channels : sequence of str, optional
        Which channels; None for all that hold numbers.

    References
    ----------
    Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993; Tukey, Exploratory Data Analysis,
    1977; Hampel, The Influence Curve and its Role in Robust Estimation, 1974.

    Examples
    --------
    >>> from recurra.data.reading.arrays import from_arrays
    >>> data = from_arrays([[1.0, 2.0, 3.0, 2.0, 1.0]])
    >>> outliers = Outliers()
    >>> learned = outliers.learn(data)
    >>> outliers.apply(from_arrays([[2.0, 99.0]]), learned).stream.values.ravel()
    array([2.    , 7.1891])
    """

    detect: str = "robust_z"
    threshold: float | None = None
    treat: str = "clip"
    window: int = 7
    centred: bool = True

    def __post_init__(self) -> None:
        """Refuse options that do not go together."""
        super().__post_init__()
        _check_detector(self.detect, self.threshold, self.window)
        if self.treat not in TREATMENTS:
            raise OptionError(f"treat={self.treat!r}. {near(str(self.treat), TREATMENTS)}")

    @property
    def causal(self) -> bool:
        """Whether a step is treated without a look at later steps."""
        return self.detect != "hampel" or not self.centred

    @property
    def stepwise(self) -> bool:
        """Whether steps can be treated as they come: without a window, and nothing taken out."""
        return self.detect != "hampel" and self.treat != "missing"

    def learn_stream(self, stream: Stream, columns: list[int]) -> Learned:
        """Learn the limits, and the spread that stands in where a window has none."""
        threshold = DETECTORS[self.detect] if self.threshold is None else self.threshold
        return _learn_limits(
            stream.values[:, columns], stream.mask[:, columns], self.detect, threshold
        )

    def apply_stream(self, stream: Stream, columns: list[int], learned: Learned) -> Stream:
        """Clip, take out or flag what is past the limits."""
        values, mask = as_floats(stream.values), stream.mask.copy()
        flags = {}
        for place, column in enumerate(columns):
            low, high = self._limits(stream, column, place, learned)
            here, seen = values[:, column], mask[:, column]
            with np.errstate(invalid="ignore"):
                odd = seen & ((here < low) | (here > high))
            if self.treat == "clip":
                values[odd, column] = np.clip(here, low, high)[odd]
            elif self.treat == "missing":
                values[odd, column], mask[odd, column] = np.nan, False
            flags[f"{stream.channels[column]}:outlier"] = odd
        if self.treat == "flag":
            return with_channels(stream, flags)
        if self.treat == "clip":
            return replace(stream, values=values)
        return replace(stream, values=values, observed=mask)

    def findings(self, before: Stream, after: Stream, learned: Learned) -> list[str]:
        """Count the outliers of each channel."""
        counts = {}
        for name in learned["channels"]:
            column = before.channels.index(name)
            if self.treat == "flag":
                odd = after.values[:, after.channels.index(f"{name}:outlier")] == 1
            elif self.treat == "missing":
                odd = before.mask[:, column] & ~after.mask[:, column]
            else:
                odd = before.mask[:, column] & (before.values[:, column] != after.values[:, column])
            counts[name] = int(odd.sum())
        said = ", ".join(f"{count} of {name!r}" for name, count in counts.items() if count)
        done = {"clip": "clipped", "missing": "taken as missing", "flag": "flagged"}[self.treat]
        return [f"Outliers ({self.detect}) were {done}: {said}."] if said else []

    def _limits(
        self, stream: Stream, column: int, place: int, learned: Learned
    ) -> tuple[Array, Array]:
        """Give the limits of one channel, for all steps or for each."""
        if self.detect != "hampel":
            return learned["low"][place], learned["high"][place]
        if np.isinf(learned["spread"][place]):
            return np.array(-np.inf), np.array(np.inf)
        threshold = DETECTORS["hampel"] if self.threshold is None else self.threshold
        return window_limits(
            stream.values[:, column],
            stream.mask[:, column],
            stream.offsets,
            self.window,
            self.centred,
            threshold,
            float(learned["spread"][place]),
        )


def find_outliers(
    values: Array,
    observed: Booleans,
    offsets: Integers,
    *,
    detect: str = "robust_z",
    threshold: float | None = None,
    window: int = 7,
    centred: bool = True,
) -> Booleans:
    """Find values far from the others.

    Parameters
    ----------
    values : ndarray, shape (steps, channels)
        The values.
    observed : ndarray of bool, shape (steps, channels)
        Where there is one.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts.
    detect, threshold, window, centred
        As for `Outliers`.

    Returns
    -------
    ndarray of bool, shape (steps, channels)
        True for an outlier.

    Examples
    --------
    >>> values = np.array([[1.0], [2.0], [3.0], [2.0], [99.0]])
    >>> find_outliers(values, np.ones((5, 1), bool), np.array([0, 5])).ravel()
    array([False, False, False, False,  True])
    """
    names = tuple(map(str, range(values.shape[1])))
    stream = Stream(values, offsets, names, observed=observed)
    finder = Outliers(detect, threshold, "flag", window, centred)
    columns = list(range(values.shape[1]))
    flagged = finder.apply_stream(stream, columns, finder.learn_stream(stream, columns))
    found: Booleans = flagged.values[:, values.shape[1] :] == 1
    return found


def _check_detector(detect: str, threshold: float | None, window: int) -> None:
    """Refuse options that find nothing."""
    if detect not in DETECTORS:
        raise OptionError(f"detect={detect!r}. {near(str(detect), DETECTORS)}")
    if threshold is not None:
        check_number("threshold", threshold, positive=True)
        if detect == "quantile" and threshold >= 0.5:
            raise OptionError(f"threshold={threshold!r}, but a quantile is less than 0.5 here.")
    check_count("window", window, 3)


def _learn_limits(
    values: Array, observed: Booleans, detect: str, threshold: float
) -> dict[str, Floats]:
    """Find how far the values of each channel may go."""
    count = values.shape[1]
    low, high, spread = np.full(count, -np.inf), np.full(count, np.inf), np.full(count, np.inf)
    for k in range(count):
        seen = values[observed[:, k], k].astype(np.float64)
        if not seen.size or seen.min() == seen.max() or np.isin(seen, (0.0, 1.0)).all():
            continue
        middle = np.median(seen)
        distance = np.abs(seen - middle)
        spread[k] = MAD_TO_STD * np.median(distance) or MEAN_TO_STD * distance.mean()
        if detect == "iqr":
            first, third = np.quantile(seen, (0.25, 0.75))
            reach = (third - first) or IQR_OF_NORMAL * MEAN_TO_STD * distance.mean()
            low[k], high[k] = first - threshold * reach, third + threshold * reach
        elif detect == "quantile":
            low[k], high[k] = np.quantile(seen, (threshold, 1 - threshold))
        else:
            low[k], high[k] = middle - threshold * spread[k], middle + threshold * spread[k]
    return {"low": low, "high": high, "spread": spread}
