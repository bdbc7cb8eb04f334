"""Products of bfloat16 in the native engine: when they run, how exact they are, what they keep."""

import pytest
import torch
from torch import Tensor, nn

from recurra import native as engine_room
from recurra.errors import OptionError
from recurra.kernels import Stack, backend, choose, native
from recurra.layers import GRU, LSTM, RNN
from recurra.testing import LAWS, RaggedBatch
from recurra.testing.strategies import over_ragged_batches

pytestmark = pytest.mark.skipif(
    not engine_room.multiplies_bfloat16(), reason="this processor has no products of bfloat16"
)

LAYERS = {"RNN": (RNN, nn.RNN), "LSTM": (LSTM, nn.LSTM), "GRU": (GRU, nn.GRU)}
SIZES = [(3, 20, 1, 5), (9, 5, 3, 15), (6, 50, 33, 70), (40, 2, 300, 32), (120, 7, 9, 31)]


@pytest.fixture(autouse=True)
def _switches():
    yield
    torch.set_float32_matmul_precision("highest")


@pytest.fixture(params=LAYERS)
def layers(request: pytest.FixtureRequest):
    return LAYERS[request.param]


def everything(layer: nn.Module, x: Tensor, weight: Tensor, lengths: Tensor | None = None):
    """Output, state and gradients of one call, by name, in float64."""
    x = x.detach().requires_grad_()
    layer.zero_grad()
    output, state = layer(x) if lengths is None else layer(x, lengths=lengths)
    parts = state if isinstance(state, tuple) else (state,)
    sum(((output * weight.to(output.dtype)).sum(), *(part.sum() for part in parts))).backward()
    found = {"output": output, "gradient of x": x.grad}
    found |= {f"state {i}": part for i, part in enumerate(parts)}
    found |= {name: one.grad for name, one in layer.named_parameters()}
    return {name: one.detach().double() for name, one in found.items()}


def error(one: dict[str, Tensor], truth: dict[str, Tensor]) -> dict[str, float]:
    """Root of the mean squared error, in parts of the largest number of the truth."""
    return {
        name: float((one[name] - exact).square().mean().sqrt() / exact.abs().max().clamp(min=1e-3))
        for name, exact in truth.items()
    }


@pytest.mark.parametrize("mode", ["medium", "autocast", "bfloat16"])
@pytest.mark.parametrize("sizes", SIZES)
def test_the_error_is_no_larger_than_that_of_torch(layers, sizes, mode):
    steps, batch, inputs, hidden = sizes
    torch.manual_seed(0)
    ours, theirs = (make(inputs, hidden, bidirectional=True) for make in layers)
    theirs.load_state_dict(ours.state_dict())
    x, weight = torch.randn(steps, batch, inputs), torch.randn(steps, batch, 2 * hidden)
    truth = everything(theirs.double(), x.double(), weight)
    peer = error(everything(theirs.float().bfloat16(), x.bfloat16(), weight), truth)
    if mode == "medium":
        torch.set_float32_matmul_precision("medium")
    if mode == "bfloat16":
        ours, x = ours.bfloat16(), x.bfloat16()
    with torch.autocast("cpu", torch.bfloat16, enabled=mode == "autocast"):
        assert "native: the compiled engine" in str(ours.choice(x))
        assert "products of bfloat16" in str(ours.choice(x))
        found = error(everything(ours, x, weight), truth)
    assert sum(found.values()) <= sum(peer.values())
    for name, one in found.items():
        assert one < 0.02, name
        # One rounding may fall well for the one and badly for the other.
        assert one <= 1.5 * peer[name] + 4e-4, name


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("hidden", [4, 40])
def test_every_law_holds(layers, law, hidden):
    torch.set_float32_matmul_precision("medium")
    layer = layers[0](3, hidden, num_layers=2, batch_first=True)
    over_ragged_batches(lambda batch: law(layer, batch), 3, dtype=torch.float32, examples=6)


def test_padding_and_neighbours_change_no_bit_of_a_wide_layer(layers):
    torch.set_float32_matmul_precision("medium")
    layer = layers[0](70, 90, bidirectional=True)
    lengths = torch.tensor([1, 9, 0, 4, 9, 7, 3])
    x = torch.randn(9, 7, 70)
    weight = torch.randn(9, 7, 180)
    padding = torch.arange(9)[:, None] >= lengths
    plain = everything(layer, x, weight, lengths)
    x[padding] = weight[padding] = float("nan")
    weight[padding] = 0  # what comes back there is multiplied by it, not by us
    for name, one in everything(layer, x, weight, lengths).items():
        assert torch.equal(one, plain[name]), name
    for record in range(7):
        one = slice(record, record + 1)
        alone, _ = layer(x[:, one], lengths=lengths[one])
        assert torch.equal(alone.double(), plain["output"][:, one])


def test_the_bits_do_not_depend_on_the_number_of_threads(layers):
    torch.set_float32_matmul_precision("medium")
    layer = layers[0](33, 70, bidirectional=True)
    x, weight = torch.randn(30, 57, 33), torch.randn(30, 57, 140)
    lengths = torch.randint(0, 31, (57,))
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(everything(layer, x, weight, lengths))
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert all(torch.equal(one, other[name]) for name, one in found[0].items())


def test_nan_stays_nan_and_in_its_own_record(layers):
    torch.set_float32_matmul_precision("medium")
    layer = layers[0](5, 20)
    x = torch.randn(6, 3, 5)
    clean, _ = layer(x)
    x[2, 1, 3] = float("nan")
    output, _ = layer(x)
    assert output[2:, 1].isnan().all()
    assert torch.equal(output[:, [0, 2]], clean[:, [0, 2]])
    assert torch.equal(output[:2], clean[:2])


def test_highest_changes_no_bit_and_high_is_float32_here(layers):
    layer, x = layers[0](20, 40), torch.randn(12, 6, 20)
    weight = torch.randn(12, 6, 40)
    plain = everything(layer, x, weight)
    with engine_room.using("avx512"):
        other = everything(layer, x, weight)
    assert all(torch.equal(one, other[name]) for name, one in plain.items())
    torch.set_float32_matmul_precision("high")
    other = everything(layer, x, weight)
    assert all(torch.equal(one, other[name]) for name, one in plain.items())
    assert "in float32: it has nothing between" in str(layer.choice(x))
    torch.set_float32_matmul_precision("medium")
    assert not torch.equal(layer(x)[0].double(), plain["output"])
    torch.set_float32_matmul_precision("highest")
    other = everything(layer, x, weight)
    assert all(torch.equal(one, other[name]) for name, one in plain.items())


def test_float64_stays_float64(layers):
    layer, x = layers[0](20, 40).double(), torch.randn(12, 6, 20).double()
    plain, _ = layer(x)
    torch.set_float32_matmul_precision("medium")
    assert torch.equal(layer(x)[0], plain)


def test_the_newer_names_of_the_switch_count_too():
    layer, x = LSTM(20, 40), torch.randn(12, 6, 20)
    plain, _ = layer(x)
    torch.set_float32_matmul_precision("medium")
    medium, _ = layer(x)
    torch.set_float32_matmul_precision("highest")
    recurrent = torch.backends.mkldnn.rnn
    try:
        recurrent.fp32_precision = "bf16"
        assert torch.equal(layer(x)[0], medium)
        torch.set_float32_matmul_precision("medium")
        recurrent.fp32_precision = "ieee"
        assert torch.equal(layer(x)[0], plain)
    finally:
        recurrent.fp32_precision = "none"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_autocast_gives_what_torch_gives(layers, dtype):
    ours, theirs = (make(8, 16) for make in layers)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(5, 3, 8, dtype=dtype)
    with torch.autocast("cpu", torch.bfloat16):
        output, state = ours(x)
        expected, last = theirs(x)
    parts = state if isinstance(state, tuple) else (state,)
    others = last if isinstance(last, tuple) else (last,)
    if dtype == torch.float32:
        assert [one.dtype for one in (output, *parts)] == [one.dtype for one in (expected, *others)]
    output.float().sum().backward()
    assert {one.grad.dtype for one in ours.parameters()} == {torch.float32}


def test_a_layer_of_bfloat16_trains_in_bfloat16(layers):
    layer = layers[0](8, 16, num_layers=2).bfloat16()
    x = torch.randn(5, 3, 8, dtype=torch.bfloat16, requires_grad=True)
    output, state = layer(x, lengths=[5, 2, 0])
    parts = state if isinstance(state, tuple) else (state,)
    output.sum().backward()
    found = (output, *parts, x.grad, *(one.grad for one in layer.parameters()))
    assert {one.dtype for one in found} == {torch.bfloat16}


def test_the_switch_of_forward_holds_for_backward(layers):
    x, weight = torch.randn(9, 4, 20), torch.randn(9, 4, 40)
    layer = layers[0](20, 40)

    def gradient(before: str, after: str, recompute: bool) -> Tensor:
        torch.set_float32_matmul_precision(before)
        layer.stack = Stack(layer.stack.cell, recompute=recompute)
        output, _ = layer(x)
        torch.set_float32_matmul_precision(after)
        return torch.autograd.grad((output * weight).sum(), layer.weight_hh_l0)[0]

    medium = gradient("medium", "medium", False)
    assert not torch.equal(medium, gradient("highest", "highest", False))
    for recompute in (False, True):
        assert torch.equal(gradient("medium", "highest", recompute), medium)


def test_a_gradient_of_a_gradient_is_the_reference_s(layers):
    torch.set_float32_matmul_precision("medium")
    layer, x = layers[0](4, 8), torch.randn(5, 3, 4, requires_grad=True)
    output, _ = layer(x)
    first = torch.autograd.grad(output.square().sum(), x, create_graph=True)[0]
    second = torch.autograd.grad(first.square().sum(), x)[0]
    with backend("reference"):
        output, _ = layer(x)
        first = torch.autograd.grad(output.square().sum(), x, create_graph=True)[0]
        expected = torch.autograd.grad(first.square().sum(), x)[0]
    assert torch.allclose(second, expected, rtol=0.05, atol=0.01)


def test_a_plainer_processor_says_what_it_does():
    layer, x = LSTM(4, 8), torch.randn(5, 3, 4)
    plain, _ = layer(x)
    torch.set_float32_matmul_precision("medium")
    with engine_room.using("avx512"):
        assert str(layer.choice(x)).endswith("in float32: it has no products of bfloat16 here")
        assert torch.equal(layer(x)[0], plain)
        said = str(choose(Stack("lstm"), x.bfloat16()))
        assert said.startswith("aten: the native engine has no torch.bfloat16 on this processor")
        with torch.autocast("cpu", torch.bfloat16):
            assert "aten: the native engine has no autocast" in str(layer.choice(x))


def test_what_the_engine_does_not_compute_in_bfloat16_is_refused():
    x = torch.randn(5, 3, 4)
    with torch.autocast("cpu", torch.float16):
        words = native.refuse(Stack("gru"), x)
    assert words == "the native engine has no autocast to torch.float16"
    with torch.autocast("cpu", torch.bfloat16):
        words = native.refuse(Stack("gru"), x.double())
    assert words == "the native engine has no autocast of torch.float64"
    with backend("native"), pytest.raises(OptionError, match=r"no torch\.float16"):
        choose(Stack("gru"), x.half())


def test_a_batch_of_bfloat16_keeps_the_laws_of_padding(layers):
    layer = layers[0](3, 20, batch_first=True).bfloat16()

    def holds(batch: RaggedBatch) -> None:
        x = batch.values.bfloat16()
        output, _ = layer(x, lengths=batch.lengths)
        x[~batch.real] = float("nan")
        other, _ = layer(x, lengths=batch.lengths)
        assert torch.equal(output, other)
        assert not output[~batch.real].any()

    over_ragged_batches(holds, 3, dtype=torch.float32, examples=6)


def emulated():
    if engine_room.instruction_sets()["amx_emulated"] != "can be used":
        pytest.skip("the engine was built without RECURRA_EMULATE_AMX")
    return engine_room.using("amx_emulated")


@pytest.mark.parametrize("sizes", [*SIZES[:3], (4, 3, 40, 16), (5, 17, 64, 48)])
def test_tiles_compute_what_vectors_do(layers, sizes):
    steps, batch, inputs, hidden = sizes
    torch.set_float32_matmul_precision("medium")
    layer = layers[0](inputs, hidden, bidirectional=True)
    x, weight = torch.randn(steps, batch, inputs), torch.randn(steps, batch, 2 * hidden)
    lengths = torch.randint(0, steps + 1, (batch,))
    vectors = everything(layer, x, weight, lengths)
    with emulated():
        assert "amx_emulated" in str(layer.choice(x))
        tiles = everything(layer, x, weight, lengths)
    # Another order of sums may round a state to the bfloat16 beside it.
    assert all(one < 1e-3 for one in error(tiles, vectors).values())


def test_one_step_of_tiles_differs_by_rounding_only(layers):
    torch.set_float32_matmul_precision("medium")
    layer, x = layers[0](77, 50), torch.randn(1, 21, 77)
    vectors, _ = layer(x)
    with emulated():
        tiles, _ = layer(x)
    assert torch.allclose(tiles, vectors, rtol=0, atol=1e-6)
    assert not torch.equal(tiles, vectors)


def test_the_bits_of_tiles_do_not_depend_on_threads_or_neighbours(layers):
    torch.set_float32_matmul_precision("medium")
    layer = layers[0](33, 70, bidirectional=True)
    x, weight = torch.randn(8, 57, 33), torch.randn(8, 57, 140)
    lengths = torch.randint(0, 9, (57,))
    before, found = torch.get_num_threads(), []
    with emulated():
        try:
            for threads in (1, 2, 3):
                torch.set_num_threads(threads)
                found.append(everything(layer, x, weight, lengths))
        finally:
            torch.set_num_threads(before)
        for record in (0, 20, 56):
            one = slice(record, record + 1)
            alone, _ = layer(x[:, one], lengths=lengths[one])
            assert torch.equal(alone.double(), found[0]["output"][:, one])
    for other in found[1:]:
        assert all(torch.equal(one, other[name]) for name, one in found[0].items())


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_every_law_holds_for_tiles(layers, law):
    torch.set_float32_matmul_precision("medium")
    layer = layers[0](3, 20, batch_first=True)
    with emulated():
        over_ragged_batches(lambda batch: law(layer, batch), 3, dtype=torch.float32, examples=3)


@pytest.mark.parametrize("sizes", [*SIZES[:3], (4, 2, 600, 40)])
def test_high_on_tiles_is_nearly_float32(layers, sizes):
    steps, batch, inputs, hidden = sizes
    ours, theirs = (make(inputs, hidden, bidirectional=True) for make in layers)
    theirs.load_state_dict(ours.state_dict())
    # Sums of order 1: a rounding moves a sum in parts of what is added, not of tanh's answer.
    x, weight = torch.randn(steps, batch, inputs), torch.randn(steps, batch, 2 * hidden)
    x /= max(1, (inputs / hidden) ** 0.5)
    truth = everything(theirs.double(), x.double(), weight)
    torch.set_float32_matmul_precision("high")
    with emulated():
        assert "forward in products of bfloat16 in two parts" in str(ours.choice(x))
        found = everything(ours, x, weight)
        alone, _ = ours(x[:, 1:2])
        assert torch.equal(alone.double(), found["output"][:, 1:2])
    plain = everything(ours, x, weight)
    assert not torch.equal(found["output"], plain["output"])
    assert 0 < error(found, truth)["output"] < 5e-6
    assert max(error(found, truth).values()) < 1e-5


def test_the_self_test_finds_instruction_sets_that_agree():
    names = [name for name, said in engine_room.instruction_sets().items() if said == "can be used"]
    for name in names:
        assert engine_room.engine.agree(
            engine_room.ISAS.index("avx512_bf16"), engine_room.ISAS.index(name)
        )
