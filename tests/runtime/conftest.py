"""Every kind of layer that goes one way, small, saved and loaded again."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import pytest
import torch

from recurra import runtime
from recurra.layers import GRU, LSTM, RNN, Jordan, Recurrent
from recurra.runtime import SavedStack, native

MAKERS: dict[str, Callable[..., Recurrent]] = {
    "RNN": partial(RNN, 3, 4, batch_first=True),
    "two RNNs relu without bias": partial(RNN, 3, 20, 2, "relu", bias=False),
    "RNN sigmoid, learned start": partial(
        RNN, 3, 4, nonlinearity="sigmoid", learn_initial_state=True
    ),
    "LSTM": partial(LSTM, 3, 17, batch_first=True),
    "three LSTMs": partial(LSTM, 3, 5, 3, dropout=0.5),
    "LSTM without bias, learned start": partial(LSTM, 3, 4, bias=False, learn_initial_state=True),
    "GRU": partial(GRU, 3, 33, recompute=True),
    "two GRUs": partial(GRU, 3, 4, 2, batch_first=True),
    "Jordan": partial(Jordan, 3, 4, output_size=2, output_nonlinearity="tanh"),
    "two Jordans": partial(Jordan, 3, 4, 2, nonlinearity="relu", learn_initial_state=True),
    "RNN normalised, two heads": partial(RNN, 3, 4, layer_norm=True, heads=2),
    "LSTM projected": partial(LSTM, 3, 5, 2, proj_size=2),
    "LSTM with peepholes": partial(LSTM, 3, 4, peephole=True),
    "LSTM coupled": partial(LSTM, 3, 4, coupled=True, bias=False),
    "LSTM normalised": partial(LSTM, 3, 4, layer_norm=True, batch_first=True),
    "LSTM of two heads": partial(LSTM, 3, 4, 2, heads=2),
    "LSTM forgetful": partial(
        LSTM, 3, 4, recurrent_dropout=0.3, zoneout=0.1, zoneout_cell=0.5, forget_bias=1.0
    ),
    "LSTM projected, with all but heads": partial(
        LSTM, 3, 5, proj_size=2, coupled=True, peephole=True, layer_norm=True, zoneout=0.3
    ),
    "two LSTMs with everything": partial(
        LSTM, 3, 4, 2, heads=2, coupled=True, peephole=True, layer_norm=True, zoneout_cell=0.5,
    ),
    "GRU with everything": partial(
        GRU, 3, 4, heads=2, layer_norm=True, zoneout=0.4, learn_initial_state=True
    ),
}  # fmt: skip
TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}


class Pair(NamedTuple):
    """A layer, and the same as the runtime loads it."""

    layer: Recurrent
    stack: SavedStack
    tolerance: float

    def input(self, batch: int, steps: int) -> torch.Tensor:
        shape = (batch, steps, 3) if self.layer.batch_first else (steps, batch, 3)
        generator = torch.Generator().manual_seed(1)
        return torch.randn(shape, generator=generator, dtype=self.layer.weight_ih_l0.dtype)


@pytest.fixture(params=["native", "numpy"])
def engine(request, monkeypatch):
    """With the compiled engine, and as on a machine without it."""
    if request.param == "numpy":
        monkeypatch.setattr(native, "engine", None)
        monkeypatch.setattr(native, "missing", "it is away")
    return request.param


@pytest.fixture(params=TOLERANCE, ids=str)
def dtype(request):
    return request.param


@pytest.fixture
def saved(tmp_path, dtype, engine):
    """``saved(name)``: a pair."""

    def pair(name: str) -> Pair:
        torch.manual_seed(0)
        layer = MAKERS[name](dtype=dtype).eval()
        with torch.no_grad():
            for own, weight in layer.named_parameters():
                if own.startswith(("initial", "gain", "bias_c")):
                    weight.normal_()
        layer.save(tmp_path / "layer.recurra")
        # a norm divides by the spread of a few numbers, and so enlarges what rounding did
        tolerance = TOLERANCE[dtype] * (5 if layer.stack.layer_norm else 1)
        return Pair(layer, runtime.load(tmp_path / "layer.recurra"), tolerance)

    return pair


@pytest.fixture(params=MAKERS)
def pair(request, saved) -> Pair:
    """One pair after the other."""
    return saved(request.param)
