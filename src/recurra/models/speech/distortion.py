"""What is heard, made a little different each time while training: stretched, coloured, masked."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Distortion"]


class Distortion(nn.Module):
    r"""Stretches time and hides stretches of time and of frequency, anew for each record.

    A record of n steps is read at :math:`n' = \mathrm{round}(f n)` points of a straight line
    between its steps, :math:`f` uniform in :math:`1 ± s`, as if it were spoken faster or more
    slowly (Ko et al. 2015). All channels together become louder or softer, and high ones against
    low ones, as by another microphone: :math:`x_{tb} + g + k (2b / B - 1)` with normal :math:`g, k`
    of standard deviation `colour`. Then masks put zeros, the mean of scaled channels, over short
    stretches of time, as many as the record is long, and over some neighbouring channels
    (SpecAugment: Park et al. 2019, arXiv:1904.08779). No mask of time is so long that it could hide
    a whole syllable. In evaluation nothing is done.

    Parameters
    ----------
    stretch : float
        Most by which time is stretched or pressed together, as a share.
    colour : float
        How much loudness and colour change, in standard deviations of scaled channels.
    every, steps : int
        A mask of time begins once in so many steps on average, and hides so many at most.
    masks : int
        How many stretches of neighbouring channels are hidden.
    channels : float
        The longest of these, as a share of the channels.

    Examples
    --------
    >>> x, lengths = torch.ones(2, 50, 8), torch.tensor([50, 20])
    >>> distorted, told = Distortion()(x, lengths)
    >>> distorted.shape[1] == told.max(), bool((distorted[1, told[1]:] == 0).all())
    (tensor(True), True)
    >>> Distortion().eval()(x, lengths)[0] is x
    True
    """

    def __init__(
        self,
        stretch: float = 0.15,
        colour: float = 0.3,
        every: int = 25,
        steps: int = 6,
        masks: int = 2,
        channels: float = 0.15,
    ) -> None:
        super().__init__()
        self.stretch, self.colour = stretch, colour
        self.every, self.steps, self.masks, self.channels = every, steps, masks, channels

    def forward(self, values: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Distort.

        Parameters
        ----------
        values : Tensor, shape (batch, time, channels)
            What was heard.
        lengths : Tensor of int64, shape (batch,)
            Real steps of each record.

        Returns
        -------
        values : Tensor, shape (batch, new time, channels)
            Zero on padding.
        lengths : Tensor of int64, shape (batch,)
            Real steps now.
        """
        if not self.training or not values.shape[1]:
            return values, lengths
        if self.stretch:
            values, lengths = self._stretched(values, lengths)
        if self.colour:
            gain, slope = self.colour * torch.randn(2, len(values), 1, 1)
            values = values + gain + slope * torch.linspace(-1, 1, values.shape[2])
        there = torch.arange(values.shape[1]) < lengths[:, None]
        seen = there & ~self._moments(len(values), values.shape[1])
        heard = torch.ones(len(values), values.shape[2], dtype=torch.bool)
        for _ in range(self.masks):
            heard = heard & ~self._bands(len(values), values.shape[2])
        return torch.where(seen[..., None] & heard[:, None], values, 0.0), lengths

    def _moments(self, records: int, steps: int) -> Tensor:
        """Draw masks of time, shape (records, steps): where one begins, and how long it is."""
        begins = torch.rand(records, steps) * self.every < 1
        widths = torch.where(begins, torch.randint(1, self.steps + 1, begins.shape), 0)
        hidden = torch.zeros(records, steps, dtype=torch.bool)
        for later in range(min(self.steps, steps)):
            hidden[:, later:] |= widths[:, : steps - later] > later
        return hidden

    def _bands(self, records: int, channels: int) -> Tensor:
        """Draw one stretch of channels for each record, shape (records, channels)."""
        width = (torch.rand(records, 1) * (self.channels * channels + 1)).floor()
        start = (torch.rand(records, 1) * (channels - width + 1)).floor()
        place = torch.arange(channels)
        return (place >= start) & (place < start + width)

    def _stretched(self, values: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Read each record at other points of time."""
        factor = 1 + self.stretch * (2 * torch.rand(len(lengths)) - 1)
        now = torch.where(lengths > 0, (factor * lengths).round().clamp(min=1), 0).long()
        last = (lengths - 1).clamp(min=0)[:, None]
        points = torch.arange(int(now.max())) * last / (now - 1).clamp(min=1)[:, None]
        before = points.floor().long().minimum(last)
        share = (points - before).clamp(0, 1)[..., None]
        after = (before + 1).minimum(last)
        row = torch.arange(len(values))[:, None]
        return torch.lerp(values[row, before], values[row, after], share), now
