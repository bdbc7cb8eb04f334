"""Explaining forecasts: which past steps, which lags, which covariates mattered, how far ahead."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, overload

import torch

from recurra.data import Columns, Panel, from_frame, future_frame
from recurra.errors import OptionError, check_count
from recurra.estimators.forecasting.first_values import from_first_value

if TYPE_CHECKING:
    from recurra.estimators.forecasting.forecast_engine import Engine
    from recurra.estimators.forecasting.forecast_question import ForecastQuestion
    from recurra.estimators.forecasting.forecast_state import State
    from recurra.explaining import Explanation, Explanations
    from recurra.models import ForecastNetwork, LocalFeatures
    from recurra.types import Integers

__all__ = ["ExplainedForecasts", "explained"]

LISTED = 5  # series that a message names


class ExplainedForecasts(ABC):
    """A forecaster whose forecasts can be explained."""

    columns: Columns
    seed: int
    _engine: Engine
    _state: State
    _spacing: Integers

    @overload
    def explain(
        self, df: Any, h: int = 1, unique_id: Any = None, *, future: Any = None,
        method: str = "auto", by: str = "step", window: int | None = None, checks: bool = True,
    ) -> Explanation: ...  # fmt: skip

    @overload
    def explain(
        self, df: Any, h: Sequence[int], unique_id: Any = None, *, future: Any = None,
        method: str = "auto", by: str = "step", window: int | None = None, checks: bool = True,
    ) -> Explanations: ...  # fmt: skip

    def explain(
        self,
        df: Any,
        h: int | Sequence[int] = 1,
        unique_id: Any = None,
        *,
        future: Any = None,
        method: str = "auto",
        by: str = "step",
        window: int | None = None,
        checks: bool = True,
    ) -> Explanation | Explanations:
        """Say which past steps and which covariates mattered for a forecast.

        A forecaster remembers where its series stand, not the rows that brought them there. So it
        reads them again: those of `fit` and `update`, for the forecast that `predict` makes; or
        others, to ask what would be forecast after them.

        The series has the stream ``"target"`` of its own. Where nothing is known of it, it is held
        at the mean of the newest steps, those that the network looks at directly. By occlusion, a
        step that is taken away is a step that was not observed. The streams ``"past"``,
        ``"future"`` and ``"static"`` hold the covariates, at their means where nothing is known of
        them, or of no known category; ``"calendar"`` the time of the year, the week, the day.

        Parameters
        ----------
        df : DataFrame, str or Path
            The rows up to where the forecast starts, as for `fit`.
        h : int or sequence of int
            Which step ahead is explained. Of several, each: ``h=range(1, 13)``.
        unique_id : object, optional
            Of which series; not needed where `df` has one.
        future : DataFrame, str or Path, optional
            The future covariates, as for `predict`.
        method : {"auto", "integrated gradients", "gradient x input", "gradient", "occlusion"}
            How; see `recurra.explaining.explain`. ``"auto"`` takes integrated gradients: what each
            value, as far as it is not the mean, did to this forecast. ``"gradient"`` says which
            lags matter, whatever they hold: how the forecast moves with each value.
        by : {"step", "channel", "window", "step and channel"}
            What is ranked; by occlusion also what is taken away at a time.
        window : int, optional
            Steps of a window, for ``by="window"``.
        checks : bool
            Whether to check if the explanation can be believed.

        Returns
        -------
        Explanation or Explanations
            ``by_step("target")`` has a score for each past step, the newest last: that of lag k is
            ``[-k]`` for ``h=1``. Of several `h`, a mapping with an `Explanation` for each.

        Raises
        ------
        NotFittedError
            If ``fit`` was not called.
        DataError, OptionError
            If there is no such series, or the rows do not suit; the message says what to do.

        Examples
        --------
        >>> import pandas as pd
        >>> from recurra import Forecaster, Training
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": [0, 1, 2, 9] * 15})
        >>> model = Forecaster(hidden_size=8, training=Training(steps=200)).fit(frame)
        >>> why = model.explain(frame, h=4, checks=False)
        >>> why.asked
        "forecast of 'y' of 'a' at 63, 4 steps ahead"
        >>> why.by_step("target").shape
        (60,)
        """
        self._check_fitted()
        return explained(
            lambda most: self._question(df, most, unique_id, future),
            h, method, by, window, checks, self.seed,
        )  # fmt: skip

    @abstractmethod
    def _check_fitted(self) -> None:
        """Refuse to answer before there is something learned."""

    @abstractmethod
    def _checked(self, dataset: Panel) -> Panel:
        """Refuse series that cannot be forecast."""

    @abstractmethod
    def _new_network(self, local: LocalFeatures, reader: Any, series: int) -> ForecastNetwork:
        """Make a network that has learned nothing."""

    def _question(self, df: Any, h: int, unique_id: Any, future: Any) -> ForecastQuestion:
        """Ask about a series, up to some steps ahead."""
        return self._question_of(*self._asked_of(df, h, unique_id, future))

    def _question_of(self, series: Panel, coming: Panel) -> ForecastQuestion:
        """Ask about a series whose rows, and the stamps after them, are at hand."""
        from recurra.estimators.forecasting.forecast_question import ForecastQuestion

        return ForecastQuestion(self._engine, series, coming, self._untrained)

    def _asked_of(self, df: Any, h: int, unique_id: Any, future: Any) -> tuple[Panel, Panel]:
        """Read one series, and the stamps after it."""
        tail = self._state.tail
        dataset = from_frame(df, self.columns, clock=tail.clock)
        chosen = _chosen(dataset, unique_id)
        series = from_first_value(self._checked(chosen))
        place = tail.ids.index(series.ids[0]) if series.ids[0] in tail.ids else None
        spacing = series.spacing if place is None else self._spacing[[place]]
        return series, future_frame(future, series, h, spacing=spacing)

    def _untrained(self, seed: int) -> ForecastNetwork:
        """Make a network with random weights, also where training begins with zeros."""
        engine = self._engine
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            fresh = self._new_network(engine.local, engine.reader, len(self._state.tail))
            fresh.linear.reset_parameters()
            fresh.output.reset_parameters()
        return fresh.eval()


def explained(
    ask: Callable[[int], ForecastQuestion | Any],
    h: int | Sequence[int],
    method: str,
    by: str,
    window: int | None,
    checks: bool,
    seed: int,
) -> Explanation | Explanations:
    """Explain one step ahead, or several.

    Parameters
    ----------
    ask : callable
        Makes a question of as many steps ahead; its ``at(h)`` asks of one of them.
    h : int or sequence of int
        Which.
    method, by, window, checks, seed
        As for `recurra.explaining.explain`.

    Returns
    -------
    Explanation or Explanations
        Of several, each by its `h`.
    """
    from recurra.explaining import Explanations, explain

    wanted = _checked_steps(h)
    question = ask(max(wanted))
    found = {one: explain(question.at(one), method, by, window, checks, seed) for one in wanted}
    return Explanations(found, "h") if isinstance(h, Iterable) else found[wanted[0]]


def _checked_steps(h: int | Sequence[int]) -> list[int]:
    """Give the steps ahead that are wanted."""
    steps = [*h] if isinstance(h, Iterable) else [h]
    if not steps:
        raise OptionError("h names no step ahead: give one, or several such as range(1, 13).")
    return [check_count("h", one) for one in steps]


def _chosen(dataset: Panel, unique_id: Any) -> Panel:
    """Choose the series."""
    if unique_id is not None:
        return dataset.select([unique_id])
    if len(dataset) > 1:
        some = ", ".join(map(repr, dataset.ids[:LISTED]))
        more = f", … and {len(dataset) - LISTED} more" if len(dataset) > LISTED else ""
        raise OptionError(
            f"df holds {len(dataset)} series, but one forecast is explained at a time: say which, "
            f"unique_id={dataset.ids[0]!r}. There are {some}{more}."
        )
    return dataset
