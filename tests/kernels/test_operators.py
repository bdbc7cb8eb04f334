"""The native engine as operators of torch: compiled, exported, traced, copied."""

import copy
import io
import pickle
import re
import shutil

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx
from torch.library import opcheck
from torch.nn.utils.rnn import pack_sequence
from torch.utils.flop_counter import FlopCounterMode

from recurra import layers
from recurra.kernels import backend, native
from recurra.native import instruction_sets, using

pytestmark = pytest.mark.skipif(native.engine is None, reason="the native engine was not built")

CLASSES = ("RNN", "LSTM", "GRU")
GATES = {"elman": 1, "lstm": 4, "gru": 3}
LENGTHS = torch.tensor([5, 0, 2])


@pytest.fixture(autouse=True)
def _fresh():
    torch._dynamo.reset()
    torch.manual_seed(0)


def draw(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64)


def build(name: str, **options: object) -> layers.Recurrent:
    return getattr(layers, name)(3, 4, dtype=torch.float64, **options)


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def arguments(cell, *, both=False, given=False, bias=True, lengths=None, keep=True):
    """What the operator takes, for 5 steps of 3 records with 2 inputs and 4 units."""
    ways, rows = 1 + both, 4 * GATES[cell]
    h = draw(ways, 3, 4) if given else None
    c = draw(ways, 3, 4) if given and cell == "lstm" else None
    shapes = ((rows, 2), (rows, 4), (rows,), (rows,))[: 4 if bias else 2] * ways
    weights = [draw(*shape) for shape in shapes]
    return draw(5, 3, 2), h, c, weights, lengths, cell, "tanh", both, keep


CALLS = {
    "LSTM, all there is": {"cell": "lstm", "both": True, "given": True, "lengths": LENGTHS},
    "LSTM, nothing kept": {"cell": "lstm", "keep": False},
    "GRU, nothing given": {"cell": "gru", "bias": False},
    "GRU, all there is": {"cell": "gru", "both": True, "given": True, "lengths": LENGTHS},
    "Elman": {"cell": "elman", "given": True, "lengths": LENGTHS},
}


@pytest.mark.parametrize("case", CALLS)
def test_the_operators_keep_their_promises(case):
    given = arguments(**CALLS[case])
    x, h, c, weights, lengths, *names, _ = given
    y, hn, cn, saved = torch.ops.recurra.layer(*given)
    incoming = (
        torch.ones_like(y),
        torch.ones_like(hn),
        torch.ones_like(cn) if c is not None else None,
    )
    needed = [True, h is not None, c is not None, True]
    back = (*incoming, saved, y, x, h, c, weights, lengths, *names, needed)
    opcheck(torch.ops.recurra.layer_backward.default, back)
    for one in (x, h, c, *weights):
        if one is not None:
            one.requires_grad_()
    opcheck(torch.ops.recurra.layer.default, given)


def test_what_is_kept_suits_every_instruction_set():
    given = arguments("lstm", both=True, lengths=LENGTHS)
    shapes, outputs = set(), []
    for isa, said in instruction_sets().items():
        if said == "can be used":
            with using(isa):
                y, _, _, saved = torch.ops.recurra.layer(*given)
            shapes.add(saved.shape)
            outputs.append(y)
    assert len(shapes) == 1
    for y in outputs:
        torch.testing.assert_close(y, outputs[0], rtol=0, atol=1e-12)


def test_what_is_left_over_is_zero():
    *_, saved = torch.ops.recurra.layer(*arguments("gru", lengths=LENGTHS))
    arrays, widest = 4, 8  # of a step; numbers in 64 bytes
    assert saved.shape == (1, 5, 3, arrays * widest)
    assert saved.flatten()[:4].all()
    assert not saved.flatten()[int(LENGTHS.sum()) * arrays * widest :].any()


@pytest.mark.parametrize(
    ("lengths", "words"),
    [
        ([5, 6, 1], "lengths[1] is 6, but the time axis holds 5 steps."),
        ([5, 1, -1], "lengths[2] is -1, but a record has 0 steps or more."),
        ([5, 1], "lengths has shape (2,), but there are 3 records."),
    ],
)
def test_wrong_lengths_are_refused_by_the_operator(lengths, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        torch.ops.recurra.layer(*arguments("gru", lengths=torch.tensor(lengths)))


def test_wrong_weights_are_refused_by_the_operator():
    x, h, c, weights, *rest = arguments("gru")
    for wrong in (
        [*weights[:1], draw(12, 5), *weights[2:]],
        weights[:3],
        [w.float() for w in weights],
    ):
        with pytest.raises(ValueError, match="weights"):
            torch.ops.recurra.layer(x, h, c, wrong, *rest)


def test_a_wrong_state_is_refused_by_the_operator():
    x, h, c, *rest = arguments("lstm", given=True)
    for wrong in (h[:, :2], h.float(), h.to("meta")):
        with pytest.raises((ValueError, NotImplementedError)):
            torch.ops.recurra.layer(x, wrong, c, *rest)


def everything(layer, call, x, state, lengths):
    """Output, state, and the gradient of every leaf."""
    leaves = [x, *state, *layer.parameters()]
    before = (state if len(state) > 1 else state[0]) if state else None
    torch.manual_seed(1)  # of the dropout
    output, after = call(x, before, lengths=lengths)
    loss = (output * output.detach().cos()).sum() + sum(one.sin().sum() for one in parts(after))
    return [output, *parts(after), *torch.autograd.grad(loss, leaves)]


@pytest.mark.parametrize(
    ("name", "options", "given", "ragged"),
    [
        ("RNN", {"batch_first": True}, False, False),
        ("LSTM", {"num_layers": 2, "bidirectional": True, "dropout": 0.3}, True, True),
        ("GRU", {"num_layers": 2, "bidirectional": True, "dropout": 0.3}, True, True),
        ("RNN", {"bidirectional": True, "batch_first": True, "bias": False}, True, True),
        ("LSTM", {"learn_initial_state": True, "recompute": True}, False, True),
        ("GRU", {"batch_first": True}, False, False),
    ],
)
def test_one_graph_without_a_break_serves_all_shapes(name, options, given, ragged):
    layer = build(name, **options)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True, dynamic=True)
    for steps, batch, stance in ((5, 7, "default"), (8, 6, "fail_on_recompile"), (6, 9, None)):
        shape = (batch, steps, 3) if layer.batch_first else (steps, batch, 3)
        x, state = draw(*shape).requires_grad_(), []
        if given:
            state = [draw(*one.shape).requires_grad_() for one in parts(layer.initial_state(batch))]
        lengths = torch.randint(0, steps + 1, (batch,)) if ragged else None
        if ragged:
            lengths[0] = steps  # where nobody cuts the padding, chance also drops parts of it
        with torch.compiler.set_stance(stance or "fail_on_recompile"):
            ours = everything(layer, compiled, x, state, lengths)
        theirs = everything(layer, layer, x, state, lengths)
        for one, other in zip(ours, theirs, strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", CLASSES)
def test_compiled_inference_equals_eager_to_the_bit(name):
    layer, x = build(name, num_layers=2, bidirectional=True), draw(5, 3, 3)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    with torch.no_grad():
        for lengths in (None, LENGTHS, LENGTHS.int(), [5, 0, 2]):
            ours, theirs = compiled(x, lengths=lengths), layer(x, lengths=lengths)
            assert torch.equal(ours[0], theirs[0])
            assert all(map(torch.equal, parts(ours[1]), parts(theirs[1])))


def test_lengths_may_lie_in_memory_as_they_like():
    layer, x = build("GRU"), draw(5, 3, 3)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    every_second = torch.tensor([5, 9, 0, 9, 2, 9])[::2]
    assert torch.equal(compiled(x, lengths=every_second)[0], layer(x, lengths=LENGTHS)[0])
    assert torch.equal(layer(x, lengths=every_second)[0], layer(x, lengths=LENGTHS)[0])


def test_padding_in_compiled_code_is_never_felt():
    layer = build("LSTM", num_layers=2, bidirectional=True)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    x = draw(5, 3, 3)
    padded = x.clone()
    padded[2:, 2] = float("nan")
    padded[:, 1] = float("inf")
    found = [everything(layer, compiled, one.requires_grad_(), [], LENGTHS) for one in (x, padded)]
    assert all(map(torch.equal, *found))


@pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a C++ compiler")
def test_inductor_compiles_it():
    layer = build("GRU", num_layers=2, bidirectional=True, batch_first=True)
    compiled = torch.compile(layer, fullgraph=True, dynamic=True)
    x = draw(3, 5, 3).requires_grad_()
    ours, theirs = (everything(layer, call, x, [], LENGTHS) for call in (compiled, layer))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


def test_a_step_and_a_single_record_compile():
    layer, x = build("LSTM"), draw(5, 3, 3)
    step = torch.compile(layer.step, backend="aot_eager", fullgraph=True)
    _, state = step(x[0])
    torch.testing.assert_close(step(x[1], state)[0], layer(x)[0][1], rtol=0, atol=1e-12)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x[:, 0])[0], layer(x)[0][:, 0], rtol=0, atol=1e-12)


def test_what_the_engine_does_not_know_compiles_in_pieces():
    packed = pack_sequence([draw(5, 3), draw(2, 3)])
    layer, x = build("Jordan"), draw(2, 3, 3)
    compiled, lengths = torch.compile(layer, backend="aot_eager"), torch.tensor([2, 0, 1])
    assert torch.equal(compiled(x, lengths=lengths)[0], layer(x, lengths=lengths)[0])
    layer = build("GRU")
    compiled = torch.compile(layer, backend="aot_eager")
    assert torch.equal(compiled(packed)[0].data, layer(packed)[0].data)


def test_a_forced_backend_is_forced_in_compiled_code_too():
    layer, x = build("GRU"), draw(5, 3, 3)
    compiled = torch.compile(layer, backend="aot_eager")
    for name in ("native", "reference", "native"):
        with backend(name):
            want = layer(x)[0]
            assert torch.equal(compiled(x)[0], want)


@pytest.mark.parametrize("full", [True, False])
def test_compiled_code_refuses_wrong_lengths(full):
    layer, x = build("GRU"), draw(5, 3, 3)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=full)
    with pytest.raises(ValueError, match=r"lengths\[1\] is 6, but the time axis holds 5 steps"):
        compiled(x, lengths=torch.tensor([5, 6, 1]))
    jordan = torch.compile(build("Jordan"), backend="aot_eager")
    with pytest.raises(ValueError, match=r"lengths\[1\] is 6, but the time axis holds 5 steps"):
        jordan(x, lengths=torch.tensor([5, 6, 1]))
    if not full:
        with pytest.raises(ValueError, match="There are 2 lengths for 3 records"):
            compiled(x, lengths=torch.tensor([5, 1]))
        with pytest.raises(ValueError, match="a length is an integer"):
            compiled(x, lengths=torch.tensor([5.0, 1.0, 1.0]))


def test_functions_of_functions_compile():
    layer, many = build("GRU").requires_grad_(False), draw(2, 5, 3, 3)

    def call(x):
        return layer(x)[0]

    want = torch.stack([call(one) for one in many])
    mapped = torch.compile(torch.func.vmap(call), backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(mapped(many), want, rtol=0, atol=1e-12)
    slope = torch.func.grad(lambda x: call(x).sin().sum())
    compiled = torch.compile(slope, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(many[0]), slope(many[0]), rtol=0, atol=1e-12)


def test_compiled_forward_alone_has_gradients_of_gradients():
    layer, x = build("LSTM"), draw(5, 3, 3).requires_grad_()
    second = []
    for call in (torch.compile(layer, backend="eager", fullgraph=True), layer):
        output, _ = call(x, lengths=LENGTHS)
        (first,) = torch.autograd.grad(output.pow(3).sum(), x, create_graph=True)
        second += torch.autograd.grad(first.square().sum(), x)
    torch.testing.assert_close(*second, rtol=0, atol=1e-12)


def test_many_gradients_at_once_pass_the_operator():
    layer, x = build("GRU"), draw(5, 3, 3).requires_grad_()
    output, _ = torch.compile(layer, backend="eager", fullgraph=True)(x)
    given = torch.eye(output.numel(), dtype=output.dtype).reshape(-1, *output.shape)
    (once,) = torch.autograd.grad(output, x, given, is_grads_batched=True, retain_graph=True)
    single = [torch.autograd.grad(output, x, one, retain_graph=True)[0] for one in given]
    torch.testing.assert_close(once, torch.stack(single), rtol=0, atol=1e-12)


@pytest.mark.parametrize("strict", [False, True])
def test_an_exported_layer_runs_other_shapes_and_survives_a_file(strict):
    layer, x = build("LSTM", num_layers=2, batch_first=True).eval(), draw(3, 5, 3)
    steps, batch = torch.export.Dim("steps", min=2), torch.export.Dim("batch", min=2)
    shapes = {"x": {0: batch, 1: steps}, "lengths": {0: batch}}
    program = torch.export.export(
        layer, (x,), {"lengths": LENGTHS}, dynamic_shapes=shapes, strict=strict
    )
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    other, counts = draw(4, 8, 3), torch.tensor([8, 0, 3, 1])
    want = layer(other, lengths=counts)[0]
    for one in (program, torch.export.load(file), program.run_decompositions()):
        assert torch.equal(one.module()(other, lengths=counts)[0], want)
    names = {str(node.target) for node in program.graph.nodes}
    assert "recurra.layer.default" in names


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_a_trace_holds_torch_kernels_and_refuses_lengths():
    layer = build("GRU", bidirectional=True)
    with torch.no_grad():
        traced = torch.jit.trace(layer, (draw(5, 3, 3),))
    other = draw(7, 2, 3)
    torch.testing.assert_close(traced(other)[0], layer(other)[0], rtol=0, atol=1e-12)

    class Ragged(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def forward(self, x, lengths):
            return self.layer(x, lengths=lengths)[0]

    with pytest.raises(ValueError, match=re.escape("Use torch.export or torch.compile, or trace")):
        torch.jit.trace(Ragged(), (draw(5, 3, 3), LENGTHS))


def test_onlookers_see_what_happens():
    layer, x = build("LSTM").requires_grad_(False), draw(5, 3, 3)
    graph = make_fx(lambda x: layer(x)[0])(x)
    other = draw(5, 3, 3)
    torch.testing.assert_close(graph(other), layer(other)[0], rtol=0, atol=1e-12)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        assert layer(mode.from_tensor(x))[0].shape == (5, 3, 4)
    assert layer.choice(x).backend == "native"
    with FlopCounterMode(display=False):
        assert layer.choice(x).backend == "aten"


def test_a_copy_and_a_pickle_give_the_same_bits():
    layer, x = build("GRU", num_layers=2), draw(5, 3, 3)
    layer(x)[0].sum().backward()
    for one in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(one(x, lengths=LENGTHS)[0], layer(x, lengths=LENGTHS)[0])
