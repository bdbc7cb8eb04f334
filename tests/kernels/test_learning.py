"""A head with its loss, and the move of the weights, by the engine: what torch says of both."""

import itertools

import pytest
import torch
from torch.nn import functional

from recurra.errors import ShapeError
from recurra.kernels import Stack, backend, learning, native
from recurra.kernels.calls import backward_calls, forward_calls
from recurra.native import BFLOAT16, engine, instruction_sets, using
from recurra.testing.kernels import draw_weights
from recurra.training.flat import flatten
from recurra.training.flat_optimizer import FlatOptimizer

pytestmark = pytest.mark.skipif(native.engine is None, reason="the engine was not built")

ISAS = [name for name, said in instruction_sets().items() if said == "can be used"]
EXACT = {torch.float64: 1e-12, torch.float32: 2e-6}
SIZES = [(1, 1, 1, 0), (5, 33, 3, 0), (7, 16, 4, 4), (3, 50, 6, 3), (2, 7, 40, 40), (0, 4, 2, 0)]


def drawn(rows, width, outputs, classes, dtype, *, bias=True, masked=False, counted=False):
    torch.manual_seed(rows + width)
    x = torch.randn(rows, width + 3, dtype=dtype)[:, :width]  # rows lie apart
    weight = torch.nn.Parameter(torch.randn(outputs, width, dtype=dtype))
    bias = torch.nn.Parameter(torch.randn(outputs, dtype=dtype)) if bias else None
    if classes:
        target = torch.randint(-1, classes, (rows, outputs // classes))
    else:
        target = torch.randn(rows, outputs, dtype=dtype)
        target[::2, 0] = float("nan")
    mask = 2.0 * torch.randint(0, 2, (rows, width)).to(dtype) if masked else None
    counts = torch.rand(rows, dtype=dtype) if counted else None
    return x, weight, bias, target, mask, counts


def by_torch(x, weight, bias, target, classes, mask, counts):
    x = x.clone().requires_grad_()
    raw = functional.linear(x if mask is None else x * mask, weight, bias)
    counts = torch.ones(len(x), dtype=x.dtype) if counts is None else counts
    if classes:
        known = target >= 0
        each = functional.cross_entropy(
            raw.view(-1, classes), target.reshape(-1).clamp(min=0), reduction="none"
        ).view(known.shape)
    else:
        known = ~target.isnan()
        each = (raw - torch.where(known, target, 0.0)).square()
    total = (torch.where(known, each, 0.0) * counts[:, None]).sum()
    total.backward()
    return total.item(), int(known.sum()), x.grad


@pytest.mark.parametrize("dtype", EXACT, ids=str)
@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_head_has_the_loss_and_the_gradients_of_autograd(size, isa, dtype):
    near = {"rtol": EXACT[dtype], "atol": 10 * EXACT[dtype]}
    for bias, masked, counted in itertools.product((True, False), repeat=3):
        x, weight, b, target, mask, counts = drawn(
            *size, dtype, bias=bias, masked=masked, counted=counted
        )
        wanted = by_torch(x, weight, b, target, size[3], mask, counts)
        slopes = [each.grad.clone() for each in (weight, b) if each is not None]
        for each in (weight, b):
            if each is not None:
                each.grad.fill_(0.5)
        incoming = torch.full((size[0], size[1]), float("nan"), dtype=dtype)
        options = {"classes": size[3], "mask": mask, "counts": counts}
        with using(isa), torch.no_grad():
            total, known = learning.answer(x, weight, b, target, incoming, **options)
            found = [each.grad.clone() - 0.5 for each in (weight, b) if each is not None]
            once = incoming.clone()
            learning.answer(x, weight, b, target, incoming, **options, add=True)
        assert (total, known) == (pytest.approx(wanted[0], rel=EXACT[dtype]), wanted[1])
        torch.testing.assert_close(once, wanted[2], **near)
        torch.testing.assert_close(incoming, 2 * wanted[2], **near)
        torch.testing.assert_close(found, slopes, **near)


@pytest.mark.parametrize("classes", [0, 3])
def test_what_is_read_that_is_not_finite_makes_the_loss_so(classes):
    x, weight, bias, _, _, _ = drawn(2, 5, 3, classes, torch.float32)
    weight.grad, bias.grad = torch.zeros_like(weight), torch.zeros_like(bias)
    target = torch.zeros(2, 1, dtype=torch.int64) if classes else torch.zeros(2, 3)
    for bad in (float("nan"), float("inf")):
        x = x.clone()
        x[1, 2] = bad
        found, _ = learning.answer(x, weight, bias, target, torch.empty(2, 5), classes=classes)
        assert not torch.tensor(found).isfinite()


def test_logits_far_apart_are_a_finite_loss():
    weight = torch.nn.Parameter(torch.tensor([[1e4], [-1e4]]))
    weight.grad = torch.zeros_like(weight)
    x, incoming = torch.ones(1, 1), torch.empty(1, 1)
    for code, wanted in ((0, 0.0), (1, 2e4)):
        target = torch.tensor([[code]])
        assert learning.answer(x, weight, None, target, incoming, classes=2)[0] == wanted


def test_a_target_of_another_shape_or_beyond_the_classes_is_refused():
    x, weight, bias, _, _, _ = drawn(4, 5, 3, 0, torch.float32)
    weight.grad, bias.grad = torch.zeros_like(weight), torch.zeros_like(bias)
    incoming = torch.empty(4, 5)
    with pytest.raises(ShapeError, match=r"target has shape \(3, 3\), but for 4 rows"):
        learning.answer(x, weight, bias, torch.ones(3, 3), incoming)
    codes = torch.tensor([[0], [1], [3], [2]])
    with pytest.raises(IndexError, match="beyond the 3 classes"):
        learning.answer(x, weight, bias, codes, incoming, classes=3)


def test_only_whole_tensors_of_one_type_on_the_cpu_are_taken():
    one = torch.ones(2, 3)
    assert learning.able(one, one)
    assert not learning.able(one, one.double())
    assert not learning.able(one.t())
    assert not learning.able(one.half())
    assert not learning.able(one.to("meta"))
    with backend("reference"):
        assert not learning.able(one)


def moved(kind, dtype, count, threads=1, chosen="native"):
    torch.manual_seed(0)
    layer = torch.nn.Linear(count, 1, bias=False, dtype=dtype)
    flat = flatten(layer)
    with backend(chosen):
        optimizer, before = FlatOptimizer(flat, kind, 0.01), torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        for rate in (0.1, 0.01, 0.02):
            flat.gradients[0].normal_()
            assert optimizer.step(rate, 3, 0.8)
    finally:
        torch.set_num_threads(before)
    return flat.parameters[0].clone(), flat.gradients[0].clone(), optimizer.state()


@pytest.mark.parametrize("dtype", EXACT, ids=str)
@pytest.mark.parametrize("kind", learning.OPTIMIZERS)
@pytest.mark.parametrize("isa", ISAS)
def test_the_engine_moves_weights_as_torch_does(isa, kind, dtype):
    wanted = moved(kind, dtype, 3001, chosen="reference")
    with using(isa):
        found = moved(kind, dtype, 3001)
    near = {"rtol": 20 * EXACT[dtype], "atol": 20 * EXACT[dtype]}
    torch.testing.assert_close((found[0], found[2]), (wanted[0], wanted[2]), **near)
    assert float(found[1].norm()) == pytest.approx(0.8, rel=1e-5)  # shortened


@pytest.mark.parametrize("kind", learning.OPTIMIZERS)
def test_threads_change_no_bit_of_a_move(kind):
    alone = moved(kind, torch.float32, 300_001)
    torch.testing.assert_close(moved(kind, torch.float32, 300_001, 3), alone, rtol=0, atol=0)


OPTIONS = {
    "elman": {},
    "gru": {"heads": 3},
    "lstm": {"projected": True, "peephole": True},
    "lstm of bfloat16": {},
}


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("name", OPTIONS)
def test_gradients_of_weights_are_added_where_that_is_asked_for(name, isa):
    stack = Stack(name.split()[0], **OPTIONS[name])
    torch.manual_seed(0)
    gates, outputs = {"elman": 1, "lstm": 4, "gru": 3}[stack.cell], 5 if stack.projected else 9
    weights = draw_weights(
        gates, 3, 9, outputs=outputs, projection=stack.projected, peephole=stack.peephole,
        heads=stack.heads, dtype=torch.float32,
    )  # fmt: skip
    weights = [one.detach() for one in weights if one is not None]
    x, states = torch.randn(120, 4, 3), 2 if stack.cell == "lstm" else 1
    rest = [*(None,) * states, *weights]

    def backward(begun: float, add: bool) -> list[torch.Tensor]:
        operands = BFLOAT16 if "bfloat16" in name else 0
        (y, *after), calls, held = forward_calls(stack, None, x, rest, operands=operands)
        block = engine.block(engine.saved_size(calls[0]))
        calls = [(*call, block.address) for call in calls]
        engine.forward(1, *calls)
        room = [None, *(None,) * states, *(torch.full_like(one, begun) for one in weights)]
        incoming = [torch.ones_like(y), *(None for _ in after)]
        needed = [each is not None for each in room]
        found, back, _ = backward_calls(stack, calls, x, y, rest, incoming, needed, room, add=add)
        engine.backward(2, *back)
        del held
        return [one for one in found if one is not None]

    with using(isa):
        new, added = backward(float("nan"), False), backward(2.0, True)
    for one, other in zip(added, new, strict=True):
        torch.testing.assert_close(one - 2.0, other, rtol=1e-5, atol=1e-4)
