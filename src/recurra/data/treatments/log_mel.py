"""A signal of sound as the energies of bands of frequencies, some hundred times a second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from recurra.data.offsets import offsets_of
from recurra.data.sequences import SequenceDataset, Stream, Target
from recurra.data.tables.notes import counted
from recurra.data.treatments.options import check_count
from recurra.data.treatments.stream_treatment import StreamTreatment
from recurra.data.treatments.treatment import Learned
from recurra.errors import DataError, OptionError
from recurra.types import Array, Floats

__all__ = ["LogMel", "MelBank"]

BLOCK = 2048
"""Frames that are transformed at once."""
FLOOR = 1e-8
"""Added to every energy: about what the rounding of 16 bits leaves of silence."""


@dataclass(frozen=True, repr=False)
class LogMel(StreamTreatment):
    r"""Turn a signal of sound into the logarithms of the energies of mel bands, one row a hop.

    .. math:: e_{tb} = \log\Big(10^{-8} + \sum_f m_{bf}
              \Big|\sum_{n<N} w_n x_{tH + H - N + n} \, e^{-2πifn/F}\Big|^2\Big)

    with a Hann window :math:`w` of :math:`N` samples, hops of :math:`H`, and triangles :math:`m_b`
    that stand at equal distances on the mel scale :math:`2595 \log_{10}(1 + f / 700)` (Davis and
    Mermelstein 1980). Integers are read as parts of full scale. Row ``t`` ends with the sample
    before ``(t + 1) · hop``: nothing of it is from later, before the first sample there is silence,
    and samples after the last whole hop are not read. A label of each sample becomes one of each
    hop, that of its last sample. Samples that are missing are read as silence, with a note.

    Rows are as far from zero as the recording is loud; let `Scale` follow, which learns the mean
    and the spread of each band from the training part.

    Parameters
    ----------
    bands : int
        How many bands.
    window, hop : float
        Seconds of sound that a row is made of, and from one row to the next.
    lowest, highest : float
        Frequencies in hertz between which the bands are; `highest` is half the rate by default.
    centred : bool
        Whether to take each record's mean from each band, which makes microphones alike, but looks
        ahead: not for streaming.
    stream : str, optional
        Which stream; None for every signal with a rate.
    channels : sequence of str, optional
        Which channels; None for all. Each gives bands of its own.

    Raises
    ------
    DataError
        ``other_rate`` where a part has other samples a second than the training part.
    OptionError
        If there is no signal with a rate, or the bands are too many for the window.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(1600) / 8000)[:, None]
    >>> sound = Stream(tone, np.array([0, 1600]), ("mono",), "signal", rate=8000.0)
    >>> data = SequenceDataset(("a",), {"audio": sound})
    >>> heard = LogMel(bands=20).apply(data, LogMel(bands=20).learn(data)).stream
    >>> heard, heard.rate
    (Stream(1 records, 20 steps of values: mel0, mel1, mel2, mel3, …), 100.0)
    >>> int(heard.values[10].argmax())
    9
    """

    bands: int = 40
    window: float = 0.025
    hop: float = 0.01
    lowest: float = 20.0
    highest: float | None = None
    centred: bool = False

    kinds = ("signal",)

    def __post_init__(self) -> None:
        """Refuse what no signal could be cut into."""
        super().__post_init__()
        check_count("bands", self.bands, 1)
        if not 0 < self.hop <= self.window:
            message = f"hop={self.hop!r} and window={self.window!r}"
            raise OptionError(f"{message}, but a hop is longer than 0 and no longer than a window.")
        if not 0 <= self.lowest < (self.highest or np.inf):
            message = f"lowest={self.lowest!r} and highest={self.highest!r}"
            raise OptionError(f"{message}, but bands go from 0 or more hertz upwards.")

    @property
    def causal(self) -> bool:
        """Whether a row is made without a look at later samples."""
        return not self.centred

    def learn(self, dataset: SequenceDataset) -> Learned:
        """Learn the rate of each signal."""
        learned = super().learn(dataset)
        if not learned:
            message = "There is no signal with a rate to be heard"
            raise OptionError(f"{message}. Read one with recurra.data.from_audio.")
        return learned

    def learn_stream(self, stream: Stream, columns: list[int]) -> Learned:  # noqa: ARG002
        """Learn how many samples a second there are."""
        if stream.rate is None:
            raise OptionError("A signal without a rate has no frequencies. Make it with rate=.")
        self.bank(stream.rate)
        return {"rate": stream.rate}

    def apply(self, dataset: SequenceDataset, learned: Learned) -> SequenceDataset:
        """Hear each signal, and give each hop the label of its last sample."""
        before, targets = dataset.streams, {}
        for name, target in dataset.targets.items():
            if target.level == "step" and f"{target.stream}/rate" in learned:
                stream = before[str(target.stream)]
                targets[name] = _target_of_hops(target, stream, self.bank(stream.rate or 0.0).hop)
        bare = replace(
            dataset, targets={k: v for k, v in dataset.targets.items() if k not in targets}
        )
        return super().apply(bare, learned).with_targets(**targets)

    def apply_stream(self, stream: Stream, columns: list[int], learned: Learned) -> Stream:
        """Hear one signal."""
        _check_rate(stream, learned)
        bank = self.bank(stream.rate or 0.0)
        lengths = stream.lengths // bank.hop
        offsets = offsets_of(lengths)
        heard = np.empty((int(offsets[-1]), len(columns) * self.bands), np.float32)
        for i in range(len(stream)):
            samples, seen, _ = stream.at(i)
            rows = heard[offsets[i] : offsets[i + 1]]
            for place, column in enumerate(columns):
                sound = as_sound(samples[:, column], seen[:, column])
                part = slice(place * self.bands, (place + 1) * self.bands)
                rows[:, part] = bank.frames(np.concatenate([bank.silence, sound]))
            if self.centred and len(rows):
                rows -= rows.mean(0)
        names = self._names([stream.channels[k] for k in columns])
        return Stream(heard, offsets, names, rate=(stream.rate or 0.0) / bank.hop)

    def findings(self, before: Stream, after: Stream, learned: Learned) -> list[str]:  # noqa: ARG002
        """Say how many samples were missing."""
        missing = 0 if before.observed is None else int((~before.observed).sum())
        if not missing:
            return []
        return [
            f"{counted(missing, 'missing sample was', 'missing samples were')} read as silence."
        ]

    def bank(self, rate: float) -> MelBank:
        """Make the windows and bands for a rate.

        Parameters
        ----------
        rate : float
            Samples a second.

        Returns
        -------
        MelBank
            What hears, block after block.
        """
        return MelBank(self, rate)

    def _names(self, channels: list[str]) -> tuple[str, ...]:
        """Call the bands by number, and by channel where there are several."""
        before = [""] if len(channels) == 1 else [f"{name} " for name in channels]
        return tuple(f"{name}mel{band}" for name in before for band in range(self.bands))

    def _streams(self, dataset: SequenceDataset) -> dict[str, Stream]:
        """Choose the signals to be heard."""
        if self.stream is not None:
            return super()._streams(dataset)
        return {
            name: each
            for name, each in dataset.streams.items()
            if each.kind == "signal"
            and each.rate is not None
            and (self.channels is None or set(self.channels) & set(each.channels))
        }


class MelBank:
    """Windows and bands for one rate of samples.

    Parameters
    ----------
    options : LogMel
        How many bands, between which frequencies, and how long windows and hops are.
    rate : float
        Samples a second.

    Attributes
    ----------
    size, hop : int
        Samples of a window, and from one to the next.
    bands : ndarray of float64, shape (bands, frequencies)
        How much of each frequency is in each band.
    centres : ndarray of float64, shape (bands,)
        The frequency in the middle of each band, in hertz.
    silence : ndarray of float64, shape (size - hop,)
        What stands before the first sample.
    """

    def __init__(self, options: LogMel, rate: float) -> None:
        self.size, self.hop = (
            max(round(options.window * rate), 1),
            max(round(options.hop * rate), 1),
        )
        self.silence = np.zeros(self.size - self.hop)
        self._window = np.hanning(self.size + 2)[1:-1]
        self._width = 2 ** (int(np.ceil(np.log2(self.size))) + 1)
        highest = min(options.highest or rate / 2, rate / 2)
        if highest <= options.lowest:
            message = f"lowest={options.lowest:g}, but a signal of {rate:g} samples a second"
            raise OptionError(f"{message} has frequencies up to {rate / 2:g} hertz only.")
        edges = _hertz(np.linspace(_mel(options.lowest), _mel(highest), options.bands + 2))
        self.centres = edges[1:-1]
        found = np.fft.rfftfreq(self._width, 1 / rate)
        up = (found - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
        down = (edges[2:, None] - found) / (edges[2:] - edges[1:-1])[:, None]
        self.bands = np.clip(np.minimum(up, down), 0.0, None)
        if not self.bands.any(1).all():
            message = f"bands={options.bands} between {options.lowest:g} and {highest:g} hertz"
            hint = "Use fewer bands, or a longer window."
            raise OptionError(f"{message} are narrower than {self.size} samples can tell. {hint}")

    def frames(self, samples: Floats) -> Array:
        """Hear all whole windows of some samples.

        Parameters
        ----------
        samples : ndarray of float64, shape (samples,)
            The first window starts with the first of them.

        Returns
        -------
        ndarray of float32, shape (frames, bands)
            The logarithms of the energies.
        """
        if len(samples) < self.size:
            return np.zeros((0, len(self.bands)), np.float32)
        windows = sliding_window_view(samples, self.size)[:: self.hop]
        heard = np.empty((len(windows), len(self.bands)), np.float32)
        for start in range(0, len(windows), BLOCK):
            spectrum = np.fft.rfft(windows[start : start + BLOCK] * self._window, self._width)
            power = spectrum.real**2 + spectrum.imag**2
            heard[start : start + BLOCK] = np.log(power @ self.bands.T + FLOOR)
        return heard


def as_sound(samples: Array, seen: Array | None = None) -> Floats:
    """Bring samples to parts of full scale; what is missing is silence.

    Parameters
    ----------
    samples : ndarray, shape (samples,)
        Integers at full scale of their type, or floats.
    seen : ndarray of bool, shape (samples,), optional
        Where there is one.

    Returns
    -------
    ndarray of float64, shape (samples,)
        Of integers between -1 and 1.

    Examples
    --------
    >>> as_sound(np.array([16384, -32768], np.int16))
    array([ 0.5, -1. ])
    """
    sound = samples.astype(np.float64)
    if samples.dtype.kind == "i":
        sound /= -float(np.iinfo(samples.dtype).min)
    if seen is not None and not seen.all():
        sound[~seen] = 0.0
    return sound


def _check_rate(stream: Stream, learned: Mapping[str, object]) -> None:
    """Refuse a signal whose samples are closer together, or farther apart."""
    if stream.rate != learned["rate"]:
        raise DataError(
            f"There were {learned['rate']:g} samples a second in the training part, but here are "
            f"{stream.rate or 0:g}",
            code="other_rate",
            hint=f"Read the recordings with rate={learned['rate']:g}.",
        )


def _target_of_hops(target: Target, stream: Stream, hop: int) -> Target:
    """Pick the label of each hop's last sample."""
    lengths = stream.lengths // hop
    offsets = offsets_of(lengths)
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    rows = np.repeat(stream.offsets[:-1], lengths) + (within + 1) * hop - 1
    return replace(target, values=target.values[rows], offsets=offsets)


def _mel(hertz: float) -> float:
    return float(2595.0 * np.log10(1.0 + hertz / 700.0))


def _hertz(mel: Floats) -> Floats:
    found: Floats = 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    return found
