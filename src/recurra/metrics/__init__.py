"""How wrong a forecast was: pure functions over NumPy arrays.

One call gives one number, the mean over every observed value. A NaN in ``y`` is a value nobody
observed: it is left out and never counted. A NaN in a forecast, where there was something to
foretell, is a :class:`~recurra.errors.DataError`: a model may not choose its own questions.
Where nothing is observed at all, the answer is NaN, and no warning.

==================  =====================================  ==================================
point               quantile, interval                     whole distribution
==================  =====================================  ==================================
:func:`mae`         :func:`pinball`                        :func:`crps_from_samples`
:func:`mse`         :func:`coverage`                       :func:`crps_from_quantiles`
:func:`rmse`        :func:`interval_width`
:func:`smape`       :func:`interval_score` (Winkler)
:func:`mase`
:func:`owa`
==================  =====================================  ==================================

Of labels, one for each step: :func:`token_accuracy`, and the spans they make up
(:func:`spans_of`, :func:`span_scores`). Of transcripts: :func:`word_error_rate`,
:func:`character_error_rate`, :func:`count_edits`.

Of text, foretold token by token: :func:`perplexity`, :func:`bits_per_character`. Of anomalies:
:func:`event_scores`, :func:`nab_score`.
"""

from recurra.metrics.anomaly import (
    NAB_PROFILES,
    EventScore,
    NabProfile,
    NabScore,
    event_scores,
    events_of,
    nab_score,
)
from recurra.metrics.distribution import crps_from_quantiles, crps_from_samples
from recurra.metrics.interval import coverage, interval_score, interval_width, pinball
from recurra.metrics.language import bits_per_character, perplexity
from recurra.metrics.point import mae, mase, mse, owa, rmse, seasonal_scale, smape
from recurra.metrics.spans import (
    Span,
    SpanScore,
    is_bio,
    span_scores,
    spans_of,
    token_accuracy,
)
from recurra.metrics.speech import character_error_rate, count_edits, word_error_rate

__all__ = [
    "NAB_PROFILES",
    "EventScore",
    "NabProfile",
    "NabScore",
    "Span",
    "SpanScore",
    "bits_per_character",
    "character_error_rate",
    "count_edits",
    "coverage",
    "crps_from_quantiles",
    "crps_from_samples",
    "event_scores",
    "events_of",
    "interval_score",
    "interval_width",
    "is_bio",
    "mae",
    "mase",
    "mse",
    "nab_score",
    "owa",
    "perplexity",
    "pinball",
    "rmse",
    "seasonal_scale",
    "smape",
    "span_scores",
    "spans_of",
    "token_accuracy",
    "word_error_rate",
]
