"""Simple models, which a network has to beat: linear models of what sums a record up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, hstack

from recurra.data import SequenceDataset, Stream
from recurra.estimators.learning.record_inputs import all_streams

if TYPE_CHECKING:
    from recurra.types import Array

__all__ = ["Summary", "linear_classifier", "linear_regressor", "sample"]

MOST = 3000  # records that a simple model learns from
SUMS = ("mean", "std", "min", "max", "first", "last")


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
        sparse matrix, shape (records, numbers)
            The sums.
        """
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        numbers, texts = _numbers(dataset), _texts(dataset)
        self.numbers = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler())
        parts = [csr_matrix(self.numbers.fit_transform(numbers))]
        self.words = None
        if any(texts):
            letters = max(len(each) for text in texts for each in text) == 1
            self.words = TfidfVectorizer(analyzer=lambda text: _grams(text, 3 if letters else 2))
            parts.append(self.words.fit_transform(texts))
        return hstack(parts).tocsr()

    def transform(self, dataset: SequenceDataset) -> Any:
        """Sum up other records.

        Parameters
        ----------
        dataset : SequenceDataset
            Records, not treated.

        Returns
        -------
        sparse matrix, shape (records, numbers)
            The sums.
        """
        parts = [csr_matrix(self.numbers.transform(_numbers(dataset)))]
        if self.words is not None:
            parts.append(self.words.transform(_texts(dataset)))
        return hstack(parts).tocsr()


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
    from sklearn.linear_model import Ridge

    summary = Summary()
    learned = Ridge(alpha=1.0).fit(summary.fit_transform(kept), numbers)
    answer: Array = learned.predict(summary.transform(part)).reshape(len(part), -1)
    return answer


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
    for stream in all_streams(dataset).values():
        if stream.kind not in ("values", "signal"):
            continue
        measured = [k for k, name in enumerate(stream.channels) if name not in stream.categories]
        if not measured:
            continue
        values = np.where(stream.mask[:, measured], stream.values[:, measured], np.nan)
        sums = pd.DataFrame(values).groupby(stream.owners).agg(list(SUMS))
        columns.append(sums.reindex(range(len(dataset))).to_numpy(float))
    return np.concatenate(columns, 1)


def _texts(dataset: SequenceDataset) -> list[list[str]]:
    """List the tokens and categories of each record, as words."""
    texts: list[list[str]] = [[] for _ in dataset.ids]
    for stream in all_streams(dataset).values():
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
