"""The native engine under autograd: what of it is asked for, how often, and of which tensors."""

import re

import pytest
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from recurra import layers
from recurra.kernels import backend, native

pytestmark = pytest.mark.skipif(native.engine is None, reason="the native engine was not built")

CLASSES = ("RNN", "LSTM", "GRU")
LENGTHS = torch.tensor([4, 0, 2])


def build(name: str, **options: object) -> layers.Recurrent:
    torch.manual_seed(0)
    return getattr(layers, name)(3, 5, dtype=torch.float64, **options)


def draw(*shape: int) -> Tensor:
    chance = torch.Generator().manual_seed(1)
    return torch.randn(shape, generator=chance, dtype=torch.float64).requires_grad_()


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def draw_state(layer, batch: int = 3):
    return [draw(*one.shape) for one in parts(layer.initial_state(batch))]


def public(state):
    return tuple(state) if len(state) > 1 else state[0]


def loss(output, state) -> Tensor:
    return (output * output.detach().cos()).sum() + sum(one.sin().sum() for one in parts(state))


def assert_close(ours, theirs) -> None:
    for one, other in zip(ours, theirs, strict=True):
        one, other = one.detach(), other.detach()
        assert one.shape == other.shape
        assert float((one - other).abs().max()) <= 1e-12 * max(1.0, float(other.abs().max()))


def with_each(compute) -> None:
    """Compute with the engine and with the reference: the same must come out."""
    found = {}
    for name in ("native", "reference"):
        with backend(name):
            found[name] = compute()
    assert_close(found["native"], found["reference"])


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("lengths", [None, LENGTHS])
@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("both", [False, True])
def test_gradients_have_gradients(name, lengths, given, both):
    layer = build(name, bidirectional=both)
    state = draw_state(layer) if given else []
    leaves = [draw(4, 3, 3), *state, *layer.parameters()]

    def call(x, *rest):
        before = public(rest[: len(state)]) if state else None
        named = dict(zip(dict(layer.named_parameters()), rest[len(state) :], strict=True))
        call = {"lengths": lengths}
        output, after = torch.func.functional_call(layer, named, (x, before), call)
        return (output, *parts(after))

    torch.manual_seed(0)
    with backend("native"):
        assert torch.autograd.gradgradcheck(call, leaves, fast_mode=True)


@pytest.mark.parametrize("name", CLASSES)
def test_second_gradients_equal_the_reference(name):
    layer, x = build(name, bidirectional=True), draw(4, 3, 3)

    def second():
        first = torch.autograd.grad(loss(*layer(x, lengths=LENGTHS)), x, create_graph=True)[0]
        return torch.autograd.grad(first.pow(3).sum(), [x, *layer.parameters()])

    with_each(second)


@pytest.mark.parametrize("name", CLASSES)
def test_records_without_a_step_have_second_gradients_of_zero(name):
    layer, x = build(name), draw(4, 3, 3)
    output, _ = layer(x, lengths=[0, 0, 0])
    (first,) = torch.autograd.grad(output.sum(), x, create_graph=True)
    assert not first.any()


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("options", [{}, {"bidirectional": True, "recompute": True}])
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_going_back_twice_gives_the_same_bits(name, options, lengths):
    layer, x = build(name, **options), draw(4, 3, 3)
    total = loss(*layer(x, lengths=lengths))
    leaves = [x, *layer.parameters()]
    once, twice, thrice = (
        torch.autograd.grad(total, leaves, retain_graph=more) for more in (True, True, False)
    )
    assert all(map(torch.equal, once, twice))
    assert all(map(torch.equal, once, thrice))
    with pytest.raises(RuntimeError, match="a second time"):
        total.backward()


@pytest.mark.parametrize("name", CLASSES)
def test_recomputing_gives_the_same_bits(name):
    x = draw(4, 3, 3)
    found = []
    for recompute in (False, True):
        layer = build(name, bidirectional=True, recompute=recompute)
        total = loss(*layer(x, lengths=LENGTHS))
        found.append((total, *torch.autograd.grad(total, [x, *layer.parameters()])))
    assert all(map(torch.equal, *found))


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("wanted", ["x", "h", "c", "weights", "weight_hh_l0", "bias_ih_l0_reverse"])
def test_what_alone_is_asked_for_gets_its_gradient(name, wanted):
    layer = build(name, bidirectional=True).requires_grad_(False)
    x, state = draw(4, 3, 3).detach(), [one.detach() for one in draw_state(layer)]
    if wanted == "c" and len(state) == 1:
        pytest.skip("has no c")
    pool = {"x": [x], "h": state[:1], "c": state[1:], "weights": list(layer.parameters())}
    leaves = pool.get(wanted) or [getattr(layer, wanted)]
    for one in leaves:
        one.requires_grad_()
    with_each(lambda: torch.autograd.grad(loss(*layer(x, public(state), lengths=LENGTHS)), leaves))
    loss(*layer(x, public(state), lengths=LENGTHS)).backward()
    every = [x, *state, *layer.parameters()]
    assert sum(one.grad is not None for one in every) == len(leaves)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize(
    "used",
    [
        lambda y, h, c: h.sin().sum(),
        lambda y, h, c: c.sin().sum(),
        lambda y, h, c: y[-1].sin().sum(),
        lambda y, h, c: y[1, 2, 3],
        lambda y, h, c: y.sum(),
        lambda y, h, c: h[:, 0].sum() + c[:, 2].sum(),
    ],
    ids=["h", "c", "last step", "one number", "sum", "some records"],
)
def test_outputs_may_be_used_in_part(name, used):
    layer, x = build(name), draw(4, 3, 3)

    def gradients():
        output, after = layer(x, lengths=LENGTHS)
        total = used(output, parts(after)[0], parts(after)[-1])
        return torch.autograd.grad(total, [x, *layer.parameters()])

    with_each(gradients)


STRIDED = {
    "time and batch exchanged": ((3, 4, 3), lambda x: x.transpose(0, 1)),
    "inputs in the middle": ((4, 3, 3), lambda x: x.transpose(1, 2)),
    "time last": ((3, 3, 4), lambda x: x.transpose(0, 2)),
    "a part": ((5, 6, 5), lambda x: x[1:, ::2, 1:4]),
    "every second input": ((4, 3, 5), lambda x: x[..., ::2]),
    "one step for all": ((1, 3, 3), lambda x: x.expand(4, 3, 3)),
    "one record for all": ((4, 1, 3), lambda x: x.expand(4, 3, 3)),
    "one input for all": ((4, 3, 1), lambda x: x.expand(4, 3, 3)),
    "sliding windows": ((6, 3), lambda x: x.unfold(0, 3, 1)),
    "sliding windows over records": ((4, 5), lambda x: x.unfold(1, 3, 1)),
}


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("case", STRIDED)
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_the_input_may_lie_in_memory_as_it_likes(name, case, lengths):
    shape, view = STRIDED[case]
    layer, leaf = build(name, bidirectional=True), draw(*shape)

    def gradients():
        output, after = layer(view(leaf), lengths=lengths)
        found = torch.autograd.grad(loss(output, after), [leaf, *layer.parameters()])
        return (output, *parts(after), *found)

    with_each(gradients)


def test_overlapping_windows_wider_than_long_get_the_right_gradient():
    torch.manual_seed(0)
    layer, leaf = layers.GRU(8, 5, dtype=torch.float64), draw(9, 3)
    with_each(
        lambda: torch.autograd.grad(loss(*layer(leaf.unfold(0, 8, 1))), [leaf, *layer.parameters()])
    )


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize(
    "view",
    [
        lambda s: s.transpose(0, 2),
        lambda s: s.expand(2, 3, 5),
        lambda s: s[..., ::2],
        lambda s: s[:, 1:4],
    ],
    ids=["units first", "one for all", "every second unit", "a part"],
)
def test_the_state_may_lie_in_memory_as_it_likes(name, view):
    layer, x = build(name, bidirectional=True), draw(4, 3, 3)
    shape = next(
        one for one in [(5, 3, 2), (1, 1, 5), (2, 3, 9), (2, 6, 5)] if _fits(view, one, (2, 3, 5))
    )
    leaves = [draw(*shape) for _ in parts(layer.initial_state(3))]

    def gradients():
        output, after = layer(x, public([view(one) for one in leaves]), lengths=LENGTHS)
        return torch.autograd.grad(loss(output, after), [x, *leaves, *layer.parameters()])

    with_each(gradients)


def _fits(view, shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    try:
        return view(torch.ones(shape)).shape == wanted
    except RuntimeError:
        return False


def test_weights_may_lie_in_memory_as_they_like():
    layer, x = build("LSTM"), draw(4, 3, 3)
    turned = {name: draw(*one.shape[::-1]) for name, one in layer.named_parameters()}

    def gradients():
        named = {name: one.t() if one.dim() == 2 else one for name, one in turned.items()}
        result = torch.func.functional_call(layer, named, (x,))
        return torch.autograd.grad(loss(*result), [x, *turned.values()])

    with_each(gradients)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("changed", ["x", "y", "h", "weight"])
def test_what_was_changed_in_place_is_noticed(name, changed):
    layer, x = build(name), draw(4, 3, 3).clone()
    state = [one.clone() for one in draw_state(layer)]
    output, after = layer(x, public(state))
    with torch.no_grad():
        {"x": x, "y": output, "h": state[0], "weight": layer.weight_hh_l0}[changed].add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss(output.sin(), after).backward()


def test_the_last_state_may_be_changed_in_place():
    layer, x = build("LSTM"), draw(4, 3, 3)
    output, (h, c) = layer(x)
    want = torch.autograd.grad(output.sum(), x, retain_graph=True)
    with torch.no_grad():
        h.zero_()
        c.zero_()
    assert_close(torch.autograd.grad(output.sum(), x), want)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("reentrant", [False, True])
def test_a_checkpoint_gives_the_same_bits(name, reentrant):
    layer, x = build(name, num_layers=2), draw(4, 3, 3)
    leaves = [x, *layer.parameters()]
    found = []
    for call in (layer, lambda *a, **k: checkpoint(layer, *a, use_reentrant=reentrant, **k)):
        if reentrant:
            layer.zero_grad()
            x.grad = None
            output, _ = call(x)
            output.square().sum().backward()
            found.append([one.grad for one in leaves])
        else:
            output, _ = call(x, lengths=LENGTHS)
            found.append(torch.autograd.grad(output.square().sum(), leaves))
    assert all(map(torch.equal, *found))


def test_hooks_on_what_is_saved_are_obeyed():
    layer, x = build("LSTM"), draw(4, 3, 3)
    want = torch.autograd.grad(loss(*layer(x)), [x, *layer.parameters()])
    with torch.autograd.graph.save_on_cpu():
        total = loss(*layer(x))
    assert_close(torch.autograd.grad(total, [x, *layer.parameters()]), want)


@pytest.mark.parametrize("name", CLASSES)
def test_many_gradients_at_once_equal_one_after_the_other(name):
    layer, x = build(name), draw(4, 3, 3)
    output, _ = layer(x, lengths=LENGTHS)
    given = torch.eye(output.numel(), dtype=output.dtype).reshape(-1, *output.shape)
    (once,) = torch.autograd.grad(output, x, given, is_grads_batched=True, retain_graph=True)
    single = [torch.autograd.grad(output, x, one, retain_graph=True)[0] for one in given]
    assert_close([once], [torch.stack(single)])


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_functions_of_functions_take_another_backend(name, lengths):
    layer, x = build(name), draw(4, 3, 3).detach()
    many = draw(2, 4, 3, 3).detach()
    layer.requires_grad_(False)

    def call(x):
        return layer(x, lengths=lengths)[0]

    mapped = torch.func.vmap(call)(many)
    assert_close([mapped], [torch.stack([call(one) for one in many])])
    slope = torch.func.grad(lambda x: call(x).sin().sum())(x)
    leaf = x.clone().requires_grad_()
    assert_close([slope], torch.autograd.grad(call(leaf).sin().sum(), leaf))
    _, along = torch.func.jvp(call, (x,), (torch.ones_like(x),))
    jacobian = torch.autograd.functional.jacobian(call, x)
    assert_close([along], [jacobian.flatten(3).sum(-1)])


def test_forward_mode_is_not_forgotten_without_grad():
    layer, x = build("GRU"), draw(4, 3, 3).detach()
    with torch.no_grad(), torch.autograd.forward_ad.dual_level():
        output, _ = layer(torch.autograd.forward_ad.make_dual(x, torch.ones_like(x)))
        assert torch.autograd.forward_ad.unpack_dual(output).tangent.any()


def test_lengths_that_vmap_maps_over_are_refused():
    layer = build("GRU")
    with pytest.raises(ValueError, match=re.escape("x.flatten(0, 1) and lengths.flatten()")):
        torch.func.vmap(lambda x, n: layer(x, lengths=n)[0])(
            draw(2, 4, 3, 3), torch.tensor([[4, 1, 2], [3, 3, 3]])
        )


@pytest.mark.parametrize(
    "wrong",
    [draw(20, 7), draw(19, 5), draw(20, 5).float(), draw(20, 5).to("meta")],
    ids=["too wide", "too few rows", "float32", "elsewhere"],
)
def test_a_weight_that_does_not_fit_is_refused(wrong):
    layer, x = build("LSTM"), draw(4, 3, 3)
    with pytest.raises((RuntimeError, ValueError)):
        torch.func.functional_call(layer, {"weight_hh_l0": wrong.detach()}, (x,))


def test_a_state_elsewhere_is_refused():
    layer, x = build("GRU"), draw(4, 3, 3)
    with pytest.raises((RuntimeError, ValueError)):
        layer(x, torch.zeros(1, 3, 5, dtype=x.dtype, device="meta"))


def test_inference_mode_gives_the_same_bits():
    layer, x = build("LSTM", num_layers=2), draw(4, 3, 3)
    with torch.inference_mode():
        output, _ = layer(x, lengths=LENGTHS)
    assert output.is_inference()
    assert torch.equal(output, layer(x, lengths=LENGTHS)[0])
