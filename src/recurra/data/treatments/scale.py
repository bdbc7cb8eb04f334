"""Bring numbers to the size a network reads best, and back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recurra.data.sequences import STATIC, SequenceDataset, Stream
from recurra.data.treatments.scaling import (
    CONSTANT,
    NEVER,
    PLAIN,
    Scaling,
    cast,
    check_method,
    stacked,
    unstacked,
)
from recurra.data.treatments.scaling_fit import learn_scaling, record_scaling
from recurra.data.treatments.stream_treatment import (
    StreamTreatment,
    as_floats,
    learned_of,
    list_names,
)
from recurra.data.treatments.treatment import Learned
from recurra.errors import DataError, OptionError, near
from recurra.types import Array, Floats

__all__ = ["Scale"]

PER_RECORD = ("standard", "robust", "minmax")


@dataclass(frozen=True, repr=False)
class Scale(StreamTreatment):
    """Bring numbers to the size a network reads best; learned from what was observed.

    ===============  =========================================================================
    method           x becomes
    ===============  =========================================================================
    ``standard``     (x − mean) / standard deviation
    ``robust``       (x − median) / distance of the quartiles, or standard deviation where 0
    ``minmax``       (x − smallest) / (largest − smallest)
    ``quantile``     the normal score of its rank, straight between up to 1000 quantiles
    ``log``          ± log(1 + abs(x) / u), u the median of abs(x) ≠ 0; then as ``standard``
    ``boxcox``       the power of x / geometric mean most nearly normal, from 0 to 2, for positive
                     numbers; below the smallest a straight line; then as ``standard``
    ``yeo-johnson``  the power of x / standard deviation most nearly normal, from 0 to 2; then as
                     ``standard``
    ===============  =========================================================================

    All are monotone and can be undone, beyond the range of the training part too, where
    ``"quantile"`` goes on with its mean slope. Holes that were filled are scaled as well, NaN stays
    NaN, and nothing becomes infinite. A channel that is constant in training is only moved to 0,
    one never observed there is left as it is, both with a note; one of 0 and 1 is left alone.

    Parameters
    ----------
    method : str
        One of the methods above.
    per : {"global", "record"}
        Whether centre and spread come from the training part, or from what was observed of each
        record itself, for ``"standard"``, ``"robust"`` and ``"minmax"``. That looks at the whole of
        a record, so it looks ahead. A record whose values are equal takes the spread of the
        training part, one without values its centre too.
    stream : str, optional
        Which stream; None for every stream of measurements, and the static covariates.
    channels : sequence of str, optional
        Which channels; None for all that hold numbers.

    References
    ----------
    Box and Cox, An analysis of transformations, JRSS B 26, 1964; Yeo and Johnson, A new family of
    power transformations, Biometrika 87, 2000.

    Examples
    --------
    >>> from recurra.data.reading.arrays import from_arrays
    >>> data = from_arrays([[1.0, 2.0, 3.0], [4.0, 5.0]])
    >>> scale = Scale("minmax")
    >>> learned = scale.learn(data)
    >>> scaled = scale.apply(data, learned)
    >>> scaled.stream.values.ravel()
    array([0.  , 0.25, 0.5 , 0.75, 1.  ])
    >>> scale.undo(scaled, learned).stream.values.ravel()
    array([1., 2., 3., 4., 5.])
    >>> scale.undo_values(np.array([0.5, 2.0]), learned, "x0")
    array([3., 9.])
    """

    method: str = "standard"
    per: str = "global"

    def __post_init__(self) -> None:
        """Refuse options that do not go together."""
        super().__post_init__()
        check_method(self.method)
        if self.per not in ("global", "record"):
            raise OptionError(f"per={self.per!r}, but it is 'global' or 'record'.")
        if self.per == "record" and self.method not in PER_RECORD:
            names = ", ".join(map(repr, PER_RECORD))
            raise OptionError(f"{self.method!r} is not for each record. Use one of {names}.")

    @property
    def causal(self) -> bool:
        """Whether a step is scaled without a look at later steps."""
        return self.per == "global"

    @property
    def stepwise(self) -> bool:
        """Whether steps can be scaled as they come."""
        return self.per == "global"

    def learn_stream(self, stream: Stream, columns: list[int]) -> Learned:
        """Learn the map of each channel from what was observed."""
        mask = stream.mask
        each = {stream.channels[k]: stream.values[mask[:, k], k] for k in columns}
        return stacked([self._learn_channel(name, seen) for name, seen in each.items()])

    def apply_stream(self, stream: Stream, columns: list[int], learned: Learned) -> Stream:
        """Scale the channels."""
        return self._mapped(stream, stream, columns, learned, back=False)

    def _learn_channel(self, name: str, seen: Array) -> Scaling:
        """Learn the map of one channel; what it cannot scale is refused by name."""
        try:
            return learn_scaling(self.method, seen.astype(np.float64))
        except DataError as error:
            message = str(error).split(" (", 1)[0]
            raise DataError(
                message, code=error.code, column=name, value=error.value, hint=error.hint
            ) from error

    def undo(
        self, dataset: SequenceDataset, learned: Learned, original: SequenceDataset | None = None
    ) -> SequenceDataset:
        """Scale a data set back.

        Parameters
        ----------
        dataset : SequenceDataset
            Scaled; channels that were left out since are passed over.
        learned : dict of str
            What `learn` returned.
        original : SequenceDataset, optional
            For ``per="record"``: the data as they were before, with the same records.

        Returns
        -------
        SequenceDataset
            In the units of before.

        Raises
        ------
        DataError
            If the records of `original` are others.
        """
        if self.per == "record" and original is None:
            message = "Each record was scaled by itself"
            raise OptionError(f"{message}. Give undo the data set of before, original=...")
        source = dataset if original is None else original
        if source.ids != dataset.ids:
            message = "The records of original are not those of the scaled data"
            raise DataError(message, code="record_count", hint="Give both in the same order.")
        streams, static = dict(dataset.streams), dataset.static
        for name in (key.removesuffix("/channels") for key in learned if key.endswith("/channels")):
            now, then = (_stream_of(each, name) for each in (dataset, source))
            if now is not None and then is not None:
                own = learned_of(name, learned)
                undone = self._undone(now, then, own)
                streams, static = (
                    (streams, undone) if name == STATIC else ({**streams, name: undone}, static)
                )
        return replace(dataset, streams=streams, static=static)

    def undo_values(
        self, values: Array, learned: Learned, channel: str, stream: str | None = None
    ) -> Floats:
        """Scale values of one channel back, such as a network's forecasts of it.

        Parameters
        ----------
        values : ndarray
            Of any shape.
        learned : dict of str
            What `learn` returned.
        channel : str
            Which channel they are of.
        stream : str, optional
            Of which stream; needed where several have a channel of that name.

        Returns
        -------
        ndarray of float64
            Of the same shape, in the units of before.
        """
        if self.per == "record":
            raise OptionError("Each record was scaled by itself: use undo, with original=...")
        have = {
            key.removesuffix("/channels"): names
            for key, names in learned.items()
            if key.endswith("/channels") and stream in (None, key.removesuffix("/channels"))
        }
        found = [name for name, names in have.items() if channel in names]
        if len(found) != 1:
            known = [f"{name}/{each}" for name, names in have.items() for each in names]
            message = f"{len(found) or 'No'} streams have a scaled channel {channel!r}"
            raise OptionError(f"{message}. Say which with stream=... {near(channel, known)}")
        own = learned_of(found[0], learned)
        return unstacked(self.method, own, own["channels"].index(channel)).backward(values)

    def remarks(self, learned: Learned) -> list[str]:
        """Name the channels that could not be scaled."""
        said = {
            CONSTANT: "Constant in the training part, so moved to 0 and not scaled",
            NEVER: "Never observed in the training part, so not scaled",
        }
        names = {
            sort: [
                n for n, s in zip(learned["channels"], learned["sort"], strict=True) if s == sort
            ]
            for sort in said
        }
        return [f"{text}: {list_names(names[sort])}." for sort, text in said.items() if names[sort]]

    def _undone(self, now: Stream, then: Stream, learned: Learned) -> Stream:
        """Scale one stream back, by the channels it still has."""
        keep = [k for k, name in enumerate(learned["channels"]) if name in now.channels]
        names = [learned["channels"][k] for k in keep]
        own = {key: [value[k] for k in keep] for key, value in learned.items()}
        columns = [now.channels.index(name) for name in names]
        return self._mapped(now, then, columns, own, back=True)

    def _mapped(
        self, stream: Stream, then: Stream, columns: list[int], learned: Learned, *, back: bool
    ) -> Stream:
        """Map channels forth or back; centre and spread of records are those of `then`."""
        values = as_floats(stream.values)
        for place, column in enumerate(columns):
            scaling = unstacked(self.method, learned, place)
            if self.per == "record" and scaling.sort != PLAIN:
                source = then.channels.index(stream.channels[column])
                seen = (then.values[:, source], then.mask[:, source])
                centre, spread = record_scaling(self.method, *seen, then.offsets)
                found = _by_record(values[:, column], centre, spread, scaling, stream, back)
            else:
                found = (scaling.backward if back else scaling.forward)(values[:, column])
            values[:, column] = cast(found, values.dtype)
        return replace(stream, values=values)


def _by_record(
    values: Array, centre: Floats, spread: Floats, usual: Scaling, stream: Stream, back: bool
) -> Floats:
    """Map one channel with the centre and the spread of each record."""
    each = np.repeat(np.where(np.isnan(centre), usual.centre, centre), stream.lengths)
    size = np.repeat(np.where(np.isnan(spread), usual.spread, spread), stream.lengths)
    with np.errstate(over="ignore", invalid="ignore"):
        return values * size + each if back else (values - each) / size


def _stream_of(dataset: SequenceDataset, name: str) -> Stream | None:
    """Find a stream, or the static covariates, if they are there."""
    return dataset.static if name == STATIC else dataset.streams.get(name)
