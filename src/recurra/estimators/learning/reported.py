"""What a fitted estimator tells of itself: a few lines to print, or a page of everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recurra.errors import OptionError
from recurra.estimators.learning.asked import Asked
from recurra.estimators.learning.shown import Shown, Sure

if TYPE_CHECKING:
    import os

    from recurra.data import SequenceDataset
    from recurra.estimators.learning.report import Report

__all__ = ["Reported"]


class Reported(Asked):
    """An estimator that reports on itself."""

    _report: Report

    def report(
        self, path: str | os.PathLike[str] | None = None, X: Any = None, y: Any = None, **how: Any
    ) -> Report:
        """Say what was learned from, and how good the answers are beside a simple model's.

        With a path all that can be told is written as one page of HTML, which needs no network and
        no other file: an audit of the data, the training, scores, calibration, which inputs matter,
        why some records were answered as they were, and whether the network is healthy. Without
        data it tells of the training and the scores only.

        Parameters
        ----------
        path : str or path-like, optional
            Where the page goes, such as ``"report.html"``; None for nowhere.
        X, y, **how
            As for `fit`, and best records that were not learned from. Of many records some hundred
            are looked at for what takes long.

        Returns
        -------
        Report
            To be printed; the scores are of the records held back, or, where there are none, of
            those learned from, which flatters.

        Raises
        ------
        NotFittedError
            If nothing was learned yet.
        OptionError
            If there are data but no path.
        FileError
            If the page cannot be written.
        DataError
            If the data are not as those learned from.
        MissingExtraError
            If jinja2 or matplotlib is not installed.
        """
        self._check_fitted()
        if path is not None:
            from recurra.auditing.html import write_page
            from recurra.estimators.learning.chapters import page_of
            from recurra.reporting import check_page

            place = check_page(path)
            if X is None and (y is not None or how):
                raise OptionError("There is no X for the page: report(path, X, y).")
            write_page(place, page_of(self, X, y, how))
        elif X is not None or y is not None or how:
            raise OptionError(
                'Data are for a page: report("report.html", X, y). To score other data use '
                "scores(X, y)."
            )
        return self._report

    def _worth_a_look(self, dataset: SequenceDataset) -> list[Shown]:  # noqa: ARG002
        """Choose answers that are explained: the surest, the least sure, a wrong one."""
        return [Shown(0, "The first record", "", {})]

    def _sureness(self, dataset: SequenceDataset) -> list[Sure]:  # noqa: ARG002
        """Say how probable labels are, where there are labels."""
        return []
