"""A sentence, or a recording, that is tagged while it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recurra.errors import OptionError
from recurra.estimators.records.session import RecordSession

if TYPE_CHECKING:
    from recurra.data import SequenceDataset

__all__ = ["TaggerSession"]


class TaggerSession(RecordSession):
    """One record, as it comes: each step gets its label at once, in constant time and memory.

    Made by ``Tagger.stream()``.

    Parameters
    ----------
    model : Tagger
        Fitted, reading forward only, without a random field.
    static : array-like or dict, optional
        What holds for the whole record, where the model learned from such.

    Raises
    ------
    OptionError
        If the model cannot go step by step; the message says why.
    """

    def __init__(self, model: Any, static: Any = None) -> None:
        if model.network_.crf is not None:
            raise OptionError(
                "With crf=True a label depends on those that come after it, so none can be said "
                "step by step. Fit with crf=False, or use predict."
            )
        if model.network_.plan.bidirectional:
            raise OptionError(
                "This Tagger also reads backwards, from the end, so no label can be said step by "
                "step. Fit with bidirectional=False, or use predict."
            )
        super().__init__(model, static)

    def _read(self, steps: SequenceDataset, given: set[str]) -> Any:
        """Read a step of all streams, those that treatments add among them."""
        lacking = set(steps.streams) - given
        if lacking:
            raise OptionError(
                f"All streams have the same steps, but {sorted(lacking)} did not come."
            )
        return super()._read(steps, set(self.stepper.network.plan.inputs))
