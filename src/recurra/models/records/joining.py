"""Streams on one clock, read together: side by side or as a gated sum."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from recurra.errors import ShapeError
from recurra.models.records.encoders import Encoded

__all__ = ["Join"]


class Join(nn.Module):
    r"""Streams on one clock, side by side or as a gated sum.

    .. math:: \sum_s \sigma(G_s x^{(s)}_t) ⊙ V_s x^{(s)}_t

    Parameters
    ----------
    widths : list of int
        Width of each stream.
    way : {"concatenate", "gated"}
        How they are joined.

    References
    ----------
    J. Arevalo et al., Gated multimodal units for information fusion, arXiv:1702.01992.
    """

    def __init__(self, widths: list[int], way: str) -> None:
        super().__init__()
        self.width = sum(widths) if way == "concatenate" else max(widths)
        self.values = self.gates = None
        if way == "gated":
            self.values = nn.ModuleList(nn.Linear(width, self.width) for width in widths)
            self.gates = nn.ModuleList(nn.Linear(width, self.width) for width in widths)

    def forward(self, streams: Mapping[str, Encoded]) -> Encoded:
        """Join.

        Parameters
        ----------
        streams : dict of str to Encoded
            By name, each with the same steps.

        Returns
        -------
        Encoded
            One stream.

        Raises
        ------
        ShapeError
            If a record has more steps in one stream than in another.
        """
        lengths = next(iter(streams.values())).lengths
        for name, each in streams.items():
            odd = (each.lengths != lengths).nonzero()
            if len(odd):
                row = int(odd[0])
                raise ShapeError(
                    f"Stream {name!r} has {int(each.lengths[row])} steps in row {row}, another has "
                    f'{int(lengths[row])}. Put them on one clock with Align, or use join="late".'
                )
        if self.values is None or self.gates is None:
            return Encoded(torch.cat([each.values for each in streams.values()], -1), lengths)
        parts = (
            torch.sigmoid(gate(each.values)) * value(each.values)
            for gate, value, each in zip(self.gates, self.values, streams.values(), strict=True)
        )
        return Encoded(sum(parts), lengths)
