"""What torch's layers lack: dropped feedback, zoneout, layer norm, peepholes, coupling, heads."""

import re

import pytest
import torch
from torch.nn.utils.rnn import pack_sequence

from recurra.errors import OptionError
from recurra.kernels import backend
from recurra.layers import GRU, GRUD, LSTM, RNN

X = torch.randn(5, 2, 3, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def accumulator(hidden: int = 50, **options: object) -> RNN:
    """Feeds each unit back into itself alone, with weight 1; adds each of its inputs to all."""
    layer = RNN(1, hidden, nonlinearity="relu", bias=False, **options)
    for name, weight in layer.named_parameters():
        weight.copy_(torch.eye(hidden) if "hh" in name else torch.ones_like(weight))
    return layer


def ones(layer: RNN, batch: int) -> torch.Tensor:
    return torch.ones(layer.stack.runs, batch, layer.hidden_size)


def test_recurrent_dropout_drops_the_same_units_all_along_a_record():
    layer = accumulator(recurrent_dropout=0.5, bidirectional=True)
    output, _ = layer(torch.zeros(4, 3, 1), ones(layer, 3))
    forth, back = output.split(50, dim=-1)
    for way in (forth, back.flip(0)):
        assert set(way[0].unique().tolist()) == {0, 2}
        for t in range(4):
            assert torch.equal(way[t], way[0] ** (t + 1))
        assert not torch.equal(way[0, 0], way[0, 1])
    assert not torch.equal(forth[0], back[-1])


def test_recurrent_dropout_is_drawn_anew_for_each_call_and_rests_when_not_training():
    layer = accumulator(recurrent_dropout=0.5)
    call = torch.zeros(4, 3, 1), ones(layer, 3)
    assert not torch.equal(layer(*call)[0], layer(*call)[0])
    assert torch.equal(layer.eval()(*call)[0], torch.ones(4, 3, 50))


def test_recurrent_dropout_changes_nothing_on_average():
    torch.manual_seed(0)
    layer = accumulator(recurrent_dropout=0.3)
    call = torch.ones(1, 4000, 1), ones(layer, 4000)
    dropped, _ = layer(*call)
    assert dropped.mean().item() == pytest.approx(layer.eval()(*call)[0].mean().item(), rel=0.005)


def test_zoneout_keeps_units_as_they_were_drawn_at_each_step():
    torch.manual_seed(0)
    layer = accumulator(zoneout=0.25)
    with torch.no_grad():
        layer.weight_hh_l0.zero_()  # the new value is the input alone
    x = torch.arange(1.0, 201).reshape(200, 1, 1)
    output, _ = layer(x)
    before = torch.cat([torch.zeros(1, 1, 50), output[:-1]])
    kept = output == before
    assert torch.equal(output, torch.where(kept, before, x))
    assert kept.float().mean().item() == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("build", [RNN, GRU, LSTM])
def test_zoneout_when_not_training_is_its_mean_over_one_step(build):
    torch.manual_seed(0)
    more = {"zoneout_cell": 0.6} if build is LSTM else {}
    layer = build(3, 4, zoneout=0.3, dtype=torch.float64, **more)
    runs = 40_000
    start = [torch.randn(1, 1, 4, dtype=torch.float64).expand(1, runs, 4) for _ in layer.letters]
    state = tuple(start) if build is LSTM else start[0]
    x = torch.randn(1, 1, 3, dtype=torch.float64).expand(1, runs, 3)
    _, trained = layer(x, state)
    _, expected = layer.eval()(x, state)
    pairs = zip(trained, expected, strict=True) if build is LSTM else [(trained, expected)]
    for ours, theirs in pairs:
        torch.testing.assert_close(ours.mean(1), theirs.mean(1), rtol=0, atol=0.01)


def test_zoneout_of_one_keeps_the_state_for_ever():
    layer = LSTM(3, 4, zoneout=1.0, zoneout_cell=1.0)
    state = (torch.randn(1, 2, 4), torch.randn(1, 2, 4))
    for training in (True, False):
        _, after = layer.train(training)(X, state)
        assert all(map(torch.equal, after, state))


@pytest.mark.parametrize("build", [RNN, GRU, LSTM])
def test_heads_are_a_dense_layer_with_zeros_between_the_groups(build):
    torch.manual_seed(0)
    headed = build(3, 6, num_layers=2, bidirectional=True, heads=3, dtype=torch.float64)
    dense = build(3, 6, num_layers=2, bidirectional=True, dtype=torch.float64)
    with torch.no_grad():
        for name, weight in headed.named_parameters():
            if name.startswith("weight_hh"):
                gates = weight.reshape(-1, 3, 2, 2)
                weight = torch.cat([torch.block_diag(*blocks) for blocks in gates])
            dense.get_parameter(name).copy_(weight)
    x = X.double()
    output, expected = headed(x, lengths=[5, 2])[0], dense(x, lengths=[5, 2])[0]
    torch.testing.assert_close(output, expected, rtol=0, atol=1e-12)
    output.square().sum().backward()
    expected.square().sum().backward()
    for name, weight in headed.named_parameters():
        found = dense.get_parameter(name).grad
        if name.startswith("weight_hh"):
            blocks = found.reshape(-1, 3, 2, 3, 2)
            found = torch.stack([blocks[:, k, :, k] for k in range(3)], dim=1).reshape(-1, 2)
        torch.testing.assert_close(weight.grad, found, rtol=0, atol=1e-12)


def test_units_of_different_heads_do_not_hear_of_each_other():
    layer = GRU(3, 6, heads=2)
    state = torch.zeros(1, 2, 6)
    other = state.clone()
    other[..., :3] = 1
    plain, changed = layer(X, state)[0], layer(X, other)[0]
    assert torch.equal(plain[..., 3:], changed[..., 3:])
    assert not torch.equal(plain[..., :3], changed[..., :3])


@pytest.mark.parametrize("build", [RNN, GRU, LSTM])
def test_one_head_is_a_dense_layer(build):
    torch.manual_seed(0)
    one = build(3, 4, heads=1)
    torch.manual_seed(0)
    assert torch.equal(one(X)[0], build(3, 4)(X)[0])
    assert one.choice(X).backend == build(3, 4).choice(X).backend


def test_the_parameters_of_the_options_have_names_and_shapes():
    layer = LSTM(3, 4, peephole=True, coupled=True, layer_norm=True, heads=2)
    assert {name: tuple(one.shape) for name, one in layer.state_dict().items()} == {
        "weight_ih_l0": (12, 3),
        "weight_hh_l0": (12, 2),
        "bias_ih_l0": (12,),
        "bias_hh_l0": (12,),
        "gain_ih_l0": (12,),
        "gain_hh_l0": (12,),
        "weight_ch_l0": (2, 4),
        "gain_c_l0": (4,),
        "bias_c_l0": (4,),
    }
    assert LSTM(3, 4, peephole=True).weight_ch_l0.shape == (3, 4)
    assert "bias_c_l0" not in LSTM(3, 4, layer_norm=True, bias=False).state_dict()


def test_every_parameter_learns(make):
    layer = make()
    x = torch.randn((2, 5, 3) if layer.batch_first else (5, 2, 3))
    if isinstance(layer, GRUD):  # what decays must be missing
        x[1, 1] = float("nan")
    output, state = layer(x, lengths=[5, 3])
    parts = state if isinstance(state, tuple) else (state,)
    (output.square().sum() + sum(one.square().sum() for one in parts)).backward()
    silent = [name for name, one in layer.named_parameters() if not one.grad.any()]
    assert not silent


@pytest.mark.parametrize("initialisation", ["torch", "orthogonal"])
def test_a_layer_norm_begins_with_gains_of_1_and_a_cell_bias_of_0(initialisation):
    layer = LSTM(3, 4, layer_norm=True, initialisation=initialisation)
    for name in ("gain_ih_l0", "gain_hh_l0", "gain_c_l0"):
        assert torch.equal(getattr(layer, name), torch.ones_like(getattr(layer, name)))
    assert not layer.bias_c_l0.any()


def test_orthogonal_weights_are_orthogonal_head_by_head():
    layer = GRU(3, 6, heads=2, initialisation="orthogonal", dtype=torch.float64)
    for block in layer.weight_hh_l0.split(3):
        torch.testing.assert_close(block @ block.T, torch.eye(3, dtype=torch.float64))


def test_the_forget_bias_finds_the_gate_of_a_coupled_cell():
    layer = LSTM(3, 4, coupled=True, forget_bias=2.0, initialisation="orthogonal")
    total = (layer.bias_ih_l0 + layer.bias_hh_l0).tolist()
    assert total == [2.0] * 4 + [0.0] * 8


def test_a_layer_normalised_does_not_feel_the_scale_of_its_input():
    layer = GRU(3, 4, layer_norm=True, dtype=torch.float64)
    x = X.double() * 1e3
    torch.testing.assert_close(layer(x)[0], layer(7 * x)[0], rtol=0, atol=1e-6)


def test_a_packed_sequence_goes_through_every_option():
    options = {"peephole": True, "coupled": True, "layer_norm": True, "heads": 2, "zoneout": 0.2}
    layer = LSTM(3, 4, bidirectional=True, **options).eval()
    records = [X[:2, 0], X[:5, 1]]
    output, _ = layer(pack_sequence(records, enforce_sorted=False))
    padded, _ = layer(X, lengths=[2, 5])
    expected = pack_sequence([padded[:2, 0], padded[:5, 1]], enforce_sorted=False)
    torch.testing.assert_close(output.data, expected.data)


@pytest.mark.parametrize("chance", [{"zoneout": 0.5}, {"dropout": 0.5, "num_layers": 2}], ids=str)
def test_a_step_while_training_draws_for_itself(chance):
    layer = GRU(3, 50, **chance)
    first, _ = layer.step(X[0])
    assert not torch.equal(first, layer.step(X[0])[0])
    layer.eval()
    assert torch.equal(layer.step(X[0])[0], layer.step(X[0])[0])


def test_a_step_cannot_drop_what_a_record_shares():
    layer = GRU(3, 4, recurrent_dropout=0.5)
    words = "GRU cannot step while recurrent_dropout acts: it drops the same units all along a rec"
    with pytest.raises(OptionError, match=words):
        layer.step(X[0])
    assert layer.eval().step(X[0])[0].shape == (2, 4)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("recurrent_dropout", 0.5),
        ("zoneout", 0.5),
        ("zoneout_cell", 0.5),
        ("layer_norm", True),
        ("peephole", True),
        ("coupled", True),
        ("heads", 2),
    ],
)
def test_a_choice_says_what_torchs_kernels_do_not_know(option, value):
    layer = LSTM(3, 4, **{option: value})
    reason = f"torch's kernels do not know {option}={value}"
    with backend("aten"), pytest.raises(OptionError, match=reason):
        layer.choice(X)
    assert repr(layer) == f"LSTM(3, 4, {option}={value})"


def test_torchs_kernels_run_what_only_drops_in_training():
    layer = GRU(3, 4, recurrent_dropout=0.5)
    with backend("aten"):
        with pytest.raises(OptionError, match="recurrent_dropout"):
            layer.choice(X)
        assert layer.eval().choice(X).backend == "aten"


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: GRU(3, 8, heads=3), "heads is 3, but must divide hidden_size=8: each head has as"),
        (lambda: GRU(3, 8, heads=3), "Use 1, 2, 4 or 8."),
        (lambda: LSTM(3, 4, proj_size=2, heads=2), "proj_size mixes the units that heads keep ap"),
        (lambda: RNN(3, 1, layer_norm=True), "Use hidden_size=2 or more, or layer_norm=False."),
        (lambda: RNN(3, 4, zoneout=2), "zoneout is 2, but is a probability from 0 to 1."),
        (lambda: GRU(3, 4, heads=0), "heads is 0, but must be 1 or more."),
        (lambda: LSTM(3, 4, peephole="yes"), "peephole is 'yes', but is True or False."),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(build, words):
    with pytest.raises(OptionError, match=re.escape(words)):
        build()
