"""Decay of the state before each step: the definition, its gradients, and who runs it."""

import re
from functools import partial

import pytest
import torch
from torch import Tensor

from recurra.errors import OptionError, ShapeError
from recurra.kernels import Stack, Weights, backend, choose, native, run
from recurra.kernels.recurrence import Masks, State
from recurra.kernels.reference import kernel_of
from recurra.testing import draw_weights

GATES = {"elman": 1, "lstm": 4, "gru": 3}
SIZES = {"elman": 1, "lstm": 2, "gru": 1}


def drawn(cell: str, steps: int, batch: int, hidden: int) -> tuple[Tensor, State, Weights, Tensor]:
    torch.manual_seed(0)
    x = torch.randn(steps, batch, 3, dtype=torch.float64)
    state = tuple(torch.randn(batch, hidden, dtype=torch.float64) for _ in range(SIZES[cell]))
    decay = torch.rand(steps, batch, hidden, dtype=torch.float64)
    return x, state, draw_weights(GATES[cell], 3, hidden), decay


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("cell", GATES)
def test_the_state_that_a_step_finds_has_decayed(cell, reverse):
    kernel = kernel_of(Stack(cell))
    x, state, weights, decay = drawn(cell, 6, 2, 5)
    for record, length in enumerate((6, 4)):
        one = slice(record, record + 1)
        counts = torch.tensor([6, 4])
        output, after = kernel(x, state, weights, counts, reverse=reverse, decay=decay)
        found = tuple(part[one] for part in state)
        for t in reversed(range(length)) if reverse else range(length):
            found = tuple(decay[t, one] * part for part in found)
            y, found = kernel(x[t : t + 1, one], found, weights)
            torch.testing.assert_close(output[t, one], y[0], rtol=0, atol=1e-14)
        for ours, law in zip(after, found, strict=True):
            torch.testing.assert_close(ours[one], law, rtol=0, atol=1e-14)


@pytest.mark.parametrize("cell", GATES)
def test_zoneout_keeps_what_decay_has_left(cell):
    kernel = kernel_of(Stack(cell))
    x, state, weights, decay = drawn(cell, 1, 2, 5)
    ones = torch.ones(1, 2, 5, dtype=torch.float64)
    masks = Masks(zoneout_h=ones, zoneout_c=ones if cell == "lstm" else None)
    _, after = kernel(x, state, weights, masks=masks, decay=decay)
    for ours, before in zip(after, state, strict=True):
        assert torch.equal(ours, decay[0] * before)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("cell", GATES)
def test_gradients_are_those_of_finite_differences(cell, reverse):
    kernel, counts = kernel_of(Stack(cell)), torch.tensor([3, 0, 1])
    x, state, weights, decay = drawn(cell, 3, 3, 2)
    ones = torch.rand(3, 3, 2, dtype=torch.float64)
    masks = Masks(ones[0], ones, ones if cell == "lstm" else None)

    def call(x: Tensor, decay: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        before, given = rest[: SIZES[cell]], Weights(*rest[SIZES[cell] :])
        options = {"reverse": reverse, "masks": masks, "decay": decay}
        output, after = kernel(x, before, given, counts, **options)
        return (output, *after)

    leaves = [x, decay, *state, *weights[:4]]
    assert torch.autograd.gradcheck(call, [one.detach().requires_grad_() for one in leaves])


@pytest.mark.parametrize("chosen", ["best", "reference"])
@pytest.mark.parametrize("cell", GATES)
def test_what_stands_in_the_padding_is_not_felt(cell, chosen):
    stack, counts = Stack(cell, decay=True), torch.tensor([4, 2, 0])
    x, state, weights, decay = drawn(cell, 6, 3, 5)
    before = tuple(part[None] for part in state)
    real = (torch.arange(6)[:, None] < counts)[:, :, None]
    found = []
    for content in (0.0, 1e30, float("inf"), float("nan")):
        padded = torch.where(real, decay, content)[None].requires_grad_()
        name = choose(stack, x).backend if chosen == "best" else chosen
        with backend(name):
            output, after = run(stack, x, before, [weights], counts, decay=padded)
        loss = output.square().sum() + sum(part.square().sum() for part in after)
        gradients = torch.autograd.grad(loss, [padded, *weights[:4]])
        assert not gradients[0][0][~real.expand(6, 3, 5)].any()
        assert all(one.isfinite().all() for one in gradients)
        found.append([output, *after, *gradients])
    for other in found[1:]:
        assert all(map(torch.equal, found[0], other))


def test_each_layer_and_direction_has_a_decay_of_its_own():
    stack = Stack("gru", num_layers=2, bidirectional=True, decay=True)
    widths = (3, 3, 8, 8)
    weights = [draw_weights(3, width, 4) for width in widths]
    x, counts = torch.randn(5, 2, 3, dtype=torch.float64), torch.tensor([5, 3])
    decay = torch.rand(4, 5, 2, 4, dtype=torch.float64)
    output, (h,) = run(stack, x, None, weights, counts, decay=decay)
    kernel, zero = kernel_of(Stack("gru")), torch.zeros(2, 4, dtype=torch.float64)
    for layer in (0, 2):
        ways = [
            kernel(x, (zero,), weights[n], counts, reverse=n % 2 == 1, decay=decay[n])
            for n in (layer, layer + 1)
        ]
        x = torch.cat([y for y, _ in ways], dim=-1)
        for n, (_, (last,)) in enumerate(ways):
            torch.testing.assert_close(h[layer + n], last, rtol=0, atol=1e-12)
    torch.testing.assert_close(output, x, rtol=0, atol=1e-12)


def test_a_decay_of_one_changes_nothing():
    x, state, weights, decay = drawn("gru", 6, 2, 5)
    kernel = kernel_of(Stack("gru"))
    with_it, _ = kernel(x, state, weights, decay=torch.ones_like(decay))
    assert torch.equal(with_it, kernel(x, state, weights)[0])


def gradients(chosen: str, stack: Stack, leaves: dict[str, Tensor], wanted: list[str]):
    """Output and gradients of two records, both ways, by the backend that is named."""
    weights = [Weights(*(leaves[f"{field}{way}"] for field in FIELDS)) for way in (0, 1)]
    before = tuple(leaves[part] for part in ("h", "c") if part in leaves) or None
    with backend(chosen):
        call = (stack, leaves["x"], before, weights, torch.tensor([3, 7, 0]))
        y, after = run(*call, decay=leaves["decay"])
    loss = y.square().sum() + sum(part.sin().sum() for part in after)
    return [
        y,
        *torch.autograd.grad(loss, [leaves[name] for name in wanted], materialize_grads=True),
    ]


FIELDS = Weights._fields[:4]
WANTED = [
    ["decay"],
    ["x"],
    ["x", "decay"],
    ["h"],
    ["decay", "weight_hh0"],
    ["weight_ih1", "x", "h"],
]
needs_engine = pytest.mark.skipif(native.engine is None, reason="the engine was not built")


def both_ways(cell: str, state: bool = True) -> dict[str, Tensor]:
    torch.manual_seed(0)
    sizes = {"x": (7, 3, 5), "decay": (2, 7, 3, 11)}
    sizes |= dict.fromkeys(("h", "c")[: SIZES[cell] * state], (2, 3, 11))
    leaves = {name: torch.rand(shape, dtype=torch.float64) for name, shape in sizes.items()}
    for way in (0, 1):
        one = draw_weights(GATES[cell], 5, 11)
        leaves |= {f"{field}{way}": getattr(one, field).detach() / 3 for field in FIELDS}
    return leaves


@needs_engine
@pytest.mark.parametrize("state", [True, False])
@pytest.mark.parametrize("wanted", WANTED, ids=" ".join)
@pytest.mark.parametrize("cell", GATES)
def test_the_engine_computes_the_gradients_that_are_wanted(cell, wanted, state):
    leaves = both_ways(cell, state)
    wanted = [name for name in wanted if name in leaves]
    if not wanted:
        return
    for name in wanted:
        leaves[name].requires_grad_()
    call = (Stack(cell, bidirectional=True, decay=True), leaves, wanted)
    for ours, law in zip(gradients("native", *call), gradients("reference", *call), strict=True):
        torch.testing.assert_close(ours, law, rtol=0, atol=1e-12)


@needs_engine
@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("cell", GATES)
def test_a_decay_may_lie_as_it_likes(cell, recompute):
    leaves = both_ways(cell)
    stack = Stack(cell, bidirectional=True, decay=True, recompute=recompute)
    for odd in (
        torch.rand(11, 3, 2, 7, dtype=torch.float64).permute(2, 3, 1, 0),
        torch.rand(2, 3, 7, 11, dtype=torch.float64).transpose(1, 2),
        torch.rand(2, 7, 1, 11, dtype=torch.float64).expand(2, 7, 3, 11),
        torch.rand(1, 1, 1, 1, dtype=torch.float64).expand(2, 7, 3, 11),
    ):
        leaves["decay"] = odd.requires_grad_()
        call = (stack, leaves, ["decay"])
        for ours, law in zip(
            gradients("native", *call), gradients("reference", *call), strict=True
        ):
            torch.testing.assert_close(ours, law, rtol=0, atol=1e-12)


@needs_engine
@pytest.mark.parametrize("cell", GATES)
def test_a_gradient_of_a_gradient_comes_from_the_reference(cell):
    leaves = both_ways(cell)
    leaves["decay"].requires_grad_(), leaves["x"].requires_grad_()
    weights = [Weights(*(leaves[f"{field}{way}"] for field in FIELDS)) for way in (0, 1)]

    def twice(chosen: str) -> Tensor:
        with backend(chosen):
            plan = Stack(cell, bidirectional=True, decay=True)
            y, _ = run(plan, leaves["x"], None, weights, decay=leaves["decay"])
        (once,) = torch.autograd.grad(y.square().sum(), leaves["decay"], create_graph=True)
        return torch.autograd.grad(once.square().sum(), leaves["x"])[0]

    torch.testing.assert_close(twice("native"), twice("reference"), rtol=1e-12, atol=1e-12)


@needs_engine
def test_how_many_threads_there_are_changes_no_bit():
    x, one = torch.randn(40, 60, 21), draw_weights(3, 21, 66, dtype=torch.float32)
    decay = torch.rand(1, 40, 60, 66).requires_grad_()

    def read(threads: int) -> list[Tensor]:
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            y, _ = run(Stack("gru", decay=True), x, None, [one], decay=decay)
            return [y, *torch.autograd.grad(y.square().sum(), [decay, *one[:4]])]
        finally:
            torch.set_num_threads(before)

    assert all(map(torch.equal, read(1), read(3)))


def test_torchs_kernels_know_no_decay():
    with backend("aten"), pytest.raises(OptionError, match="do not know decay=True"):
        choose(Stack("gru", decay=True), torch.ones(5, 2, 3))


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (partial(Stack, "jordan", decay=True), OptionError, "The cell 'jordan' has no decay."),
        (partial(Stack, "gru", decay=0.5), OptionError, "decay is 0.5, but is True or False."),
        (
            partial(Stack, "lstm", decay=True, projected=True),
            OptionError,
            "decay acts on h and c alike, which differ in width where an LSTM projects.",
        ),
        (
            lambda: run(Stack("gru", decay=True), X, None, [ONE]),
            OptionError,
            "The plan has decay, but none is given.",
        ),
        (
            lambda: run(Stack("gru"), X, None, [ONE], decay=torch.ones(1, 5, 2, 4)),
            OptionError,
            "A decay is given, but the plan has none. Use Stack(…, decay=True).",
        ),
        (
            lambda: run(Stack("gru", decay=True), X, None, [ONE], decay=torch.ones(5, 2, 4)),
            ShapeError,
            "decay has shape (5, 2, 4), but this plan and input need (1, 5, 2, 4): (layers·dir",
        ),
        (
            lambda: run(
                Stack("gru", decay=True), X, None, [ONE], decay=torch.ones(1, 5, 2, 4).double()
            ),
            ShapeError,
            "decay is torch.float64, but x is torch.float32. Use decay.to(torch.float32).",
        ),
    ],
)
def test_a_decay_that_makes_no_sense_is_refused(call, kind, words):
    with pytest.raises(kind, match=re.escape(words)):
        call()


X = torch.ones(5, 2, 3)
ONE = draw_weights(3, 3, 4, dtype=torch.float32)
