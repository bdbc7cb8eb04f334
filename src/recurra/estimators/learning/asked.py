"""What every verb that asks a fitted estimator stands on: the records that are asked about."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from recurra.data import SequenceDataset
from recurra.errors import DataError, OptionError
from recurra.estimators.learning.record_checks import answerable
from recurra.estimators.learning.record_inputs import Shape, conform

__all__ = ["Asked"]


class Asked(ABC):
    """An estimator of records, to be asked once it has learned."""

    seed: int
    _shapes: Mapping[str, Shape]

    @abstractmethod
    def _check_fitted(self) -> None:
        """Refuse to answer before there is something learned."""

    @abstractmethod
    def _read(self, X: Any, y: Any, **how: Any) -> SequenceDataset:
        """Read records, and targets if they are there."""

    def _to_ask(self, X: Any, how: Mapping[str, Any]) -> SequenceDataset:
        """Read records that are asked about, without what is true of them."""
        self._check_fitted()
        return conform(replace(self._read(X, None, **how), targets={}), self._shapes)

    def _one_to_ask(self, X: Any, how: Mapping[str, Any], name: str = "X") -> SequenceDataset:
        """Read the one record that is asked about, which came by this name."""
        dataset = self._to_ask(X, how)
        if len(dataset) != 1:
            raise OptionError(
                f"{name} holds {len(dataset)} records, but one is asked about at a time: give "
                f"{name}[:1], a list of one."
            )
        if not answerable(dataset).all():
            message = "The record has no steps, so there is nothing to explain"
            hint = "Rows of missing values at the end are no steps: give a record with a value."
            raise DataError(message, code="empty_series", hint=hint, record=dataset.ids[0])
        return dataset
