"""Heads: densities against scipy's, draws against the densities, extremes that stay finite."""

import numpy as np
import pytest
import torch
from scipy import stats

from recurra.models import HEADS, Gaussian, NegativeBinomial, StudentT

CONTINUOUS = [Gaussian, StudentT]


def softplus(x):
    return np.logaddexp(0.0, x)


def frozen(head, raw, anchor, scale):
    """Write the distribution down with scipy, from the equations alone."""
    raw = raw.double().numpy()
    anchor, scale = anchor.numpy(), scale.numpy()
    if head is NegativeBinomial:
        mean = scale * softplus(anchor / scale + raw[..., 0]) + 1e-6
        shape = 1 / (softplus(raw[..., 1]) + 1e-4)
        return stats.nbinom(shape, shape / (shape + mean))
    location = anchor + scale * raw[..., 0]
    spread = scale * (softplus(raw[..., 1] + 0.5) + 1e-3)
    if head is Gaussian:
        return stats.norm(location, spread)
    return stats.t(2 + softplus(raw[..., 2] + 2.0), location, spread)


def numbers(*values):
    return torch.tensor(values, dtype=torch.float64)


def steps(head, count=50, seed=0):
    """Random outputs, anchors and scales, and a value for each."""
    random = torch.Generator().manual_seed(seed)
    raw = torch.randn(count, head.size, generator=random, dtype=torch.float64)
    anchor = 10 * torch.rand(count, generator=random, dtype=torch.float64)
    scale = 0.1 + torch.rand(count, generator=random, dtype=torch.float64)
    if head is NegativeBinomial:
        return raw, torch.randint(0, 30, (count,), generator=random).double(), anchor, scale
    move = torch.randn(count, generator=random, dtype=torch.float64)
    return raw, anchor + 5 * move * scale, anchor, scale


@pytest.mark.parametrize("head", CONTINUOUS)
def test_the_density_is_that_of_scipy_per_scale(head):
    raw, value, anchor, scale = steps(head)
    expected = frozen(head, raw, anchor, scale).logpdf(value.numpy()) + np.log(scale.numpy())
    found = head().log_probability(raw, value, anchor, scale)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("head", [*CONTINUOUS, NegativeBinomial])
def test_the_gradient_is_that_of_small_differences(head):
    raw, *rest = steps(head)
    raw = raw[:40].clone().requires_grad_()
    rest = [each[:40] for each in rest]
    assert torch.autograd.gradcheck(lambda raw: head().log_probability(raw, *rest), (raw,))


def test_the_mass_of_counts_is_that_of_scipy():
    raw, value, anchor, scale = steps(NegativeBinomial)
    expected = frozen(NegativeBinomial, raw, anchor, scale).logpmf(value.numpy())
    found = NegativeBinomial().log_probability(raw, value, anchor, scale)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-8, atol=1e-9)


def test_the_masses_of_all_counts_sum_to_one():
    counts = torch.arange(3000, dtype=torch.float64)
    raw = torch.tensor([0.3, -0.5], dtype=torch.float64).expand(3000, 2)
    logs = NegativeBinomial().log_probability(
        raw, counts, numbers(4).expand(3000), numbers(2).expand(3000)
    )
    assert logs.exp().sum().item() == pytest.approx(1, abs=1e-9)


def test_counts_have_the_mean_and_the_variance_of_the_equation():
    raw, anchor, scale = torch.tensor([0.3, -0.5]).double(), numbers(4.0), numbers(2.0)
    mean = 2 * softplus(4 / 2 + 0.3) + 1e-6
    alpha = softplus(-0.5) + 1e-4
    found = frozen(NegativeBinomial, raw, anchor, scale)
    assert found.mean()[0] == pytest.approx(mean)
    assert found.var()[0] == pytest.approx(mean + alpha * mean**2)
    assert NegativeBinomial().centre(raw, anchor, scale).item() == pytest.approx(mean)


@pytest.mark.parametrize("head", CONTINUOUS)
@pytest.mark.parametrize("outputs", [(0.0, 0.0, 0.0), (2.0, -1.5, -2.0), (-1.0, 1.0, 3.0)])
def test_draws_follow_the_density(head, outputs):
    raw = torch.tensor(outputs[: head.size]).expand(20_000, head.size)
    anchor, scale = numbers(5).expand(20_000), numbers(3).expand(20_000)
    drawn = head().draw(raw, anchor, scale, torch.Generator().manual_seed(0)).numpy()
    one = frozen(head, raw[:1], anchor[:1], scale[:1])
    assert stats.kstest(drawn, lambda x: one.cdf(x)).pvalue > 1e-3
    for tail in (0.05, 0.25, 0.5, 0.75, 0.95):
        assert one.cdf(np.quantile(drawn, tail))[0] == pytest.approx(tail, abs=0.012)


@pytest.mark.parametrize("outputs", [(0.0, 0.0), (1.0, -3.0), (-2.0, 1.0)])
def test_drawn_counts_follow_the_mass(outputs):
    raw = torch.tensor(outputs).expand(20_000, 2)
    anchor, scale = numbers(6).expand(20_000), numbers(2).expand(20_000)
    drawn = NegativeBinomial().draw(raw, anchor, scale, torch.Generator().manual_seed(0)).numpy()
    one = frozen(NegativeBinomial, raw[:1], anchor[:1], scale[:1])
    assert (drawn >= 0).all()
    assert (drawn == np.round(drawn)).all()
    for count in range(0, 20, 2):
        assert (drawn <= count).mean() == pytest.approx(one.cdf(count)[0], abs=0.012)


@pytest.mark.parametrize("head", CONTINUOUS)
def test_the_centre_is_the_median(head):
    raw, _, anchor, scale = steps(head)
    centre = head().centre(raw, anchor, scale).numpy()
    np.testing.assert_allclose(frozen(head, raw, anchor, scale).cdf(centre), 0.5, atol=1e-9)


@pytest.mark.parametrize("head", HEADS.values())
def test_draws_are_reproduced_by_their_generator_alone(head):
    raw, _, anchor, scale = steps(head)
    before = torch.get_rng_state()
    drawn = [
        head().draw(raw, anchor, scale, torch.Generator().manual_seed(seed)) for seed in (3, 3, 4)
    ]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("head", CONTINUOUS)
def test_a_drawn_value_is_never_absurdly_far(head):
    raw = torch.tensor([0.0, 0.0, -30.0])[: head.size].expand(200_000, head.size)
    anchor, scale = numbers(0).expand(200_000), numbers(1).expand(200_000)
    drawn = head().draw(raw, anchor, scale, torch.Generator().manual_seed(0))
    assert drawn.abs().max() <= 30 * (softplus(0.5) + 1e-3) * 1.0001


def finite_with_finite_gradient(head, raw, value, anchor, scale):
    raw = torch.tensor([raw], dtype=torch.float32, requires_grad=True)
    found = head().log_probability(raw, numbers(value), numbers(anchor), numbers(scale))
    found.sum().backward()
    return bool(found.isfinite().all() and raw.grad.isfinite().all())


@pytest.mark.parametrize("head", CONTINUOUS)
@pytest.mark.parametrize("output", [-1e4, -100.0, 0.0, 100.0, 1e4])
@pytest.mark.parametrize("value", [0.0, 1.0, -1e6, 1e12])
def test_extreme_outputs_and_values_stay_finite_with_finite_gradients(head, output, value):
    assert finite_with_finite_gradient(head, [output] * head.size, value, 0.0, 1.0)
    assert finite_with_finite_gradient(head, [0.0] + [output] * (head.size - 1), value, 0.0, 1.0)


@pytest.mark.parametrize("head", CONTINUOUS)
@pytest.mark.parametrize("value", [1e20, 1e30, -1e30])
def test_a_value_as_far_away_as_the_door_lets_in_stays_finite(head, value):
    assert finite_with_finite_gradient(head, [0.0] * head.size, value, 0.0, 1e-8)


@pytest.mark.parametrize("output", [-1e4, -100.0, 0.0, 100.0, 1e4])
@pytest.mark.parametrize("value", [0.0, 3.0, 1e6, 1e12, 1e30])
def test_extreme_counts_stay_finite_with_finite_gradients(output, value):
    scale = max(0.1, value / 1000)
    assert finite_with_finite_gradient(NegativeBinomial, [output] * 2, value, value, scale)
    assert finite_with_finite_gradient(NegativeBinomial, [0.0, output], value, 0.0, scale)


@pytest.mark.parametrize("mean", [1e6, 1e12, 1e20, 1e30])
def test_drawn_counts_are_never_negative_however_large_the_mean(mean):
    raw, anchor, scale = torch.zeros(200, 2), numbers(mean), numbers(mean / 100)
    drawn = NegativeBinomial().draw(
        raw, anchor.expand(200), scale.expand(200), torch.Generator().manual_seed(0)
    )
    assert (drawn >= 0).all()
    assert drawn.mean().item() == pytest.approx(mean, rel=0.5)


def test_the_density_per_scale_weighs_series_of_any_unit_alike():
    raw, value, anchor, scale = steps(StudentT)
    head = StudentT()
    other = head.log_probability(raw, 1000 * value, 1000 * anchor, 1000 * scale)
    torch.testing.assert_close(head.log_probability(raw, value, anchor, scale), other)


def test_few_degrees_of_freedom_still_have_a_variance():
    raw = torch.tensor([[0.0, 0.0, -50.0]], dtype=torch.float64)
    far = StudentT().log_probability(raw, numbers(1e6), numbers(0.0), numbers(1.0)).item()
    spread = softplus(0.5) + 1e-3
    assert far == pytest.approx(stats.t(2).logpdf(1e6 / spread) - np.log(spread), rel=1e-6)


def test_every_head_is_known_by_its_name():
    assert set(HEADS) == {"student_t", "gaussian", "negative_binomial"}
    assert [head for head in HEADS.values() if head.counts] == [NegativeBinomial]
