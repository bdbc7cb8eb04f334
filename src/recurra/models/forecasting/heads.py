"""Heads for forecasting: from what the network says to a distribution of the next value.

Every head reads raw outputs of shape (..., size) together with the anchor and the scale of the step
(`View`), and answers three questions: how likely was this value, what is the typical one, and draw
me one. ``raw[..., 0]`` is always the expected move away from the
anchor, in scales.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Generator, Tensor
from torch.nn.functional import softplus
from typing_extensions import override

__all__ = ["HEADS", "Gaussian", "Head", "NegativeBinomial", "StudentT"]

NARROWEST = 1e-3  # smallest spread, in scales
MANY = 1e6  # counts from here on are drawn from a normal distribution
LONGEST = 1e6  # a longer move, in scales, is read as this one
FARTHEST = 30.0  # a drawn value lies at most this many spreads from the centre


class Head(ABC):
    """A family of distributions of the next value."""

    size: int
    counts: bool = False

    @abstractmethod
    def log_probability(self, raw: Tensor, value: Tensor, anchor: Tensor, scale: Tensor) -> Tensor:
        """Log density (or mass) of values; a density is per scale, so that series weigh alike.

        Parameters
        ----------
        raw : Tensor, shape (..., size)
            Outputs of the network.
        value, anchor, scale : Tensor, shape (...), float64
            The values, and where the network stood before them.

        Returns
        -------
        Tensor, shape (...)
            Natural logarithms.
        """

    def log_probability_and_slope(
        self, raw: Tensor, value: Tensor, anchor: Tensor, scale: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Log density as above, and its gradient by the raw outputs.

        A head that knows it in closed form says so in its own method; others ask autograd.

        Parameters
        ----------
        raw : Tensor, shape (..., size)
            Outputs of the network.
        value, anchor, scale : Tensor, shape (...), float64
            The values, and where the network stood before them.

        Returns
        -------
        log_probability : Tensor, shape (...)
            Natural logarithms.
        slope : Tensor, shape (..., size)
            What each raw output adds to them.
        """
        with torch.enable_grad():
            raw = raw.detach().requires_grad_()
            found = self.log_probability(raw, value, anchor, scale)
            (slope,) = torch.autograd.grad(found.sum(), raw)
        return found.detach(), slope

    @abstractmethod
    def centre(self, raw: Tensor, anchor: Tensor, scale: Tensor) -> Tensor:
        """Return the point forecast: the median, or the mean of counts."""

    @abstractmethod
    def draw(self, raw: Tensor, anchor: Tensor, scale: Tensor, generator: Generator) -> Tensor:
        """Return one random value for every step."""


class _Continuous(Head):
    """A location and a spread, both in scales."""

    @override
    def centre(self, raw: Tensor, anchor: Tensor, scale: Tensor) -> Tensor:
        return anchor + scale * raw[..., 0]

    def _standardised(
        self, raw: Tensor, value: Tensor, anchor: Tensor, scale: Tensor
    ) -> tuple[Tensor, Tensor]:
        """How many spreads a value lies from the location, and the spread, in scales."""
        move = ((value - anchor) / scale).clamp_(-LONGEST, LONGEST).to(raw.dtype)
        spread = self._spread(raw)
        return (move - raw[..., 0]) / spread, spread

    @staticmethod
    def _spread(raw: Tensor) -> Tensor:
        return softplus(raw[..., 1] + 0.5) + NARROWEST

    @override
    def draw(self, raw: Tensor, anchor: Tensor, scale: Tensor, generator: Generator) -> Tensor:
        noise = self._noise(raw, generator).clamp(-FARTHEST, FARTHEST)
        return anchor + scale * (raw[..., 0] + self._spread(raw) * noise)

    @abstractmethod
    def _noise(self, raw: Tensor, generator: Generator) -> Tensor: ...


class Gaussian(_Continuous):
    r"""Normal distribution: light tails.

    .. math:: y \sim \mathcal N(a + s\mu,\ (s\sigma)^2)
    """

    size = 2

    @override
    def log_probability(self, raw: Tensor, value: Tensor, anchor: Tensor, scale: Tensor) -> Tensor:
        z, spread = self._standardised(raw, value, anchor, scale)
        return -0.5 * z.square() - spread.log() - 0.5 * math.log(2 * math.pi)

    @override
    def log_probability_and_slope(
        self, raw: Tensor, value: Tensor, anchor: Tensor, scale: Tensor
    ) -> tuple[Tensor, Tensor]:
        z, spread = self._standardised(raw, value, anchor, scale)
        square = z.square()
        found = -0.5 * square - spread.log() - 0.5 * math.log(2 * math.pi)
        by_spread = (square - 1.0) / spread * torch.sigmoid(raw[..., 1] + 0.5)
        return found, torch.stack([z / spread, by_spread], -1)

    @override
    def _noise(self, raw: Tensor, generator: Generator) -> Tensor:
        return torch.randn(raw.shape[:-1], generator=generator, dtype=raw.dtype)


class StudentT(_Continuous):
    r"""Student's t: tails as heavy as the data ask for, so an outlier does not rule the training.

    .. math:: y = a + s(\mu + \sigma \tau),\quad \tau \sim t_\nu,\ \nu > 2
    """

    size = 3

    @staticmethod
    def _freedom(raw: Tensor) -> Tensor:
        return 2.0 + softplus(raw[..., 2] + 2.0)

    @override
    def log_probability(self, raw: Tensor, value: Tensor, anchor: Tensor, scale: Tensor) -> Tensor:
        (z, spread), nu = self._standardised(raw, value, anchor, scale), self._freedom(raw)
        half = 0.5 * (nu + 1.0)
        tail = half * torch.log1p(z.square() / nu)
        normaliser = torch.lgamma(0.5 * nu) - torch.lgamma(half) + 0.5 * (nu * math.pi).log()
        return -tail - normaliser - spread.log()

    @override
    def log_probability_and_slope(
        self, raw: Tensor, value: Tensor, anchor: Tensor, scale: Tensor
    ) -> tuple[Tensor, Tensor]:
        (z, spread), nu = self._standardised(raw, value, anchor, scale), self._freedom(raw)
        half, square = 0.5 * (nu + 1.0), z.square()
        tail = torch.log1p(square / nu)
        normaliser = torch.lgamma(0.5 * nu) - torch.lgamma(half) + 0.5 * (nu * math.pi).log()
        found = -(half * tail) - normaliser - spread.log()
        pull = (nu + 1.0) / (nu + square)  # how much an outlier still counts
        by_spread = (pull * square - 1.0) / spread * torch.sigmoid(raw[..., 1] + 0.5)
        by_nu = torch.digamma(half) - torch.digamma(0.5 * nu) + (pull * square - 1.0) / nu - tail
        by_freedom = 0.5 * by_nu * torch.sigmoid(raw[..., 2] + 2.0)
        return found, torch.stack([pull * z / spread, by_spread, by_freedom], -1)

    @override
    def _noise(self, raw: Tensor, generator: Generator) -> Tensor:
        nu = self._freedom(raw)
        normal = torch.randn(nu.shape, generator=generator, dtype=nu.dtype)
        chi_square = 2.0 * torch._standard_gamma(0.5 * nu, generator=generator)
        return normal * (nu / chi_square.clamp_min(1e-6)).sqrt()


class NegativeBinomial(Head):
    r"""Whole numbers from 0 on, more scattered than Poisson: sales of slow movers, visits, faults.

    .. math:: \mathrm E[y] = m,\quad \mathrm{Var}[y] = m + \alpha m^2,\quad
              m = s\,\mathrm{softplus}(a/s + \mu)
    """

    size = 2
    counts = True

    @staticmethod
    def _mean_and_shape(raw: Tensor, anchor: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        mean = scale * softplus(anchor / scale + raw[..., 0]) + 1e-6
        shape = 1.0 / (softplus(raw[..., 1].to(mean.dtype)) + 1e-4)  # 1 / alpha
        return mean, shape

    @override
    def log_probability(self, raw: Tensor, value: Tensor, anchor: Tensor, scale: Tensor) -> Tensor:
        mean, shape = self._mean_and_shape(raw, anchor, scale)
        ways = torch.lgamma(value + shape) - torch.lgamma(shape) - torch.lgamma(value + 1.0)
        log_odds = mean.log() - (shape + mean).log()
        return ways - shape * torch.log1p(mean / shape) + value * log_odds

    @override
    def log_probability_and_slope(
        self, raw: Tensor, value: Tensor, anchor: Tensor, scale: Tensor
    ) -> tuple[Tensor, Tensor]:
        mean, shape = self._mean_and_shape(raw, anchor, scale)
        whole, tail = shape + mean, torch.log1p(mean / shape)
        ways = torch.lgamma(value + shape) - torch.lgamma(shape) - torch.lgamma(value + 1.0)
        found = ways - shape * tail + value * (mean.log() - whole.log())
        by_mean = value / mean - (shape + value) / whole
        by_shape = torch.digamma(value + shape) - torch.digamma(shape) - tail
        by_shape += (mean - value) / whole
        by_move = by_mean * scale * torch.sigmoid(anchor / scale + raw[..., 0])
        by_spread = -by_shape * shape.square() * torch.sigmoid(raw[..., 1].to(shape.dtype))
        return found, torch.stack([by_move, by_spread], -1).to(raw.dtype)

    @override
    def centre(self, raw: Tensor, anchor: Tensor, scale: Tensor) -> Tensor:
        return self._mean_and_shape(raw, anchor, scale)[0]

    @override
    def draw(self, raw: Tensor, anchor: Tensor, scale: Tensor, generator: Generator) -> Tensor:
        mean, shape = self._mean_and_shape(raw, anchor, scale)
        rate = torch._standard_gamma(shape, generator=generator) * (mean / shape)
        noise = torch.randn(rate.shape, generator=generator, dtype=rate.dtype)
        small = torch.poisson(rate.clamp_max(MANY), generator=generator)
        return torch.where(rate < MANY, small, (rate + rate.sqrt() * noise).round())


HEADS: dict[str, type[Head]] = {
    "student_t": StudentT,
    "gaussian": Gaussian,
    "negative_binomial": NegativeBinomial,
}
