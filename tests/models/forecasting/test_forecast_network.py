"""The forecasting network: what its loss counts, what it carries, and when it decodes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra import layers
from recurra.models import (
    HEADS,
    Batch,
    ForecastNetwork,
    Gaussian,
    History,
    Inputs,
    LocalFeatures,
    Origin,
    View,
    roll_out,
    take_state,
)

NAN = float("nan")
LAYERS = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.RNN, "jordan": layers.Jordan}
REALS, CARDINALITIES = 2, (3, 5)


def new_network(local, layer="lstm", head="student_t", num_layers=1, seed=0, **options):
    """A small network in double precision whose outputs are not the initial zeros."""
    sizes = (local.size, REALS)
    width = ForecastNetwork.width(sizes, CARDINALITIES)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        stack = LAYERS[layer](width, 6, num_layers=num_layers, batch_first=True)
        network = ForecastNetwork(stack, HEADS[head](), sizes, CARDINALITIES, **options).double()
        for last in (network.linear, network.output):
            torch.nn.init.normal_(last.weight, std=0.3)
    return network.eval()


def double(inputs):
    return Inputs(inputs.local.double(), inputs.real.double(), inputs.codes)


def covariates(batch, steps, seed=0):
    random = torch.Generator().manual_seed(seed)
    real = torch.randn(batch, steps, REALS, generator=random, dtype=torch.float64)
    codes = [torch.randint(0, size, (batch, steps), generator=random) for size in CARDINALITIES]
    return real, torch.stack(codes, -1)


def new_batch(local, batch=3, steps=12, seed=0, counts=False):
    """Windows of random walks, or of counts, and what came after each step."""
    random = np.random.default_rng(seed)
    drawn = (
        random.poisson(4, (batch, steps + 1))
        if counts
        else random.normal(size=(batch, steps + 1)).cumsum(-1)
    )
    values = torch.from_numpy(drawn.astype(float))
    view, _ = local.observe(values[:, :-1])
    inputs = double(Inputs(view.features, *covariates(batch, steps, seed)))
    return Batch(inputs, view.anchor, view.scale, values[:, 1:].clone())


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def gradients(network, total):
    network.zero_grad()
    total.backward()
    return [each.grad.clone() for each in network.parameters()]


@pytest.fixture
def local():
    return LocalFeatures([1, 2, 3], decay=0.9, floor=0.1)


# ---------------------------------------------------------------------- the loss


@pytest.mark.parametrize("head", HEADS)
def test_the_loss_is_the_sum_over_exactly_the_observed_targets(local, head):
    network = new_network(local, head=head)
    batch = new_batch(local, counts=HEADS[head].counts)
    holes = torch.rand(batch.target.shape, generator=torch.Generator().manual_seed(1)) < 0.4
    batch.target[holes] = NAN
    total, count, _ = network.loss(batch)
    raw, _ = network(batch.inputs)
    by_hand = 0.0
    for row, step in (~holes).nonzero().tolist():
        here = (batch.target[row, step], batch.anchor[row, step], batch.scale[row, step])
        by_hand -= network.head.log_probability(raw[row, step], *here).item()
    assert int(count) == int((~holes).sum())
    assert total.item() == pytest.approx(by_hand, rel=1e-10)


@pytest.mark.parametrize("head", HEADS)
def test_unobserved_targets_leave_every_gradient_finite(local, head):
    network, batch = new_network(local, head=head), new_batch(local, counts=HEADS[head].counts)
    batch.target[:, 3:] = NAN
    batch.target[1] = NAN
    total, _, _ = network.loss(batch)
    assert all(each.isfinite().all() for each in gradients(network, total))


def test_a_batch_without_an_observed_target_has_no_loss_and_no_gradient(local):
    network, batch = new_network(local), new_batch(local)
    batch.target[:] = NAN
    total, count, _ = network.loss(batch)
    assert (total.item(), int(count)) == (0.0, 0)
    assert all((each == 0).all() for each in gradients(network, total))


def with_padding(batch, lengths, content):
    """Put something beyond the length of every row."""
    padded = torch.arange(batch.target.shape[1]) >= torch.tensor(lengths)[:, None]
    local, real, codes = batch.inputs.local, batch.inputs.real, batch.inputs.codes
    return replace(
        batch,
        inputs=Inputs(
            torch.where(padded[..., None], content, local),
            torch.where(padded[..., None], content, real),
            codes.masked_fill(padded[..., None], 1),
        ),
        anchor=torch.where(padded, content, batch.anchor),
        scale=torch.where(padded, abs(content) + 1, batch.scale),
        target=batch.target.masked_fill(padded, NAN),
    )


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.integers(1, 9), min_size=3, max_size=3),
    st.floats(-1e3, 1e3),
    st.sampled_from(["lstm", "gru", "rnn", "jordan"]),
)
def test_the_content_of_padding_changes_no_bit_of_loss_or_gradient(lengths, content, layer):
    local = LocalFeatures([1, 2, 3], decay=0.9)
    network, batch = new_network(local, layer), new_batch(local, steps=9)
    one, count, _ = network.loss(with_padding(batch, lengths, 0.0))
    other, again, _ = network.loss(with_padding(batch, lengths, content))
    assert torch.equal(one, other)
    assert int(count) == int(again) == sum(lengths)
    for a, b in zip(gradients(network, one), gradients(network, other), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("content", [NAN, float("inf")])
def test_padding_that_is_no_number_changes_no_bit_of_the_loss(local, content):
    network, batch = new_network(local), new_batch(local)
    one, *_ = network.loss(with_padding(batch, [12, 3, 7], 0.0))
    other, *_ = network.loss(with_padding(batch, [12, 3, 7], content))
    assert torch.equal(one, other)


@pytest.mark.parametrize("layer", LAYERS)
def test_more_padding_changes_no_loss(local, layer):
    network, batch = new_network(local, layer), new_batch(local)
    longer = with_padding(new_batch(local, steps=20), [12] * 3, 0.0)
    for name in ("local", "real", "codes"):
        getattr(longer.inputs, name)[:, :12] = getattr(batch.inputs, name)
    for name in ("anchor", "scale", "target"):
        getattr(longer, name)[:, :12] = getattr(batch, name)
    (one, count, _), (other, again, _) = network.loss(batch), network.loss(longer)
    assert int(count) == int(again)
    assert one.item() == pytest.approx(other.item(), rel=1e-14)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_window_does_not_feel_its_neighbours(local, layer):
    network, batch = new_network(local, layer), new_batch(local)
    raw, _ = network(batch.inputs)
    for row in range(3):
        one = slice(row, row + 1)
        alone = Inputs(*(getattr(batch.inputs, name)[one] for name in ("local", "real", "codes")))
        torch.testing.assert_close(network(alone)[0], raw[one], rtol=1e-12, atol=1e-12)


# ---------------------------------------------------------------------- chunks and state


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("steps", [1, 5, 12, 99])
def test_chunks_with_carried_state_give_the_loss_of_the_whole(local, layer, steps):
    network, batch = new_network(local, layer, num_layers=2), new_batch(local)
    batch.target[1, 4:8] = NAN
    whole, count, end = network.loss(batch)
    state, totals, counts = None, 0.0, 0
    for chunk in batch.chunks(steps):
        total, some, state = network.loss(chunk, state)
        totals, counts = totals + total.item(), counts + int(some)
    assert totals == pytest.approx(whole.item(), rel=1e-12)
    assert counts == int(count)
    for a, b in zip(parts(state), parts(end), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def test_chunks_without_the_state_give_another_loss(local):
    network, batch = new_network(local), new_batch(local)
    cut = sum(network.loss(chunk)[0].item() for chunk in batch.chunks(5))
    assert abs(cut - network.loss(batch)[0].item()) > 1e-3


def test_chunks_come_in_order_and_leave_nothing_out(local):
    batch = new_batch(local)
    chunks = list(batch.chunks(5))
    assert [chunk.target.shape[1] for chunk in chunks] == [5, 5, 2]
    assert len(chunks[0]) == len(batch) == 3
    for name in ("anchor", "scale", "target"):
        joined = torch.cat([getattr(chunk, name) for chunk in chunks], 1)
        assert torch.equal(joined, getattr(batch, name))
    for name in ("local", "real", "codes"):
        joined = torch.cat([getattr(chunk.inputs, name) for chunk in chunks], 1)
        assert torch.equal(joined, getattr(batch.inputs, name))


@pytest.mark.parametrize("layer", LAYERS)
def test_given_lengths_the_state_is_that_after_the_last_valid_step(local, layer):
    network, batch = new_network(local, layer), new_batch(local)
    lengths = torch.tensor([12, 4, 7])
    _, state = network.read(batch.inputs, None, lengths)
    for row, length in enumerate(lengths.tolist()):
        part = (slice(row, row + 1), slice(length))
        alone = Inputs(*(getattr(batch.inputs, name)[part] for name in ("local", "real", "codes")))
        expected = network.read(alone)[1]
        found = take_state(state, torch.tensor([row]))
        for a, b in zip(parts(found), parts(expected), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("layer", LAYERS)
def test_reading_carries_the_same_state_as_decoding(local, layer):
    network, batch = new_network(local, layer), new_batch(local)
    for a, b in zip(
        parts(network.read(batch.inputs)[1]), parts(network(batch.inputs)[1]), strict=True
    ):
        assert torch.equal(a, b)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 11), st.sampled_from(sorted(LAYERS)))
def test_the_future_does_not_touch_the_outputs_of_the_past(cut, layer):
    local = LocalFeatures([1, 2, 3], decay=0.9)
    network, batch, other = new_network(local, layer), new_batch(local), new_batch(local, seed=9)
    for name in ("local", "real", "codes"):
        getattr(other.inputs, name)[:, :cut] = getattr(batch.inputs, name)[:, :cut]
    assert torch.equal(network(other.inputs)[0][:, :cut], network(batch.inputs)[0][:, :cut])


# ---------------------------------------------------------------------- what it reads


def test_every_input_is_read(local):
    network, batch = new_network(local), new_batch(local, batch=1, steps=2)
    raw, _ = network(batch.inputs)
    inputs = batch.inputs
    for k in range(local.size):
        moved = inputs.local.clone()
        moved[0, 0, k] += 1.0
        assert not torch.equal(network(replace(inputs, local=moved))[0], raw)
    for k in range(REALS):
        moved = inputs.real.clone()
        moved[0, 0, k] += 1.0
        assert not torch.equal(network(replace(inputs, real=moved))[0], raw)
    for k, size in enumerate(CARDINALITIES):
        moved = inputs.codes.clone()
        moved[0, 0, k] = (moved[0, 0, k] + 1) % size
        assert not torch.equal(network(replace(inputs, codes=moved))[0], raw)


def test_the_unknown_category_is_embedded_as_zeros_and_never_learned(local):
    network, batch = new_network(local), new_batch(local)
    batch.inputs.codes[:, ::2] = 0
    total, _, _ = network.loss(batch)
    total.backward()
    for table in network.embeddings:
        assert (table.weight[0] == 0).all()
        assert (table.weight[1:] != 0).any(1).all()
        assert (table.weight.grad[0] == 0).all()
        assert (table.weight.grad[1:] != 0).any()


def test_dropout_drops_in_training_only(local):
    network, batch = new_network(local, dropout=0.5), new_batch(local)
    assert torch.equal(network(batch.inputs)[0], network(batch.inputs)[0])
    network.train()
    assert not torch.equal(network(batch.inputs)[0], network(batch.inputs)[0])


def test_the_width_is_what_the_layer_reads(local):
    sizes = (local.size, REALS)
    assert ForecastNetwork.width(sizes, CARDINALITIES) == local.size + REALS + 2 + 3
    assert ForecastNetwork.width(sizes, [100]) == local.size + REALS + 16


# ---------------------------------------------------------------------- rolling out


def origin_after(network, local, values, real, codes):
    """Read a past as a forecaster does: all but the newest step goes through the layer."""
    view, history = local.observe(values)
    inputs = double(Inputs(view.features, real, codes))
    before = Inputs(*(getattr(inputs, name)[:, :-1] for name in ("local", "real", "codes")))
    return Origin(history, network(before)[1])


class Doubling(LocalFeatures):
    """Local features in double precision."""

    def now(self, history):
        view = super().now(history)
        return View(view.features.double(), *view[1:])


class Late(Doubling):
    """A decoder that is one step late: it never sees the newest value."""

    def now(self, history):
        recent = torch.cat([history.recent[:, :1], history.recent[:, :-1]], 1)
        pace = history.pace._replace(anchor=recent[:, -1])
        return super().now(History(recent, pace))


def one_step_ahead(network, local, values, real, codes):
    """Answer, from one pass over a whole series, what was expected after every step."""
    view, _ = local.observe(values)
    raw, _ = network(double(Inputs(view.features, real, codes)))
    return network.head.centre(raw, view.anchor, view.scale)


@pytest.mark.parametrize("layer", LAYERS)
def test_step_k_is_decoded_from_the_state_after_step_k_less_one(layer):
    local, past, h = Doubling([1, 2, 3], decay=0.9), 15, 6
    network = new_network(local, layer, num_layers=2)
    values = torch.from_numpy(np.random.default_rng(3).normal(size=(4, past)).cumsum(-1))
    real, codes = covariates(4, past + h)
    origin = origin_after(network, local, values, real[:, :past], codes[:, :past])
    ahead = (real[:, past - 1 : past - 1 + h], codes[:, past - 1 : past - 1 + h])
    path = roll_out(network, local, origin, ahead)
    joined = torch.cat([values, path], 1)
    teacher = one_step_ahead(network, local, joined, real, codes)[:, past - 1 : past - 1 + h]
    # features pass through float32 in `observe`
    torch.testing.assert_close(path, teacher, rtol=1e-5, atol=1e-5)

    late = roll_out(network, Late([1, 2, 3], decay=0.9), origin, ahead)
    teacher = one_step_ahead(network, local, torch.cat([values, late], 1), real, codes)
    assert (late - teacher[:, past - 1 : past - 1 + h]).abs().max() > 0.1


@pytest.mark.parametrize("h", [1, 12])
def test_a_recurrence_is_applied_again_and_again(h):
    """y = 1.8 y' - 0.9 y'', times (1 - B): 2.8 y' - 2.7 y'' + 0.9 y''', which has no level."""
    local = Doubling([1, 2], decay=0.9)
    layer = layers.GRU(local.size, 4, batch_first=True)
    network = ForecastNetwork(layer, Gaussian(), (local.size, 0)).double().eval()
    with torch.no_grad():
        network.linear.weight[0, :2] = torch.tensor([-2.7, 0.9])
    true = [[3.0, 4.0], [-1.0, 2.0]]
    for series in true:
        while len(series) < 20 + h:
            series.append(1.8 * series[-1] - 0.9 * series[-2])
    true = torch.tensor(true, dtype=torch.float64)
    nothing = (torch.empty(2, h, 0).double(), torch.empty(2, h, 0, dtype=torch.int64))
    blank = [each[:, :1].expand(2, 20, 0) for each in nothing]
    origin = origin_after(network, local, true[:, :20], *blank)
    path = roll_out(network, local, origin, nothing)
    torch.testing.assert_close(path, true[:, 20:], rtol=1e-4, atol=1e-4)
    late = roll_out(network, Late([1, 2], decay=0.9), origin, nothing)
    assert (late - true[:, 20:]).abs().max() > 0.2


def test_before_training_the_forecast_is_the_newest_value(local):
    sizes = (local.size, 0)
    layer = layers.LSTM(ForecastNetwork.width(sizes, ()), 6, batch_first=True)
    network = ForecastNetwork(layer, Gaussian(), sizes).eval()
    values = torch.tensor([[5.0, 7.0, 6.5], [100.0, 90.0, NAN]], dtype=torch.float64)
    _, history = local.observe(values)
    ahead = (torch.empty(2, 4, 0), torch.empty(2, 4, 0, dtype=torch.int64))
    path = roll_out(network, local, Origin(history, None), ahead)
    assert path.tolist() == [[6.5] * 4, [90.0] * 4]


def test_paths_are_drawn_from_the_generator_and_the_point_from_none(local):
    network = new_network(local).float()
    values = torch.from_numpy(np.random.default_rng(3).normal(size=(2, 9)).cumsum(-1))
    _, history = local.observe(values)
    real, codes = covariates(2, 5)
    ahead, origin = (real.float(), codes), Origin(history, None)
    drawn = [
        roll_out(network, local, origin, ahead, torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    ]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert torch.equal(
        roll_out(network, local, origin, ahead), roll_out(network, local, origin, ahead)
    )


def test_rolling_out_leaves_the_origin_as_it_was(local):
    network = new_network(local).float()
    _, history = local.observe(torch.tensor([[1.0, 2.0, 4.0]], dtype=torch.float64))
    before = history.recent.clone(), history.pace.anchor.clone()
    state = network.layer.initial_state(1)
    real, codes = covariates(1, 5)
    roll_out(network, local, Origin(history, state), (real.float(), codes))
    assert torch.equal(history.recent[~before[0].isnan()], before[0][~before[0].isnan()])
    assert torch.equal(history.pace.anchor, before[1])
    assert all((each == 0).all() for each in state)


def test_rows_of_an_origin_can_be_repeated_for_as_many_paths(local):
    network = new_network(local).float()
    _, history = local.observe(torch.tensor([[1.0, 2.0, 4.0], [3.0, 1.0, 0.0]]).double())
    real, codes = covariates(2, 5)
    origin = Origin(history, network.layer.initial_state(2))
    rows = torch.tensor([1, 0, 1])
    path = roll_out(network, local, origin, (real.float(), codes))
    taken = roll_out(network, local, origin.take(rows), (real.float()[rows], codes[rows]))
    torch.testing.assert_close(taken, path[rows])
