"""The native backend against its reference and torch, and what must never change its answer."""

import gc
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from recurra import layers
from recurra.errors import OptionError
from recurra.kernels import Stack, Weights, backend, choose, native, run
from recurra.native import ISAS, engine, instruction_sets, missing, using

pytestmark = pytest.mark.skipif(engine is None, reason=missing)

# The sanitizers make the engine ten times slower: fewer examples then, of every kind
SANITIZED = hasattr(engine, "planted_overrun")
USABLE = [name for name, said in instruction_sets().items() if said == "can be used"]
KINDS = {
    "lstm": Stack("lstm"),
    "gru": Stack("gru"),
    "tanh": Stack("elman"),
    "relu": Stack("elman", activation="relu"),
    "sigmoid": Stack("elman", activation="sigmoid"),
}
GATES = {"lstm": 4, "gru": 3, "elman": 1}
DTYPES = {"float64": torch.float64, "float32": torch.float32}
SIZES = [1, 2, 3, 15, 16, 17, 31, 33, 63, 64, 65, 100, 128, 200]
OUTPUTS = ("output", "h", "c")
NONE = torch.empty(0)


@pytest.fixture(autouse=True)
def poisoned():
    """Whatever torch allocates is full of NaN, so that what is not written shows."""
    torch.use_deterministic_algorithms(True)
    with threads_of_torch(1):
        yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture(params=ISAS)
def isa(request):
    said = instruction_sets()[request.param]
    if said != "can be used":
        pytest.skip(f"{request.param}: {said}")
    with using(request.param):
        yield request.param


@dataclass(frozen=True)
class Problem:
    """A layer of both directions, its weights, input, state and lengths."""

    stack: Stack
    weights: list[Weights]
    x: Tensor
    state: tuple[Tensor, ...] | None
    lengths: Tensor | None

    def to(self, dtype: torch.dtype) -> "Problem":
        return Problem(
            self.stack,
            [
                Weights(*(None if w is None else w.detach().to(dtype) for w in one))
                for one in self.weights
            ],
            self.x.to(dtype),
            None if self.state is None else tuple(one.to(dtype) for one in self.state),
            self.lengths,
        )


def pose(kind, lengths, inputs, hidden, *, both=True, state=True, bias=True, seed=0, steps=None):
    """A problem in float32 numbers, with weights as torch would draw them."""
    torch.manual_seed(seed)
    plan = KINDS[kind]
    stack = Stack(plan.cell, bidirectional=both, activation=plan.activation)
    rows, bound = GATES[plan.cell] * hidden, hidden**-0.5

    def uniform(*shape):
        return torch.empty(shape).uniform_(-bound, bound)

    def weights():
        biases = (uniform(rows), uniform(rows)) if bias else (None, None)
        return Weights(uniform(rows, inputs), uniform(rows, hidden), *biases)

    steps = max(lengths, default=0) if steps is None else steps
    before = [torch.randn(stack.runs, len(lengths), hidden) for _ in range(1 + (kind == "lstm"))]
    counts = torch.tensor(lengths, dtype=torch.int64)
    return Problem(
        stack,
        [weights() for _ in range(stack.runs)],
        torch.randn(steps, len(lengths), inputs),
        tuple(before) if state else None,
        None if (counts == steps).all() else counts,
    )


def solve(problem, name="native", threads=1):
    """Everything that comes out of a problem, gradients included, by name."""
    x = problem.x.detach().requires_grad_()
    state = problem.state and tuple(one.detach().requires_grad_() for one in problem.state)
    weights = [
        Weights(*(None if w is None else w.detach().requires_grad_() for w in one))
        for one in problem.weights
    ]
    with backend(name), threads_of_torch(threads):
        output, after = run(problem.stack, x, state, weights, problem.lengths)
        found = dict(zip(OUTPUTS, (output, *after), strict=False))
        sources = {"x": x} | {f"{n} before": one for n, one in enumerate(state or ())}
        for way, one in enumerate(weights):
            given = one._asdict().items()
            sources |= {f"{field} {way}": w for field, w in given if w is not None}
        reached = {name: one for name, one in found.items() if one.requires_grad}
        incoming = [drawn_like(one, name) for name, one in reached.items()]
        gradients = [torch.zeros_like(one) for one in sources.values()]
        if reached:
            gradients = torch.autograd.grad(
                list(reached.values()), list(sources.values()), incoming, materialize_grads=True
            )
    found |= {f"gradient of {n}": g for n, g in zip(sources, gradients, strict=True)}
    return {name: one.detach() for name, one in found.items()}


def drawn_like(one, name):
    """The gradient that comes back to an output: the same numbers in every dtype."""
    chance = torch.Generator().manual_seed(OUTPUTS.index(name))
    return torch.randn(one.shape, generator=chance).to(one.dtype)


@contextmanager
def threads_of_torch(threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def apart(ours, theirs):
    """The worst distance of outputs, and of gradients as a share of the largest entry.

    That of all weights together: where there is a single unit, an entry can be near 0 by chance.
    """
    worst = {"output": 0.0, "gradient": 0.0}
    assert ours.keys() == theirs.keys()
    largest = {}
    for name, one in theirs.items():
        if one.numel():
            largest[group(name)] = max(largest.get(group(name), 1e-30), float(one.abs().max()))
    for name, one in theirs.items():
        if not one.numel():
            continue
        mine = ours[name]
        assert mine.shape == one.shape
        assert mine.isfinite().all(), f"{name} is not finite"
        far = float((mine.double() - one.double()).abs().max())
        if name in OUTPUTS:
            worst["output"] = max(worst["output"], far)
        else:
            worst["gradient"] = max(worst["gradient"], far / largest[group(name)])
    return worst


def group(name):
    """Of which results the largest entry counts."""
    if name in OUTPUTS:
        return "outputs"
    return "weights" if "weight" in name or "bias" in name else name


def assert_close(ours, theirs, dtype, scale=1.0):
    worst = apart(ours, theirs)
    bounds = (1e-12, 1e-12) if dtype == "float64" else (1e-6, 5e-6)
    assert worst["output"] <= scale * bounds[0], worst
    assert worst["gradient"] <= bounds[1], worst


def scale_of(law, inputs=1, hidden=1):
    """What rounding is measured by: the largest output, or the sums that an Elman cell is made of.

    With torch's initial weights these are of the size sqrt(inputs / hidden).
    """
    outputs = (float(law[name].abs().max()) for name in OUTPUTS if law.get(name, NONE).numel())
    return max([1.0, (inputs / hidden) ** 0.5, *outputs])


def same_bits(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name, one in theirs.items():
        assert torch.equal(ours[name], one), name


@cache
def small(kind, inputs, hidden):
    """A ragged problem and the reference's answer to it in float64."""
    problem = pose(kind, [5, 0, 1, 5, 3], inputs, hidden, steps=6, seed=hidden)
    return problem, solve(problem.to(torch.float64), "reference")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_all_sizes_give_what_the_reference_gives(kind, dtype, isa):
    for n, hidden in enumerate(SIZES):
        inputs = SIZES[(5 * n + 3) % len(SIZES)]
        problem, law = small(kind, inputs, hidden)
        sums = {} if kind in ("lstm", "gru") else {"inputs": inputs, "hidden": hidden}
        assert_close(solve(problem.to(DTYPES[dtype])), law, dtype, scale_of(law, **sums))


TORCHS = {"lstm": nn.LSTM, "gru": nn.GRU, "tanh": nn.RNN, "relu": nn.RNN}
LONG = [(17, 64)] if SANITIZED else [(17, 64), (1, 33), (64, 16), (3, 1)]


@cache
def by_torch(kind, steps, inputs, hidden, dtype):
    """The same numbers in torch's own layer: the problem and torch's answer to it."""
    problem = pose(kind, [steps] * 3, inputs, hidden, seed=hidden)
    options = {"nonlinearity": kind} if kind in ("tanh", "relu") else {}
    theirs = TORCHS[kind](inputs, hidden, bidirectional=True, dtype=DTYPES[dtype], **options)
    wanted = problem.to(DTYPES[dtype])
    fields = [f"{name}_l0{end}" for end in ("", "_reverse") for name in Weights._fields[:4]]
    values = [w for one in wanted.weights for w in one[:4]]
    theirs.load_state_dict(dict(zip(fields, values, strict=True)))
    x, state = wanted.x.requires_grad_(), [one.requires_grad_() for one in wanted.state]
    output, after = theirs(x, tuple(state) if kind == "lstm" else state[0])
    found = dict(zip(OUTPUTS, (output, *(after if kind == "lstm" else [after])), strict=False))
    incoming = [drawn_like(one, name) for name, one in found.items()]
    sources = {"x": x} | {f"{n} before": one for n, one in enumerate(state)}
    for way, end in enumerate(("", "_reverse")):
        names = Weights._fields[:4]
        sources |= {f"{name} {way}": getattr(theirs, f"{name}_l0{end}") for name in names}
    gradients = torch.autograd.grad(list(found.values()), list(sources.values()), incoming)
    found |= {f"gradient of {n}": g for n, g in zip(sources, gradients, strict=True)}
    return problem, {name: one.detach() for name, one in found.items()}


@pytest.mark.parametrize(("inputs", "hidden"), LONG)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", TORCHS)
def test_a_thousand_steps_give_what_torch_gives(kind, dtype, inputs, hidden, isa):
    problem, exact = by_torch(kind, 1000, inputs, hidden, "float64")
    found = solve(problem.to(DTYPES[dtype]))
    assert_close(found, exact, dtype, scale_of(exact))
    if dtype == "float32":
        assert_close(found, by_torch(kind, 1000, inputs, hidden, dtype)[1], dtype, scale_of(exact))


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_finite_differences(kind, isa):
    problem = pose(kind, [3, 0, 2], 2, 3).to(torch.float64)
    leaves = [problem.x, *problem.state, *(w for one in problem.weights for w in one[:4])]
    states = len(problem.state)

    def call(x, *rest):
        weights = [Weights(*rest[at : at + 4]) for at in (states, states + 4)]
        with backend("native"):
            output, after = run(problem.stack, x, rest[:states], weights, problem.lengths)
        return output, *after

    leaves = [one.clone().requires_grad_() for one in leaves]
    assert torch.autograd.gradcheck(call, leaves)


def laid_out(x, layout):
    """The same numbers, elsewhere in memory."""
    steps, batch, inputs = x.shape
    if layout == "batch first":
        return x.transpose(0, 1).contiguous().transpose(0, 1)
    if layout == "inputs first":
        return x.permute(2, 0, 1).contiguous().permute(1, 2, 0)
    if layout == "time last":
        return x.permute(1, 2, 0).contiguous().permute(2, 0, 1)
    if layout == "cut out":
        wide = torch.full((2 * steps + 1, batch + 2, inputs + 3), torch.nan, dtype=x.dtype)
        place = wide[1::2, 1:-1, 2:-1][:steps]
        return place.copy_(x)
    return x


LAYOUTS = ["plain", "batch first", "inputs first", "time last", "cut out"]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("inputs", [1, 3])
@pytest.mark.parametrize("kind", ["lstm", "gru", "tanh"])
def test_where_the_numbers_lie_changes_no_bit(kind, inputs, layout):
    problem = pose(kind, [5, 0, 2, 5], inputs, 7)
    moved = Problem(
        problem.stack,
        [
            Weights(*(w if w is None else w.t().contiguous().t() for w in one))
            for one in problem.weights
        ],
        laid_out(problem.x, layout),
        tuple(laid_out(one, layout) for one in problem.state),
        problem.lengths,
    )
    same_bits(solve(moved), solve(problem))


@st.composite
def problems(draw):
    steps = draw(st.integers(0, 6))
    length = st.one_of(st.integers(0, steps), st.sampled_from([0, steps]))
    size = st.one_of(st.integers(1, 9), st.sampled_from([15, 16, 17, 33]))
    problem = pose(
        draw(st.sampled_from(list(KINDS))),
        draw(st.lists(length, max_size=8)),
        draw(size),
        draw(size),
        both=draw(st.booleans()),
        state=draw(st.booleans()),
        bias=draw(st.booleans()),
        seed=draw(st.integers(0, 99)),
        steps=steps,
    )
    layout = draw(st.sampled_from(LAYOUTS))
    moved = Problem(
        problem.stack, problem.weights, laid_out(problem.x, layout), problem.state, problem.lengths
    )
    return moved, draw(st.sampled_from(list(DTYPES)))


@settings(max_examples=200 if SANITIZED else 500, deadline=None, database=None, derandomize=True)
@given(problems(), st.sampled_from(USABLE), st.sampled_from([1, 3]))
def test_any_shape_gives_what_the_reference_gives(drawn, name, threads):
    problem, dtype = drawn
    law = solve(problem.to(torch.float64), "reference")
    with using(name):
        found = solve(problem.to(DTYPES[dtype]), threads=threads)
    sizes = problem.x.shape[2], problem.weights[0].weight_hh.shape[1]
    assert_close(found, law, dtype, scale_of(law, *sizes))


@pytest.mark.parametrize("content", [0.0, float("inf"), float("nan")])
@pytest.mark.parametrize("kind", KINDS)
def test_padding_is_never_felt(kind, content, isa):
    lengths = [4, 0, 2]
    problem = pose(kind, lengths, 3, 17, steps=4)
    x = problem.x.clone()
    x[torch.arange(4)[:, None] >= torch.tensor(lengths)] = content
    dirty = Problem(problem.stack, problem.weights, x, problem.state, problem.lengths)
    longer = torch.cat([x, x.new_full((3, 3, 3), content)])
    padded = Problem(problem.stack, problem.weights, longer, problem.state, problem.lengths)
    plain, found = solve(problem), solve(padded)
    same_bits(solve(dirty), plain)
    assert not found["output"][4:].any()
    assert not found["gradient of x"][4:].any()
    found["output"] = found["output"][:4]
    same_bits(*({name: one[name] for name in OUTPUTS if name in one} for one in (found, plain)))


@pytest.mark.parametrize("threads", [2, 3, 8])
@pytest.mark.parametrize("kind", ["lstm", "gru", "tanh"])
def test_the_threads_torch_is_given_change_no_bit(kind, threads):
    lengths = [(11 * n) % 17 for n in range(40)]
    problem = pose(kind, lengths, 40, {"lstm": 96, "gru": 96, "tanh": 200}[kind])
    same_bits(solve(problem, threads=threads), solve(problem, threads=1))


def test_as_many_threads_as_torch_has_are_called(monkeypatch):
    asked = []

    class Listening:
        def __getattr__(self, name):
            return getattr(engine, name)

        def forward(self, threads, *runs):
            asked.append(threads)
            engine.forward(threads, *runs)

        def backward(self, threads, *runs):
            asked.append(threads)
            engine.backward(threads, *runs)

    monkeypatch.setattr(native, "engine", Listening())
    problem = pose("gru", [3, 2], 3, 4)
    for threads in (1, 3):
        solve(problem, threads=threads)
    assert asked == [1, 1, 3, 3]


@pytest.mark.parametrize("make", [layers.LSTM, layers.GRU, layers.RNN])
def test_step_by_step_is_the_whole_to_the_bit(make, isa):
    torch.manual_seed(0)
    layer, x = make(3, 17, num_layers=2), torch.randn(9, 5, 3)
    with torch.no_grad():
        whole, after = layer(x)
        state, outputs = None, []
        for x_t in x:
            y_t, state = layer.step(x_t, state)
            outputs.append(y_t)
    assert torch.equal(torch.stack(outputs), whole)
    for one, other in zip(
        *((s if isinstance(s, tuple) else (s,)) for s in (state, after)), strict=True
    ):
        assert torch.equal(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_is_answered_alike_alone_and_among_others(kind, isa):
    problem = pose(kind, [5, 0, 2, 5, 1, 4, 3], 3, 17)
    with torch.no_grad(), backend("native"):
        together, _ = run(problem.stack, problem.x, problem.state, problem.weights, problem.lengths)
        for record in range(7):
            one = slice(record, record + 1)
            state = tuple(part[:, one] for part in problem.state)
            alone, _ = run(
                problem.stack, problem.x[:, one], state, problem.weights, problem.lengths[one]
            )
            assert torch.equal(alone[:, 0], together[:, record])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["lstm", "gru", "tanh", "sigmoid"])
@pytest.mark.parametrize("size", [30.0, 1e4, 1e30])
def test_gates_without_doubt_stay_within_their_bounds(kind, dtype, size, isa):
    problem = pose(kind, [6, 6, 3], 3, 17).to(torch.float64)
    huge = Problem(problem.stack, problem.weights, size * problem.x, None, problem.lengths)
    law, found = solve(huge, "reference"), solve(huge.to(DTYPES[dtype]))
    assert float(found["output"].abs().max()) <= 1
    worst = apart(found, law)
    rounding = 1e-12 if dtype == "float64" else min(1.0, max(1e-6, 2e-7 * size))  # of a sum
    assert worst["output"] <= rounding, worst
    assert all(one.isfinite().all() for one in found.values())


@pytest.mark.parametrize(("dtype", "tiny"), [("float64", 1e-310), ("float32", 1e-42)])
@pytest.mark.parametrize("kind", KINDS)
def test_the_smallest_numbers_there_are_do_no_harm(kind, dtype, tiny, isa):
    problem = pose(kind, [6, 6, 3], 3, 17).to(DTYPES[dtype])
    x, state = torch.full_like(problem.x, tiny), tuple(one * tiny for one in problem.state)
    problem = Problem(problem.stack, problem.weights, x, state, problem.lengths)
    assert_close(solve(problem), solve(problem.to(torch.float64), "reference"), dtype)


@pytest.mark.parametrize("hidden", [16, 17])
@pytest.mark.parametrize("kind", KINDS)
def test_a_nan_stays_in_its_record_and_goes_where_the_reference_lets_it(kind, hidden, isa):
    problem = pose(kind, [6, 6, 3, 0], 3, hidden)
    x = problem.x.clone()
    x[2, 1, 0] = torch.nan
    sick = Problem(problem.stack, problem.weights, x, problem.state, problem.lengths)
    found, law, healthy = solve(sick), solve(sick, "reference"), solve(problem)
    others = torch.tensor([0, 2, 3])
    for name, one in law.items():
        assert torch.equal(found[name].isnan(), one.isnan()), name
        if "weight" not in name and "bias" not in name:
            assert torch.equal(found[name][:, others], healthy[name][:, others]), name


@pytest.mark.parametrize("hidden", [16, 17])
@pytest.mark.parametrize("kind", KINDS)
def test_an_infinite_input_is_met_as_the_reference_meets_it(kind, hidden, isa):
    problem = pose(kind, [6, 6, 3, 0], 3, hidden)
    x = problem.x.clone()
    x[2, 1, 0] = torch.inf
    sick = Problem(problem.stack, problem.weights, x, problem.state, problem.lengths)
    found, law = solve(sick), solve(sick, "reference")
    for name, one in law.items():
        assert torch.equal(found[name].isfinite(), one.isfinite()), name
        if one.isfinite().all():
            torch.testing.assert_close(found[name], one, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("lengths", "steps"),
    [([], 0), ([], 3), ([0, 0], 0), ([0, 0], 4), ([1], 1), ([0, 1], 1)],
    ids=str,
)
@pytest.mark.parametrize("state", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_records_without_a_step_keep_their_state(kind, state, lengths, steps, isa):
    problem = pose(kind, lengths, 1, 1, state=state, steps=steps)
    found = solve(problem)
    assert_close(found, solve(problem.to(torch.float64), "reference"), "float32")
    for record, length in enumerate(lengths):
        for n, name in enumerate(OUTPUTS[1 : 2 + (kind == "lstm")]):
            if not length:
                expected = problem.state[n][:, record] if state else torch.zeros(2, 1)
                assert torch.equal(found[name][:, record], expected)


@pytest.mark.parametrize(
    ("kind", "steps", "batch", "inputs", "hidden"),
    [
        ("lstm", 20_000, 1, 1, 5),
        ("gru", 20_000, 1, 2, 3),
        ("lstm", 3, 2, 5, 1030),
        ("gru", 2, 7, 1030, 9),
    ],
)
def test_very_long_and_very_wide_records_are_read(kind, steps, batch, inputs, hidden):
    steps = min(steps, 3000) if SANITIZED else steps
    problem = pose(kind, [steps] * batch, inputs, hidden, both=False)
    law = solve(problem.to(torch.float64), "aten")
    assert_close(solve(problem), law, "float32", scale_of(law, inputs, hidden))


@pytest.mark.parametrize(
    ("stack", "x", "words"),
    [
        (Stack("jordan"), torch.ones(5, 2, 3), "no jordan cell"),
        (Stack("elman", activation="identity"), torch.ones(5, 2, 3), "Elman cell with identity"),
        (Stack("lstm"), torch.ones(5, 2, 3).half(), "the native engine has no torch.float16"),
        (Stack("gru"), torch.ones(5, 2, 3, device="meta"), "on the CPU, not on meta"),
        (Stack("lstm", projected=True, heads=2), torch.ones(5, 2, 3), "an LSTM without heads only"),
        (Stack("gru", layer_norm=True), torch.ones(5, 2, 3), "no layer norm in the cell"),
    ],
)
def test_what_cannot_be_run_is_refused_with_its_reason(stack, x, words):
    able, reason = native.judge(stack, x, None)
    assert not able
    assert words in reason
    with backend("native"), pytest.raises(OptionError, match=re.escape(words)):
        choose(stack, x)


def test_under_vmap_another_backend_runs():
    torch.use_deterministic_algorithms(False)
    layer, x, seen = layers.RNN(3, 4), torch.randn(2, 5, 2, 3), []

    def call(one):
        seen.append(layer.choice(one))
        with backend("reference"):
            return layer(one)[0]

    found = torch.vmap(call)(x)
    assert seen[0].backend != "native"
    assert "torch.func" in seen[0].reason
    torch.testing.assert_close(found[1], layer(x[1])[0])


def test_an_input_it_can_run_is_taken_with_the_name_of_the_instruction_set(isa):
    able, reason = native.judge(Stack("gru"), torch.ones(5, 2, 3), None)
    assert able
    assert reason.startswith(f"the compiled engine ({isa})")


@pytest.mark.parametrize("lengths", [None, [5, 0, 2]])
@pytest.mark.parametrize("make", [layers.LSTM, layers.GRU, layers.RNN])
def test_without_the_engine_the_answer_is_the_same(make, lengths, monkeypatch):
    layer, x = make(3, 7, bidirectional=True, dtype=torch.float64), torch.randn(5, 3, 3).double()
    with_engine = layer(x, lengths=lengths)[0]
    assert layer.choice(x, lengths=lengths).backend == "native"
    monkeypatch.setattr(native, "engine", None)
    monkeypatch.setattr(native, "missing", "there is no compiler here")
    choice = layer.choice(x, lengths=lengths)
    assert choice.backend == "aten"
    assert choice.reason.startswith("there is no compiler here; ")
    torch.testing.assert_close(layer(x, lengths=lengths)[0], with_engine, rtol=0, atol=1e-12)


def resident():
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(SANITIZED, reason="the sanitizer holds back what is freed")
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="nothing counts memory here")
def test_a_thousand_steps_of_training_leave_nothing_behind():
    engine.release()
    torch.manual_seed(0)
    layer = layers.LSTM(4, 24, num_layers=2, bidirectional=True, batch_first=True)
    optimizer = torch.optim.SGD(layer.parameters(), lr=1e-3)
    chance = torch.Generator().manual_seed(0)
    sizes = []
    for step in range(1000):
        lengths = torch.randint(0, 30, (16,), generator=chance).tolist()
        records = [torch.randn(length, 4) for length in lengths]
        x = pad_sequence(records, batch_first=True)
        output, _ = layer(x, lengths=lengths)
        if step % 5:  # and sometimes nobody goes back
            optimizer.zero_grad()
            output.square().sum().backward()
            optimizer.step()
        if step % 100 == 99:
            gc.collect()
            sizes.append(resident())
    assert max(sizes[3:]) - sizes[2] < 4 << 20, [
        later - before for before, later in pairwise(sizes)
    ]
    assert engine.kept() < 64 << 20


def test_what_forward_kept_goes_back_with_the_graph():
    problem = pose("lstm", [20] * 8, 3, 40)
    solve(problem)
    gc.collect()
    before = engine.kept()
    x = problem.x.requires_grad_()
    with backend("native"):
        output, _ = run(problem.stack, x, problem.state, problem.weights, None)
    assert engine.kept() < before
    del output, _
    gc.collect()
    assert engine.kept() == before
