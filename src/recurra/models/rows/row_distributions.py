"""How the channels of a row may be distributed, each by itself, given the rows before it."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar, final

import torch
from torch import Generator, Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

__all__ = ["DISTRIBUTIONS", "Bernoulli", "Normal", "RowDistribution", "Student"]

NARROWEST = 1e-2  # smallest spread, in scales of the channel
FARTHEST = 1e3  # a longer error, in spreads, is read as this one


class RowDistribution(ABC):
    """A family of distributions of one channel.

    `raw` holds what the network says of each channel, shape (..., channels, size).
    """

    size: ClassVar[int]
    numbers: ClassVar[bool] = True
    """Whether channels are numbers, which are scaled and may go on from their last value."""

    @abstractmethod
    def log_probability(self, raw: Tensor, value: Tensor) -> Tensor:
        """Give the log density, or mass, of values.

        Parameters
        ----------
        raw : Tensor, shape (..., channels, size)
            Outputs of the network.
        value : Tensor, shape (..., channels)
            The values.

        Returns
        -------
        Tensor, shape (..., channels)
            Natural logarithms.
        """

    @abstractmethod
    def mean(self, raw: Tensor) -> Tensor:
        """Give the mean of each channel, shape (..., channels)."""

    @abstractmethod
    def spread(self, raw: Tensor) -> Tensor:
        """Give the standard deviation of each channel, shape (..., channels)."""

    @abstractmethod
    def draw(self, raw: Tensor, temperature: float, generator: Generator) -> Tensor:
        """Draw a value of each channel; a low temperature keeps to what is probable."""


@final
class Bernoulli(RowDistribution):
    r"""Zero or one: :math:`P(x = 1) = \sigma(a)`."""

    size = 1
    numbers = False

    def log_probability(self, raw: Tensor, value: Tensor) -> Tensor:
        """See `RowDistribution`."""
        return -binary_cross_entropy_with_logits(raw[..., 0], value, reduction="none")

    def mean(self, raw: Tensor) -> Tensor:
        """See `RowDistribution`."""
        return torch.sigmoid(raw[..., 0])

    def spread(self, raw: Tensor) -> Tensor:
        """See `RowDistribution`."""
        share = self.mean(raw)
        return (share * (1 - share)).sqrt()

    def draw(self, raw: Tensor, temperature: float, generator: Generator) -> Tensor:
        """See `RowDistribution`; the log odds are divided by the temperature."""
        share = torch.sigmoid(raw[..., 0] / temperature)
        return torch.bernoulli(share, generator=generator)


class _Located(RowDistribution):
    """A location and a scale."""

    def mean(self, raw: Tensor) -> Tensor:
        """See `RowDistribution`."""
        return raw[..., 0]

    @staticmethod
    def _scale(raw: Tensor) -> Tensor:
        return softplus(raw[..., 1] + 0.5) + NARROWEST

    def _standardised(self, raw: Tensor, value: Tensor) -> Tensor:
        """Say how many scales a value lies from the location."""
        return ((value - raw[..., 0]) / self._scale(raw)).clamp(-FARTHEST, FARTHEST)


@final
class Normal(_Located):
    r"""A number: :math:`x \sim \mathcal N(\mu, \sigma^2)`."""

    size = 2

    def log_probability(self, raw: Tensor, value: Tensor) -> Tensor:
        """See `RowDistribution`."""
        z = self._standardised(raw, value)
        return -0.5 * z.square() - self._scale(raw).log() - 0.5 * math.log(2 * math.pi)

    def spread(self, raw: Tensor) -> Tensor:
        """See `RowDistribution`."""
        return self._scale(raw)

    def draw(self, raw: Tensor, temperature: float, generator: Generator) -> Tensor:
        """See `RowDistribution`; the spread is multiplied by the temperature."""
        noise = torch.randn(raw.shape[:-1], generator=generator)
        return raw[..., 0] + temperature * self._scale(raw) * noise


@final
class Student(_Located):
    r"""A number with outliers: :math:`x = \mu + \sigma\tau,\ \tau \sim t_4`."""

    size = 2
    freedom = 4.0

    def log_probability(self, raw: Tensor, value: Tensor) -> Tensor:
        """See `RowDistribution`."""
        z, nu = self._standardised(raw, value), self.freedom
        normaliser = (
            math.lgamma(0.5 * nu) - math.lgamma(0.5 * (nu + 1)) + 0.5 * math.log(nu * math.pi)
        )
        return -0.5 * (nu + 1) * torch.log1p(z.square() / nu) - normaliser - self._scale(raw).log()

    def spread(self, raw: Tensor) -> Tensor:
        """See `RowDistribution`."""
        return self._scale(raw) * math.sqrt(self.freedom / (self.freedom - 2))

    def draw(self, raw: Tensor, temperature: float, generator: Generator) -> Tensor:
        """See `RowDistribution`; the scale is multiplied by the temperature."""
        shape = torch.full(raw.shape[:-1], 0.5 * self.freedom)
        squares = 2.0 * torch._standard_gamma(shape, generator=generator)
        noise = torch.randn(shape.shape, generator=generator) * (self.freedom / squares).sqrt()
        return raw[..., 0] + temperature * self._scale(raw) * noise


DISTRIBUTIONS: dict[str, RowDistribution] = {
    "bernoulli": Bernoulli(),
    "gaussian": Normal(),
    "student": Student(),
}
