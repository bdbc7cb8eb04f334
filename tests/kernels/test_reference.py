"""The definitions: their equations, their gradients, what lengths mean to them."""

import re
from functools import partial
from itertools import product
from math import log, sqrt

import numpy as np
import pytest
import torch
from torch import nn

from recurra.errors import OptionError
from recurra.kernels import Kernel, Stack, Weights, elman, gru, jordan, lstm
from recurra.kernels.recurrence import Masks, fed_back, fed_in
from recurra.kernels.stack import draw_masks
from recurra.testing import check_gradients, check_kernel, draw_weights

torch.manual_seed(0)
HIDDEN = 3
CASES: dict[str, tuple[Kernel, Weights, tuple[int, ...]]] = {
    **{
        f"elman {name}": (partial(elman.elman, activation=name), draw_weights(1, 2, HIDDEN), (3,))
        for name in ("tanh", "relu", "sigmoid")
    },
    "jordan": (jordan.jordan, draw_weights(1, 2, HIDDEN, outputs=2, output_map=True), (2,)),
    "jordan tanh": (
        partial(jordan.jordan, activation="sigmoid", output_activation="tanh"),
        draw_weights(1, 2, HIDDEN, outputs=4, output_map=True),
        (4,),
    ),
    "lstm": (lstm.lstm, draw_weights(4, 2, HIDDEN), (3, 3)),
    "lstm projected": (lstm.lstm, draw_weights(4, 2, HIDDEN, outputs=2, projection=True), (2, 3)),
    "gru": (gru.gru, draw_weights(3, 2, HIDDEN), (3,)),
    "elman with all": (elman.elman, draw_weights(1, 2, HIDDEN, layer_norm=True, heads=3), (3,)),
    "gru normalised": (gru.gru, draw_weights(3, 2, HIDDEN, layer_norm=True), (3,)),
    "gru of heads": (gru.gru, draw_weights(3, 2, HIDDEN, heads=3), (3,)),
    "lstm with peepholes": (lstm.lstm, draw_weights(4, 2, HIDDEN, peephole=True), (3, 3)),
    "lstm coupled": (lstm.lstm, draw_weights(3, 2, HIDDEN), (3, 3)),
    "lstm normalised": (
        lstm.lstm,
        draw_weights(4, 2, HIDDEN, layer_norm=True, cell_norm=True),
        (3, 3),
    ),
    "lstm of heads": (lstm.lstm, draw_weights(4, 2, HIDDEN, heads=3), (3, 3)),
    "lstm with all": (
        lstm.lstm,
        draw_weights(3, 2, HIDDEN, peephole=True, layer_norm=True, cell_norm=True, heads=3),
        (3, 3),
    ),
}
CELLS = {
    "elman": (elman.elman, (1,), 1),
    "gru": (gru.gru, (3,), 1),
    "lstm": (lstm.lstm, (4, 3), 2),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest):
    return CASES[request.param]


def zeros(sizes: tuple[int, ...], batch: int) -> tuple[torch.Tensor, ...]:
    return tuple(torch.zeros(batch, size, dtype=torch.float64) for size in sizes)


@pytest.mark.parametrize("lengths", [[3, 3], [2, 0, 1]], ids=str)
def test_gradients_are_those_of_finite_differences(case, lengths):
    torch.manual_seed(1)
    check_gradients(*case, lengths)


@pytest.mark.parametrize(
    ("cell", "step", "gates", "states"),
    [
        (nn.RNNCell, elman.step, 1, 1),
        (nn.LSTMCell, lstm.step, 4, 2),
        (nn.GRUCell, gru.step, 3, 1),
    ],
)
def test_a_step_is_that_of_torchs_cell(cell, step, gates, states):
    weights = draw_weights(gates, 2, HIDDEN)
    theirs = cell(2, HIDDEN, dtype=torch.float64)
    theirs.load_state_dict({k: v for k, v in weights._asdict().items() if v is not None})
    x = torch.randn(4, 2, dtype=torch.float64)
    before = tuple(torch.randn(4, HIDDEN, dtype=torch.float64) for _ in range(states))
    projected = nn.functional.linear(x, weights.weight_ih, weights.bias_ih)
    expected = theirs(x, before if states > 1 else before[0])
    expected = expected if isinstance(expected, tuple) else (expected,)
    torch.testing.assert_close(step(projected, before, weights), expected, rtol=0, atol=1e-14)


def test_reverse_reads_each_record_from_its_own_last_step(case):
    kernel, weights, sizes = case
    x = torch.randn(6, 3, 2, dtype=torch.float64)
    lengths = torch.tensor([6, 2, 0])
    output, state = kernel(x, zeros(sizes, 3), weights, lengths, reverse=True)
    for record, length in enumerate(lengths.tolist()):
        turned = x[:length, record : record + 1].flip(0)
        alone, after = kernel(turned, zeros(sizes, 1), weights)
        torch.testing.assert_close(output[:length, record], alone.flip(0)[:, 0])
        assert not output[length:, record].any()
        for ours, theirs in zip(state, after, strict=True):
            torch.testing.assert_close(ours[record], theirs[0])


@pytest.mark.parametrize("reverse", [False, True])
def test_any_padding_leaves_every_bit_as_it_is(case, reverse):
    kernel, weights, sizes = case
    lengths = torch.tensor([4, 2, 0])
    x = torch.randn(9, 3, 2, dtype=torch.float64)
    dirty = torch.where(torch.arange(9)[:, None, None] < lengths[:, None], x, torch.nan)
    outputs = []
    for values in (x[:4], x, dirty):
        values = values.clone().requires_grad_()
        output, state = kernel(values, zeros(sizes, 3), weights, lengths, reverse=reverse)
        assert output.shape[0] == values.shape[0]
        leaves = [values, *(one for one in weights if one is not None)]
        loss = output.square().sum() + sum(one.sum() for one in state)
        first, *rest = torch.autograd.grad(loss, leaves)
        assert not first[4:].any()
        outputs.append([output[:4], first[:4], *state, *rest])
    for other in outputs[1:]:
        assert all(map(torch.equal, outputs[0], other))


def test_no_bias_is_a_bias_of_zero(case):
    kernel, weights, sizes = case
    x = torch.randn(4, 2, 2, dtype=torch.float64)
    given = weights._asdict().items()
    zero = Weights(**{k: v if v is None or "bias" not in k else v.detach() * 0 for k, v in given})
    none = Weights(**{k: None if "bias" in k else v for k, v in given})
    with_zero, _ = kernel(x, zeros(sizes, 2), zero)
    without, _ = kernel(x, zeros(sizes, 2), none)
    torch.testing.assert_close(with_zero, without, rtol=0, atol=1e-15)


def test_float32_stays_float32(case):
    kernel, weights, sizes = case
    weights = Weights(*(None if one is None else one.float() for one in weights))
    state = tuple(one.float() for one in zeros(sizes, 2))
    output, after = kernel(torch.ones(3, 2, 2), state, weights, torch.tensor([3, 1]))
    assert {one.dtype for one in (output, *after)} == {torch.float32}


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def normalised(x: np.ndarray, gain: np.ndarray | None) -> np.ndarray:
    return x if gain is None else (x - x.mean()) / np.sqrt(x.var() + 1e-5) * gain


def head_by_head(weight: np.ndarray, h: np.ndarray, hidden: int) -> np.ndarray:
    """Row by row: each unit reads its own head only."""
    width = weight.shape[1]
    heads = len(h) // width
    firsts = [row % hidden * heads // hidden * width for row in range(len(weight))]
    return np.array([weight[row] @ h[a : a + width] for row, a in enumerate(firsts)])


def by_hand(cell: str, x: np.ndarray, h: np.ndarray, c: np.ndarray, w: Weights, masks: Masks):
    """One record, one step after another, as the papers have it: output and state."""
    outputs, hidden = [], len(c)
    for t, x_t in enumerate(x):
        fed = normalised(w.weight_ih @ x_t, w.gain_ih) + w.bias_ih
        back = normalised(head_by_head(w.weight_hh, h * masks.recurrent, hidden), w.gain_hh)
        back = back + w.bias_hh
        new_c = c
        if cell == "elman":
            new_h = np.tanh(fed + back)
        elif cell == "gru":
            (xr, xz, xn), (hr, hz, hn) = fed.reshape(3, -1), back.reshape(3, -1)
            r, z = sigmoid(xr + hr), sigmoid(xz + hz)
            new_h = (1 - z) * np.tanh(xn + r * hn) + z * h
        else:
            coupled = len(w.weight_ih) == 3 * hidden
            rows = (fed + back).reshape(-1, hidden)
            gate = dict(zip("fgo" if coupled else "ifgo", rows, strict=True))
            p = dict.fromkeys("ifo", 0.0)
            if w.weight_ch is not None:
                p |= dict(zip("fo" if coupled else "ifo", w.weight_ch, strict=True))
            f = sigmoid(gate["f"] + p["f"] * c)
            i = 1 - f if coupled else sigmoid(gate["i"] + p["i"] * c)
            new_c = f * c + i * np.tanh(gate["g"])
            read = new_c if w.gain_c is None else normalised(new_c, w.gain_c) + w.bias_c
            new_h = sigmoid(gate["o"] + p["o"] * new_c) * np.tanh(read)
            new_h = new_h if w.weight_hr is None else w.weight_hr @ new_h
        h = masks.zoneout_h[t] * h + (1 - masks.zoneout_h[t]) * new_h
        c = masks.zoneout_c[t] * c + (1 - masks.zoneout_c[t]) * new_c
        outputs.append(h)
    return np.array(outputs), h, c


COMBINATIONS = [
    (cell, gates, form, peephole, norm)
    for cell, (_, counts, _) in CELLS.items()
    for gates, form, peephole, norm in product(
        counts, ["dense", "heads", "projected"], [False, True], [False, True]
    )
    if cell == "lstm" or (form != "projected" and not peephole)
]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("training", [None, True, False])
@pytest.mark.parametrize(("cell", "gates", "form", "peephole", "norm"), COMBINATIONS)
def test_all_options_together_are_what_the_papers_say(
    cell, gates, form, peephole, norm, training, reverse
):
    torch.manual_seed(2)
    hidden, outputs = 4, 2 if form == "projected" else 4
    weights = draw_weights(
        gates, 3, hidden, outputs=outputs, projection=form == "projected", peephole=peephole,
        layer_norm=norm, cell_norm=norm and cell == "lstm", heads=2 if form == "heads" else 1,
    )  # fmt: skip
    weights = Weights(*(None if one is None else one.detach() for one in weights))
    kernel, _, parts = CELLS[cell]
    x, lengths = torch.randn(5, 3, 3, dtype=torch.float64), [5, 3, 0]
    state = tuple(torch.randn(3, n, dtype=torch.float64) for n in (outputs, hidden)[:parts])
    stack = Stack(cell, recurrent_dropout=0.4, zoneout=0.3, zoneout_cell=0.6 * (parts == 2))
    masks = None if training is None else draw_masks(stack, x, state, training=training)
    counts = torch.tensor(lengths)
    output, after = kernel(x, state, weights, counts, reverse=reverse, masks=masks)

    bare = Weights(*(None if one is None else one.numpy() for one in weights))
    for record, length in enumerate(lengths):
        turn = slice(None, None, -1 if reverse else 1)
        one, still = masks or Masks(), np.zeros((length, 1))
        drawn = Masks(
            1.0 if one.recurrent is None else one.recurrent[record].numpy(),
            *(
                still if kept is None else kept[:length, record].numpy()[turn]
                for kept in (one.zoneout_h, one.zoneout_c)
            ),
        )
        h, c = state[0][record].numpy(), state[-1][record].numpy()
        expected, *final = by_hand(cell, x[:length, record].numpy()[turn], h, c, bare, drawn)
        np.testing.assert_allclose(
            output[:length, record], expected.reshape(length, outputs)[turn], atol=1e-12
        )
        for ours, theirs in zip(after, final[:parts], strict=True):
            np.testing.assert_allclose(ours[record], theirs, atol=1e-12)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", ["elman tanh", "gru", "lstm", "lstm projected", "lstm with all"])
def test_gradients_under_masks_are_those_of_finite_differences(name, training):
    torch.manual_seed(1)
    kernel, weights, sizes = CASES[name]
    plan = {"zoneout_cell": 0.5} if len(sizes) == 2 else {}
    stack = Stack(name.split()[0], recurrent_dropout=0.3, zoneout=0.4, **plan)
    masks = draw_masks(stack, torch.empty(2, 3, 2), zeros(sizes, 3), training=training)
    check_gradients(partial(kernel, masks=masks), weights, sizes, [2, 0, 1])


ONE, ZERO = torch.ones(1, 1), torch.zeros(1, 1)


def test_zoneout_blends_the_old_and_the_new():
    def h(share: float) -> float:
        masks = Masks(zoneout_h=torch.full((1, 1, 1), share))
        weights = Weights(ONE, ONE)
        output, _ = elman.elman(ONE[None], (ONE,), weights, activation="relu", masks=masks)
        return output.item()

    assert [h(0), h(0.25), h(1)] == [2, 1.75, 1]


def test_zoneout_of_the_cell_leaves_the_output_of_the_step_alone():
    masks = Masks(zoneout_c=torch.ones(1, 1, 1))
    weights = draw_weights(4, 1, 1, dtype=torch.float32)
    output, (_, c) = lstm.lstm(ONE[None], (ONE, ONE), weights, masks=masks)
    plain, _ = lstm.lstm(ONE[None], (ONE, ONE), weights)
    assert c.item() == 1
    assert torch.equal(output, plain)


def test_recurrent_dropout_acts_on_the_product_only():
    assert elman.step(ONE, (ONE,), Weights(ONE, ONE), "relu", mask=2 * ONE)[0].item() == 3
    half_open = Weights(torch.zeros(3, 1), torch.zeros(3, 1))
    assert gru.step(torch.zeros(1, 3), (ONE,), half_open, mask=ZERO)[0].item() == 0.5


def test_a_peephole_shows_the_gate_its_own_cell():
    peepholes = torch.tensor([[0.0], [log(3)], [log(4)]])
    weights = Weights(torch.zeros(4, 1), torch.zeros(4, 1), weight_ch=peepholes)
    h, c = lstm.step(torch.zeros(1, 4), (ZERO, ONE), weights)
    assert c.item() == pytest.approx(3 / 4)
    assert h.item() == pytest.approx(4**0.75 / (1 + 4**0.75) * np.tanh(0.75))


def test_a_coupled_cell_writes_what_it_forgets():
    weights = Weights(torch.zeros(3, 1), torch.zeros(3, 1))
    _, c = lstm.step(torch.tensor([[log(3), 50.0, 0.0]]), (ZERO, -ONE), weights)
    assert c.item() == pytest.approx(3 / 4 * -1 + 1 / 4 * 1)


def test_a_layer_norm_has_mean_0_and_spread_1_before_gain_and_bias():
    weight, gain, bias = torch.tensor([[1.0], [3.0]]), torch.tensor([10.0, 20]), torch.ones(2)
    spread = sqrt(1 + 1e-5)
    expected = torch.tensor([[-10 / spread + 1, 20 / spread + 1]])
    weights = Weights(weight, torch.tensor([[1.0, 0], [3, 0]]), bias, bias)
    weights = weights._replace(gain_ih=gain, gain_hh=gain)
    torch.testing.assert_close(fed_in(torch.ones(1, 1), weights), expected)
    torch.testing.assert_close(fed_back(torch.ones(1, 2), weights), expected)


def test_heads_are_blocks_on_the_diagonal_of_each_gate():
    weight, h = torch.randn(3 * 6, 2, dtype=torch.float64), torch.randn(5, 6, dtype=torch.float64)
    dense = torch.cat([torch.block_diag(*heads) for heads in weight.reshape(3, 3, 2, 2)])
    torch.testing.assert_close(fed_back(h, Weights(weight, weight)), h @ dense.T)


@pytest.mark.parametrize("forgotten", Masks._fields)
def test_a_kernel_that_forgets_a_mask_is_caught(forgotten):
    def careless(*call, masks, **options):
        masks = None if masks is None else masks._replace(**{forgotten: None})
        return lstm.lstm(*call, masks=masks, **options)

    stack = Stack("lstm", recurrent_dropout=0.3, zoneout=0.4, zoneout_cell=0.5)
    weights = CASES["lstm"][1]
    check_kernel(lstm.lstm, lstm.lstm, weights, (3, 3), stack=stack, examples=3)
    with pytest.raises(AssertionError, match="differs by"):
        check_kernel(careless, lstm.lstm, weights, (3, 3), stack=stack)


def test_masks_are_those_of_their_plan():
    torch.manual_seed(0)
    stack = Stack("lstm", recurrent_dropout=0.75, zoneout=0.1, zoneout_cell=0.5)
    x, state = torch.empty(50, 20, 3), (torch.empty(20, 8), torch.empty(20, 10))
    drawn = draw_masks(stack, x, state, training=True)
    assert [one.shape for one in drawn] == [(20, 8), (50, 20, 8), (50, 20, 10)]
    assert set(drawn.recurrent.unique().tolist()) == {0, 4}
    assert drawn.zoneout_h.mean().item() == pytest.approx(0.1, abs=0.02)
    assert drawn.zoneout_c.mean().item() == pytest.approx(0.5, abs=0.02)
    rests = draw_masks(stack, x, state, training=False)
    assert rests.recurrent is None
    assert torch.equal(rests.zoneout_c, torch.full((50, 20, 10), 0.5))
    assert draw_masks(Stack("lstm"), x, state, training=True) is None
    assert draw_masks(Stack("gru", recurrent_dropout=0.5), x, state, training=False) is None


def test_without_a_mask_nothing_is_drawn_from_the_generator():
    before = torch.get_rng_state()
    draw_masks(
        Stack("lstm", zoneout=0.5), torch.empty(5, 2, 3), (torch.empty(2, 4),), training=False
    )
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Stack("gru", peephole=True), "The cell 'gru' has no peephole. Leave it away, or"),
        (lambda: Stack("jordan", heads=2), "or use one of: 'elman', 'lstm', 'gru'."),
        (lambda: Stack("lstm", heads=0), "heads is 0, but must be 1 or more."),
        (lambda: Stack("lstm", heads=2.0), "heads is 2.0, but must be an integer."),
        (lambda: Stack("lstm", zoneout_cell=-0.1), "zoneout_cell is -0.1, but is a probability"),
        (lambda: Stack("lstm", recurrent_dropout=True), "recurrent_dropout is True, but is a prob"),
        (lambda: Stack("lstm", coupled=1), "coupled is 1, but is True or False."),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(build, words):
    with pytest.raises(OptionError, match=re.escape(words)):
        build()
