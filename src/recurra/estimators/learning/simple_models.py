"""Simple models, which a network has to beat: linear models of what sums a record up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.data import SequenceDataset, Stream

if TYPE_CHECKING:
    from recurra.types import Array, Booleans, Floats, Integers

__all__ = ["Summary", "linear_classifier", "linear_regressor", "sample"]

MOST = 3000  # records that a simple model learns from
PENALTY = 1.0  # of ridge regression
STILL = 1e-12  # of its size: a number that varies no more is constant


class Summary:
    """Sums records up in numbers that a linear model reads.

    Of measurements the mean, standard deviation, least, largest, first and last value of each
    channel, and the number of steps; of tokens and categories the tf-idf of single ones, pairs, and
    triples of characters.

    Examples
    --------
    >>> from recurra.data import from_arrays
    >>> data = from_arrays([[1.0, 3.0], [5.0]])
    >>> Summary().fit_transform(data).shape
    (2, 7)
    """

    def fit_transform(self, dataset: SequenceDataset) -> Any:
        """Learn the scale and the words from some records, and sum them up.

        Parameters
        ----------
        dataset : SequenceDataset
            Records, not treated.

        Returns
        -------
        ndarray or, where there are words, sparse matrix, shape (records, numbers)
            The sums.
        """
        numbers, texts = _numbers(dataset), _texts(dataset)
        known = ~np.isnan(numbers)
        self.centre = np.where(known, numbers, 0.0).sum(0) / np.maximum(known.sum(0), 1)
        spread = np.where(known, numbers, self.centre).std(0)
        self.spread = np.where(spread > STILL * np.abs(self.centre), spread, 1.0)
        self.words = None
        if not any(texts):
            return self._scaled(numbers)
        from sklearn.feature_extraction.text import TfidfVectorizer

        letters = max(len(each) for text in texts for each in text) == 1
        self.words = TfidfVectorizer(analyzer=lambda text: _grams(text, 3 if letters else 2))
        return _beside(self._scaled(numbers), self.words.fit_transform(texts))

    def transform(self, dataset: SequenceDataset) -> Any:
        """Sum up other records.

        Parameters
        ----------
        dataset : SequenceDataset
            Records, not treated.

        Returns
        -------
        ndarray or, where there are words, sparse matrix, shape (records, numbers)
            The sums.
        """
        numbers = self._scaled(_numbers(dataset))
        if self.words is None:
            return numbers
        return _beside(numbers, self.words.transform(_texts(dataset)))

    def _scaled(self, numbers: Floats) -> Floats:
        """Write numbers in standard deviations; those that are missing are the mean."""
        return np.where(np.isnan(numbers), 0.0, (numbers - self.centre) / self.spread)


def linear_classifier(kept: SequenceDataset, codes: Array, part: SequenceDataset) -> Array:
    """Answer by logistic regression on sums of records.

    Parameters
    ----------
    kept : SequenceDataset
        What is learned from.
    codes : ndarray of int, shape (records,)
        Their classes.
    part : SequenceDataset
        What is asked about.

    Returns
    -------
    ndarray of int, shape (records of part,)
        The classes.
    """
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(codes)) < 2:
        return np.full(len(part), codes[0])
    summary = Summary()
    learned = LogisticRegression(max_iter=1000, tol=1e-3, C=3.0)
    learned.fit(summary.fit_transform(kept), codes)
    answer: Array = learned.predict(summary.transform(part))
    return answer


def linear_regressor(kept: SequenceDataset, numbers: Array, part: SequenceDataset) -> Array:
    """Answer by ridge regression on sums of records.

    Parameters
    ----------
    kept : SequenceDataset
        What is learned from.
    numbers : ndarray, shape (records, outputs)
        Their numbers, all known.
    part : SequenceDataset
        What is asked about.

    Returns
    -------
    ndarray, shape (records of part, outputs)
        The numbers.
    """
    summary = Summary()
    sums, asked = summary.fit_transform(kept), summary.transform(part)
    if summary.words is None:
        return _ridge(sums, numbers, asked)
    from sklearn.linear_model import Ridge

    learned = Ridge(alpha=PENALTY).fit(sums, numbers)
    answer: Array = learned.predict(asked).reshape(len(part), -1)
    return answer


def _ridge(sums: Floats, numbers: Array, asked: Floats) -> Floats:
    """Answer by ridge regression on sums whose means are 0, without scikit-learn's import."""
    mean = numbers.mean(0)
    penalty = PENALTY * np.eye(sums.shape[1])
    weights = np.linalg.solve(sums.T @ sums + penalty, sums.T @ (numbers - mean))
    return asked @ weights + mean


def sample(dataset: SequenceDataset) -> SequenceDataset:
    """Take at most some thousand records, evenly spread, so that a simple model is quick.

    Parameters
    ----------
    dataset : SequenceDataset
        The records.

    Returns
    -------
    SequenceDataset
        Some or all of them.
    """
    if len(dataset) <= MOST:
        return dataset
    return dataset.take(np.linspace(0, len(dataset) - 1, MOST).astype(int))


def _numbers(dataset: SequenceDataset) -> Array:
    """Sum up the measurements of each record, NaN where there are none."""
    columns = [dataset.lengths[:, None].astype(float)]
    for stream in dataset.all_streams.values():
        if stream.kind not in ("values", "signal"):
            continue
        measured = [k for k, name in enumerate(stream.channels) if name not in stream.categories]
        if not measured:
            continue
        sums = np.full((len(dataset), 6 * len(measured)), np.nan)
        there = stream.lengths > 0
        if there.any():
            sums[there] = _sums(
                stream.values[:, measured].astype(float),
                stream.mask[:, measured],
                stream.offsets[:-1][there],
                stream.lengths[there],
            )
        columns.append(sums)
    return np.concatenate(columns, 1)


def _sums(values: Floats, seen: Booleans, starts: Integers, lengths: Integers) -> Floats:
    """Give mean, deviation, least, largest, first and last of each channel in each record."""
    count = np.add.reduceat(seen, starts, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.add.reduceat(np.where(seen, values, 0.0), starts) / count
        away = np.where(seen, values - np.repeat(mean, lengths, axis=0), 0.0)
        spread = np.sqrt(np.add.reduceat(away**2, starts) / np.where(count > 1, count - 1, np.nan))
    least = np.minimum.reduceat(np.where(seen, values, np.inf), starts)
    largest = np.maximum.reduceat(np.where(seen, values, -np.inf), starts)
    spread[(least == largest) & (count > 1)] = 0.0  # but for rounding
    rows = np.arange(len(values))[:, None]
    first = np.minimum.reduceat(np.where(seen, rows, len(values) - 1), starts)
    last = np.maximum.reduceat(np.where(seen, rows, 0), starts)
    sums = [
        mean,
        spread,
        least,
        largest,
        np.take_along_axis(values, first, 0),
        np.take_along_axis(values, last, 0),
    ]
    return np.concatenate([np.where(count > 0, each, np.nan) for each in sums], 1)


def _beside(numbers: Floats, words: Any) -> Any:
    """Put numbers and the tf-idf of words side by side."""
    from scipy.sparse import csr_matrix, hstack

    return hstack([csr_matrix(numbers), words]).tocsr()


def _texts(dataset: SequenceDataset) -> list[list[str]]:
    """List the tokens and categories of each record, as words."""
    texts: list[list[str]] = [[] for _ in dataset.ids]
    for stream in dataset.all_streams.values():
        for channel, labels in stream.categories.items():
            words = np.array([*map(str, labels), "?"], object)
            column = words[stream.values[:, stream.channels.index(channel)].astype(np.int64)]
            for text, start, stop in zip(texts, stream.offsets, stream.offsets[1:], strict=False):
                text += column[start:stop].tolist()
        if stream.inner is not None:
            _add_inner(texts, stream, stream.inner)
    return texts


def _add_inner(texts: list[list[str]], stream: Stream, inner: Stream) -> None:
    """Add the tokens inside the records that the steps are."""
    for labels in inner.categories.values():
        words = np.array([*map(str, labels), "?"], object)
        column = words[inner.values[:, 0].astype(np.int64)]
        starts = inner.offsets[stream.offsets]
        for text, start, stop in zip(texts, starts, starts[1:], strict=False):
            text += column[start:stop].tolist()


def _grams(text: list[str], most: int) -> list[str]:
    """List what stands side by side, up to `most` together."""
    return [
        " ".join(text[place : place + count])
        for count in range(1, most + 1)
        for place in range(len(text) - count + 1)
    ]
