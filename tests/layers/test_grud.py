"""Decay: what the paper says, the laws with holes and uneven times, and what comes in wrong."""

import re
from contextlib import nullcontext

import pytest
import torch
from torch import Tensor, nn

from recurra.errors import OptionError, ShapeError
from recurra.kernels import backend
from recurra.layers import GRU, GRUD, load
from recurra.testing import check_layer

KINDS = {
    "both decays": {},
    "both decays, batch first": {"batch_first": True},
    "no input decay": {"input_decay": False},
    "no state decay, no bias": {"state_decay": False, "bias": False},
    "forgetful": {"recurrent_dropout": 0.3, "zoneout": 0.4},
}


def make(**options: object) -> GRUD:
    """A layer whose decays, mean and scale of time all matter."""
    torch.manual_seed(0)
    layer = GRUD(3, 4, **options).eval()
    with torch.no_grad():
        for name, weight in layer.named_parameters():
            if "_d" in name:
                weight.uniform_(-0.3, 0.7)
        layer.mean.copy_(torch.tensor([0.5, -1.0, 0.0]))
        layer.time_scale.fill_(2.0)
    return layer


class Holed(nn.Module):
    """Makes values with holes, at times of their own, of one tensor: so that any law can be asked.

    Three values, three numbers that say which of them are observed, the time since the last step.
    """

    input_size = 7

    def __init__(self, layer: GRUD) -> None:
        super().__init__()
        self.layer, self.stack, self.batch_first = layer, layer.stack, layer.batch_first

    def forward(self, x: Tensor, state=None, *, lengths: Tensor):
        axis = 1 if self.batch_first else 0
        values, seen, gaps = x.split([3, 3, 1], dim=-1)
        batch = x.shape[1 - axis]
        *before, clock = state or (*self.layer.initial_state(batch), torch.zeros(1, batch, 1))
        gaps = gaps.detach().squeeze(-1).nan_to_num(1, 1, 1).abs().mul(4).round() / 4
        start = clock[0, :, 0].double().unsqueeze(axis)
        times = start + gaps.cumsum(axis, dtype=torch.float64)
        values = torch.where(seen > 0, values, float("nan"))
        output, after = self.layer(
            values, tuple(before), observed=seen > 0, times=times, lengths=lengths
        )
        every = torch.cat([start, times], dim=axis)
        now = every.gather(axis, lengths.unsqueeze(axis))
        return output, (*after, now.reshape(1, batch, 1))

    def step(self, x_t: Tensor, state):
        *before, clock = state or (torch.zeros(1, len(x_t), 1),)
        values, seen, gaps = x_t.split([3, 3, 1], dim=-1)
        now = clock[0, :, 0].double() + gaps[:, 0].abs().mul(4).round() / 4
        y, after = self.layer.step(values, tuple(before) or None, observed=seen > 0, times=now)
        return y, (*after, now.reshape(1, -1, 1))


@pytest.mark.parametrize("chosen", ["best", "reference"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_holes_and_times_keep_the_laws(kind, dtype, chosen):
    layer = make(dtype=dtype, **KINDS[kind])
    if chosen == "best":
        return check_layer(lambda: Holed(layer), examples=6)
    with backend("reference"):
        return check_layer(lambda: Holed(layer), examples=6)


def by_the_paper(layer: GRUD, x: Tensor, observed: Tensor, times: Tensor) -> Tensor:
    """One record, (time, inputs), in plain loops: the equations of arXiv:1606.01865."""
    w = dict(layer.named_parameters())
    zero = torch.zeros((), dtype=x.dtype)
    h = torch.zeros(layer.hidden_size, dtype=x.dtype)
    delta, last, outputs = [zero] * 3, [None] * 3, []
    for t in range(len(x)):
        for d in range(3):
            if t:
                gap = times[t] - times[t - 1]
                delta[d] = gap if observed[t - 1, d] else gap + delta[d]
        age = torch.stack(delta) / layer.time_scale
        filled = []
        for d in range(3):
            if observed[t, d]:
                filled.append(x[t, d])
                last[d] = x[t, d]
            elif last[d] is None:
                filled.append(layer.mean[d])
            elif layer.input_decay:
                rate = w["weight_dx_l0"][d] * age[d] + (w["bias_dx_l0"][d] if layer.bias else 0)
                left = torch.exp(-torch.maximum(zero, rate))
                filled.append(left * last[d] + (1 - left) * layer.mean[d])
            else:
                filled.append(last[d])
        if layer.state_decay:
            rate = w["weight_dh_l0"] @ age + (w["bias_dh_l0"] if layer.bias else 0)
            h = torch.exp(-torch.maximum(zero, rate)) * h
        fed = w["weight_ih_l0"] @ torch.cat([torch.stack(filled), observed[t].to(x.dtype)])
        back = w["weight_hh_l0"] @ h
        if layer.bias:
            fed, back = fed + w["bias_ih_l0"], back + w["bias_hh_l0"]
        (xr, xz, xn), (hr, hz, hn) = fed.chunk(3), back.chunk(3)
        r, z = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)
        h = (1 - z) * torch.tanh(xn + r * hn) + z * h
        outputs.append(h)
    return torch.stack(outputs)


@pytest.mark.parametrize("chosen", ["best", "reference"])
@pytest.mark.parametrize("kind", [name for name in KINDS if name != "forgetful"])
def test_the_layer_is_what_the_paper_says(kind, chosen):
    layer = make(dtype=torch.float64, **KINDS[kind])
    chance = torch.Generator().manual_seed(3)
    lengths, steps = [9, 4, 1], 9
    x = torch.randn(3, steps, 3, generator=chance, dtype=torch.float64).requires_grad_()
    observed = torch.rand(3, steps, 3, generator=chance) < 0.4
    times = torch.rand(3, steps, generator=chance, dtype=torch.float64).mul(3).cumsum(1) + 100
    dirty = torch.where(observed, x, float("nan"))
    turn = (lambda one: one) if layer.batch_first else (lambda one: one.transpose(0, 1))
    kept = nullcontext() if chosen == "best" else backend("reference")
    with kept:
        output, state = layer(
            turn(dirty), observed=turn(observed), times=turn(times), lengths=lengths
        )
    output = turn(output)
    law = [
        by_the_paper(layer, x[n, :count], observed[n, :count], times[n, :count])
        for n, count in enumerate(lengths)
    ]
    leaves = [x, *layer.parameters()]
    weighed = [torch.randn(one.shape, generator=chance, dtype=torch.float64) for one in law]
    for n, count in enumerate(lengths):
        torch.testing.assert_close(output[n, :count], law[n], rtol=0, atol=1e-12)
        torch.testing.assert_close(state.h[0, n], law[n][-1], rtol=0, atol=1e-12)
    ours = sum((output[n, : len(one)] * one).sum() for n, one in enumerate(weighed))
    theirs = sum((law[n] * one).sum() for n, one in enumerate(weighed))
    grads = [torch.autograd.grad(one, leaves, allow_unused=True) for one in (ours, theirs)]
    for name, mine, paper in zip(("x", *dict(layer.named_parameters())), *grads, strict=True):
        assert paper is not None, name
        torch.testing.assert_close(mine, paper, rtol=0, atol=1e-11, msg=lambda m, n=name: n + m)


def test_what_is_not_observed_is_never_felt():
    layer = make(batch_first=True, dtype=torch.float64)
    chance = torch.Generator().manual_seed(5)
    x = torch.randn(4, 8, 3, generator=chance, dtype=torch.float64)
    observed = torch.rand(4, 8, 3, generator=chance) < 0.5
    found = []
    for content in (0.0, 1e30, float("inf"), float("nan")):
        values = torch.where(observed, x, content).requires_grad_()
        output, state = layer(values, observed=observed, lengths=[8, 3, 0, 1])
        loss = output.square().sum() + state.value.square().sum()
        gradients = torch.autograd.grad(loss, [values, *layer.parameters()])
        assert not gradients[0][~observed].any()
        found.append([output, *state, *gradients])
    for other in found[1:]:
        assert all(one.isfinite().all() for one in other)
        assert all(map(torch.equal, found[0], other))


def test_nan_says_what_is_missing_where_nothing_else_does():
    layer, x = make(), torch.randn(5, 2, 3)
    x[1:3, 0, 1] = x[4, 1] = float("nan")
    ours, theirs = layer(x), layer(x, observed=~x.isnan())
    assert torch.equal(ours[0], theirs[0])
    assert all(map(torch.equal, ours[1], theirs[1]))


def test_without_times_steps_are_counted():
    layer, x = make(), torch.randn(6, 2, 3)
    x[1:4, 0, 1] = float("nan")
    counted, state = layer(x, lengths=[6, 4])
    times = torch.arange(6)[:, None].expand(6, 2)
    assert torch.equal(counted, layer(x, times=times, lengths=[6, 4])[0])
    assert state.steps.flatten().tolist() == [6, 4]
    first, before = layer(x[:3])
    second, _ = layer(x[3:], before, lengths=[3, 1])
    torch.testing.assert_close(torch.cat([first, second]), counted)


def test_only_the_time_that_passes_counts_in_whatever_unit():
    layer = make()
    x, times = torch.randn(6, 2, 3), torch.rand(6, 2, dtype=torch.float64).cumsum(0)
    x[1:4, 0, 1] = float("nan")
    output, _ = layer(x, times=times)
    later, _ = layer(x, times=times + 1.7e9)  # seconds of our days, which float32 tells badly apart
    torch.testing.assert_close(later, output, rtol=0, atol=1e-6)
    layer.time_scale.mul_(60)
    torch.testing.assert_close(layer(x, times=60 * times)[0], output, rtol=0, atol=1e-6)
    assert not torch.allclose(layer(x, times=2 * times)[0], output, atol=1e-3)


def test_a_value_decays_to_the_mean_and_begins_with_it():
    layer = make(dtype=torch.float64)
    x = torch.full((3, 1, 3), float("nan"), dtype=torch.float64)
    x[1] = torch.tensor([4.0, 5.0, 6.0])
    times = torch.tensor([[0.0], [1], [1e9]])
    output, state = layer(x, times=times)
    plain = GRU(6, 4, dtype=torch.float64)
    own = layer.state_dict()
    plain.load_state_dict({name: own[name] for name in plain.state_dict()})
    at_first, _ = plain(torch.cat([layer.mean, torch.zeros(3).double()])[None, None])
    torch.testing.assert_close(output[0], at_first[0], rtol=0, atol=1e-15)
    assert torch.equal(state.value[0, 0], x[1, 0])
    layer.weight_dx_l0.data.fill_(1), layer.weight_dh_l0.data.fill_(1)
    output, _ = layer(x, times=times)  # after so long a time nothing is left of value or state
    torch.testing.assert_close(output[2], at_first[0], rtol=0, atol=1e-15)


def test_without_decays_and_holes_it_is_a_gru_that_sees_its_mask():
    layer = make(input_decay=False, state_decay=False)
    plain, own = GRU(6, 4), layer.state_dict()
    plain.load_state_dict({name: own[name] for name in plain.state_dict()})
    x = torch.randn(5, 2, 3)
    expected, _ = plain(torch.cat([x, torch.ones_like(x)], dim=-1), lengths=[5, 2])
    torch.testing.assert_close(layer(x, lengths=[5, 2])[0], expected, rtol=0, atol=1e-6)
    assert layer.choice(x) == plain.choice(x.repeat(1, 1, 2))


def test_decays_begin_alive_and_slow():
    layer = GRUD(37, 64)
    for name in ("weight_dx_l0", "weight_dh_l0"):
        assert getattr(layer, name).min() >= 0
    assert not layer.bias_dx_l0.any()
    slowest = torch.exp(-layer.weight_dh_l0.sum(1))
    assert slowest.min() > 0.85


def test_mean_and_scale_of_time_are_saved_with_the_weights(tmp_path):
    layer = make(batch_first=True)
    layer.save(tmp_path / "m")
    again = load(tmp_path / "m").eval()
    x = torch.randn(2, 5, 3)
    x[0, 2:, 1] = float("nan")
    assert torch.equal(again(x)[0], layer(x)[0])
    assert torch.equal(again.mean, layer.mean)
    assert repr(again) == "GRUD(3, 4, batch_first=True)"


def test_autocast_to_bfloat16_runs():
    layer, x = make(), torch.randn(5, 2, 3)
    x[1, 1] = float("nan")
    expected, _ = layer(x)
    with torch.autocast("cpu", torch.bfloat16):
        output, state = layer(x)
        again, _ = layer(x, state)
    torch.testing.assert_close(output.float(), expected, rtol=0, atol=0.05)
    assert again.isfinite().all()


def test_torch_func_maps_over_layers():
    layer, x = make(), torch.randn(4, 5, 2, 3)
    weights = dict(layer.named_parameters())
    expected = torch.stack([layer(one)[0] for one in x])
    call = lambda one: torch.func.functional_call(layer, weights, (one,))[0]  # noqa: E731
    torch.testing.assert_close(torch.func.vmap(call)(x), expected)


LAYER = GRUD(3, 4, batch_first=True)
X = torch.ones(2, 5, 3)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: GRUD(3, 4, num_layers=2), "num_layers is 2, but GRUD is one layer that reads"),
        (lambda: GRUD(3, 4, num_layers=2), "on top of its output: GRU(4, 4, num_layers=2)."),
        (lambda: GRUD(3, 4, bidirectional=True), "output: GRU(4, 4, bidirectional=True)."),
        (lambda: GRUD(3, 4, zoneout=2), "zoneout is 2, but is a probability from 0 to 1."),
        (lambda: make(recurrent_dropout=0.5).train().step(X[:, 0]), "GRUD cannot step while"),
    ],
)
def test_what_it_cannot_do_is_said(build, words):
    with pytest.raises(OptionError, match=re.escape(words)):
        build()


def times_with(record: int, step: int, value: float) -> Tensor:
    times = torch.arange(5.0).repeat(2, 1)
    times[record, step] = value
    return times


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"observed": X}, "observed has shape (2, 5, 3) and type torch.float32, but GRUD wants"),
        ({"observed": [True]}, "observed is a list, but must be a tensor, as x."),
        ({"observed": X[0] > 0}, "observed has shape (5, 3) and type torch.bool, but GRUD wants"),
        ({"times": X}, "times has shape (2, 5, 3), but GRUD wants (2, 5) here: one for each step"),
        ({"times": [[1.0]]}, "times is a list, but GRUD reads a tensor."),
        (
            {"times": times_with(1, 3, 1.5)},
            "The time of step 3 of record 1 is 1.5, but must be finite, and it was 2.0 before.",
        ),
        ({"times": times_with(1, 3, float("nan"))}, "The time of step 3 of record 1 is nan, but"),
        ({"times": times_with(0, 4, float("inf"))}, "The time of step 4 of record 0 is inf, but"),
        ({"state": torch.zeros(1, 2, 4)}, "The state holds 1 tensors, but GRUD carries h and val"),
        (
            {"state": LAYER.initial_state(2)._replace(time=torch.zeros(1, 2, 3))},
            "The state time is torch.float32, but must be torch.float64.",
        ),
    ],
)
def test_a_wrong_input_is_told_what_to_do(call, words):
    with pytest.raises(ShapeError, match=re.escape(words)):
        LAYER(X, **call)


def test_time_does_not_go_back_between_two_calls():
    _, state = LAYER(X, times=times_with(0, 4, 9.0))
    with pytest.raises(
        ShapeError, match=re.escape("step 0 of record 0 is 5.0, but must be finite")
    ):
        LAYER(X, state, times=torch.arange(5.0, 10).repeat(2, 1))


def test_who_gives_times_once_gives_them_always():
    _, state = LAYER(X, times=times_with(0, 4, 9.0))
    with pytest.raises(ShapeError, match="give times= in every call or in none"):
        LAYER(X, state)


def test_padding_may_hold_any_time():
    plain, _ = LAYER(X, times=times_with(0, 4, 9.0), lengths=[5, 2])
    for content in (float("nan"), float("-inf"), -3.0):
        times = times_with(0, 4, 9.0)
        times[1, 2:] = content
        other, _ = LAYER(X, times=times, lengths=[5, 2])
        assert torch.equal(other, plain)


def test_one_record_without_a_batch_is_shown_its_axis():
    with pytest.raises(ShapeError, match=re.escape("Use x.unsqueeze(0) if it is one record of 5")):
        LAYER(X[0])


@pytest.mark.parametrize("shape", [(0, 5, 3), (2, 0, 3)])
def test_nothing_to_read_is_read(shape):
    output, state = LAYER(torch.zeros(shape))
    assert output.shape == (*shape[:2], 4)
    assert not state.h.any()
