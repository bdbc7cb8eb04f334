"""The options of the cells in the native engine: each, and all together, against the reference."""

from dataclasses import replace

import pytest
import torch

from recurra.kernels import Stack, Weights, backend, choose, native
from recurra.kernels.recurrence import Masks, State
from recurra.kernels.reference import kernel_of
from recurra.layers import GRU, LSTM, RNN
from recurra.native import instruction_sets, using
from recurra.testing.kernels import check_kernel, draw_weights

pytestmark = pytest.mark.skipif(native.engine is None, reason="the engine was not built")

ISAS = [name for name, said in instruction_sets().items() if said == "can be used"]
GATES = {"elman": 1, "lstm": 4, "gru": 3}
CHANCE = {"recurrent_dropout": 0.3, "zoneout": 0.4}
OPTIONS = {
    "projected": {"projected": True},
    "recurrent_dropout": {"recurrent_dropout": 0.3},
    "zoneout": {"zoneout": 0.4},
    "zoneout_cell": {"zoneout_cell": 0.4},
    "peephole": {"peephole": True},
    "coupled": {"coupled": True},
    "heads": {"heads": 3},
    "chance": CHANCE,
    "heads and chance": {"heads": 3, **CHANCE},
    "an LSTM with all but heads": {
        "projected": True, "peephole": True, "coupled": True, "zoneout_cell": 0.2, **CHANCE
    },
    "an LSTM with all but a projection": {
        "heads": 3, "peephole": True, "coupled": True, "zoneout_cell": 0.2, **CHANCE
    },
    "peephole and zoneout_cell": {"peephole": True, "zoneout_cell": 0.3},
    "peephole and projected": {"peephole": True, "projected": True},
    "decay": {"decay": True},
    "decay, heads and chance": {"decay": True, "heads": 3, **CHANCE},
    "an LSTM that decays, with all but a projection": {
        "decay": True, "peephole": True, "coupled": True, "zoneout_cell": 0.2, **CHANCE
    },
}  # fmt: skip
OF_LSTM = ("projected", "zoneout_cell", "peephole", "coupled")
CASES = [
    (cell, name)
    for name, options in OPTIONS.items()
    for cell in GATES
    if cell == "lstm" or not any(one in options for one in OF_LSTM)
]


def one_way(stack: Stack):
    """The engine as a kernel of one direction; the way back as one of two."""

    def kernel(
        x: torch.Tensor,
        state: State,
        weights: Weights,
        lengths: torch.Tensor | None = None,
        *,
        reverse: bool = False,
        masks: Masks | None = None,
        decay: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, State]:
        ways = 1 + reverse
        plan = replace(stack, bidirectional=reverse)
        before = tuple(torch.stack([part] * ways) for part in state)
        left = None if decay is None else torch.stack([decay] * ways)
        call = (plan, x, before, [weights] * ways, lengths, [masks] * ways)
        y, *after = native.one_layer(*call, decay=left)
        return y.chunk(ways, dim=-1)[-1], tuple(part[-1] for part in after)

    return kernel


def drawn(stack: Stack, hidden: int, dtype: torch.dtype) -> tuple[Weights, tuple[int, ...]]:
    torch.manual_seed(0)
    outputs = 5 if stack.projected else hidden
    weights = draw_weights(
        GATES[stack.cell] - stack.coupled,
        inputs=3,
        hidden=hidden,
        outputs=outputs,
        projection=stack.projected,
        peephole=stack.peephole,
        heads=stack.heads,
        dtype=dtype,
    )
    scale = min(1.0, 3 / hidden)  # wide sums of large weights would magnify what rounding did
    scaled = [None if one is None else (scale * one.detach()).requires_grad_() for one in weights]
    weights = Weights(*scaled)
    return weights, (outputs, hidden) if stack.cell == "lstm" else (outputs,)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize(("cell", "name"), CASES)
def test_an_option_is_what_the_reference_says(cell, name, isa, dtype):
    stack = Stack(cell, **OPTIONS[name])
    drawn_for = (*CHANCE, "zoneout_cell", "decay")
    chances = stack if any(one in stack.options for one in drawn_for) else None
    with using(isa):
        for hidden in (21, 3, 66):
            weights, sizes = drawn(stack, hidden, dtype)
            call = (one_way(stack), kernel_of(stack), weights, sizes)
            check_kernel(*call, stack=chances, examples=3)


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_an_elman_cell_keeps_its_own_answer_beside_the_blended_one(activation):
    stack = Stack("elman", activation=activation, heads=3, **CHANCE)
    weights, sizes = drawn(stack, 9, torch.float64)
    check_kernel(one_way(stack), kernel_of(stack), weights, sizes, stack=stack, examples=5)


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("build", [RNN, GRU, LSTM])
def test_a_layer_draws_what_the_reference_draws(build, recompute):
    options = {"zoneout_cell": 0.2, "peephole": True} if build is LSTM else {}
    options |= {"num_layers": 2, "bidirectional": True, "dropout": 0.3, "dtype": torch.float64}
    layer = build(3, 6, heads=2, **CHANCE, **options)
    layer.stack = replace(layer.stack, recompute=recompute)
    x = torch.randn(7, 4, 3, dtype=torch.float64)

    def read(chosen: str) -> list[torch.Tensor]:
        torch.manual_seed(1)
        with backend(chosen):
            output, _ = layer(x, lengths=[7, 2, 0, 5])
        gradients = torch.autograd.grad(output.square().sum(), list(layer.parameters()))
        return [output, *gradients]

    for ours, law in zip(read("native"), read("reference"), strict=True):
        torch.testing.assert_close(ours, law, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["projected", "an LSTM with all but a projection"])
def test_a_gradient_of_a_gradient_comes_from_the_reference(name):
    stack = Stack("lstm", **OPTIONS[name])
    weights, sizes = drawn(stack, 6, torch.float64)
    x = torch.randn(4, 2, 3, dtype=torch.float64)
    state = [torch.randn(2, size, dtype=torch.float64) for size in sizes]
    mask = torch.full((2, sizes[0]), 0.5, dtype=torch.float64)

    def twice(kernel):
        y, _ = kernel(x, state, weights, masks=Masks(recurrent=mask))
        (once,) = torch.autograd.grad(y.square().sum(), weights.weight_hh, create_graph=True)
        return torch.autograd.grad(once.square().sum(), weights.weight_ih)[0]

    ours, law = twice(one_way(stack)), twice(kernel_of(stack))
    torch.testing.assert_close(ours, law, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("elman", "heads and chance"),
        ("gru", "heads and chance"),
        ("lstm", "an LSTM with all but heads"),
        ("lstm", "an LSTM with all but a projection"),
    ],
)
def test_how_many_threads_there_are_changes_no_bit(cell, name):
    stack = Stack(cell, **OPTIONS[name])
    weights, sizes = drawn(stack, 21, torch.float32)
    x, ones = torch.randn(40, 60, 3), torch.ones(60, sizes[0])
    masks = Masks(2 * ones, (0.25 * ones).expand(40, 60, sizes[0]))
    leaves = [one for one in weights if one is not None]

    def read(threads: int) -> list[torch.Tensor]:
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            y, _ = one_way(stack)(x, [torch.zeros(60, n) for n in sizes], weights, masks=masks)
            return [y, *torch.autograd.grad(y.square().sum(), leaves)]
        finally:
            torch.set_num_threads(before)

    assert all(map(torch.equal, read(1), read(3)))


@pytest.mark.parametrize("shape", [(5, 0, 3), (0, 2, 3)])
def test_nothing_to_read_is_read(shape):
    layer = LSTM(3, 6, heads=2, peephole=True, zoneout_cell=0.2, **CHANCE)
    with backend("native"):
        output, (h, c) = layer(torch.zeros(shape))
    (output.sum() + h.sum() + c.sum()).backward()
    assert output.shape == (*shape[:2], 6)
    assert not h.any()
    assert not any(one.grad.any() for one in layer.parameters())


def test_masks_may_lie_as_they_like():
    stack = Stack("gru", **CHANCE)
    weights, _ = drawn(stack, 6, torch.float64)
    x, state = torch.randn(4, 2, 3, dtype=torch.float64), [torch.randn(2, 6, dtype=torch.float64)]
    masks = Masks(
        torch.rand(6, 2, dtype=torch.float64).T, torch.rand(6, 4, 2).double().movedim(0, 2)
    )
    ours, _ = one_way(stack)(x, state, weights, masks=masks)
    law, _ = kernel_of(stack)(x, state, weights, masks=masks)
    torch.testing.assert_close(ours, law, rtol=0, atol=1e-12)


@pytest.mark.parametrize("compiled", [False, True])
def test_torch_compile_leaves_the_options_to_the_reference(compiled):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.compiler, "is_compiling", lambda: compiled)
        refusal = native.refuse(Stack("lstm", peephole=True, heads=2), torch.ones(5, 2, 3))
    known = "the native engine does not know peephole and heads where torch compiles"
    assert refusal == (known if compiled else None)


def test_the_layer_norm_is_left_to_the_reference():
    choice = choose(Stack("gru", layer_norm=True), torch.ones(5, 2, 3))
    assert choice.backend == "reference"
    assert "no layer norm in the cell: it would need a whole row at once" in choice.reason
