"""Every layer there is, small, by name."""

from collections.abc import Callable
from functools import partial

import pytest
import torch

from recurra.layers import GRU, GRUD, LSTM, RNN, Jordan, Recurrent

Make = Callable[..., Recurrent]

MAKERS: dict[str, Make] = {
    "RNN tanh": partial(RNN, 3, 4),
    "RNN relu": partial(RNN, 3, 4, nonlinearity="relu"),
    "RNN sigmoid": partial(RNN, 3, 4, nonlinearity="sigmoid", batch_first=True),
    "LSTM": partial(LSTM, 3, 4, batch_first=True),
    "LSTM projected": partial(LSTM, 3, 5, proj_size=2, learn_initial_state=True),
    "GRU": partial(GRU, 3, 4, batch_first=True, learn_initial_state=True),
    "Jordan": partial(Jordan, 3, 4, output_size=2, output_nonlinearity="tanh"),
    "two LSTMs both ways": partial(LSTM, 3, 4, num_layers=2, bidirectional=True),
    "two GRUs both ways": partial(GRU, 3, 4, num_layers=2, bidirectional=True, batch_first=True),
    "RNN both ways without bias": partial(RNN, 3, 4, bias=False, bidirectional=True),
    "three Jordans both ways": partial(Jordan, 3, 4, num_layers=3, bidirectional=True),
    "RNN normalised, two heads": partial(RNN, 3, 4, layer_norm=True, heads=2),
    "RNN relu, forgetful": partial(
        RNN, 3, 4, nonlinearity="relu", recurrent_dropout=0.3, zoneout=0.4
    ),
    "LSTM with peepholes": partial(LSTM, 3, 4, peephole=True, batch_first=True),
    "LSTM coupled": partial(LSTM, 3, 4, coupled=True, bias=False),
    "LSTM normalised": partial(LSTM, 3, 4, layer_norm=True),
    "LSTM of two heads": partial(LSTM, 3, 4, heads=2, batch_first=True, num_layers=2),
    "LSTM forgetful": partial(
        LSTM, 3, 4, recurrent_dropout=0.3, zoneout=0.1, zoneout_cell=0.5, batch_first=True
    ),
    "LSTM projected, with all but heads": partial(
        LSTM, 3, 5, proj_size=2, coupled=True, peephole=True, layer_norm=True, zoneout=0.3
    ),
    "two LSTMs both ways, with everything": partial(
        LSTM,
        3,
        4,
        2,
        bidirectional=True,
        heads=2,
        coupled=True,
        peephole=True,
        layer_norm=True,
        recurrent_dropout=0.3,
        zoneout=0.1,
        zoneout_cell=0.5,
        initialisation="orthogonal",
    ),
    "GRU forgetful": partial(GRU, 3, 4, recurrent_dropout=0.3, zoneout=0.4, batch_first=True),
    "two GRUs both ways, with everything": partial(
        GRU,
        3,
        4,
        2,
        bidirectional=True,
        heads=2,
        layer_norm=True,
        recurrent_dropout=0.3,
        zoneout=0.4,
        learn_initial_state=True,
    ),
    "GRUD": partial(GRUD, 3, 4),
    "GRUD without decays": partial(
        GRUD, 3, 4, batch_first=True, bias=False, input_decay=False, state_decay=False
    ),
    "GRUD forgetful": partial(GRUD, 3, 4, recurrent_dropout=0.3, zoneout=0.4, batch_first=True),
}


@pytest.fixture
def makers() -> dict[str, Make]:
    """All of them."""
    return MAKERS


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest) -> Make:
    """One maker after the other; every call draws the same weights.

    What chance decides while training no two calls share: such a layer comes without training.
    """

    def seeded(**options: object) -> Recurrent:
        torch.manual_seed(0)
        layer = MAKERS[request.param](**options)
        with torch.no_grad():
            for name, weight in layer.named_parameters():
                if name.startswith("initial"):
                    weight.normal_()
        plan = layer.stack
        return layer.eval() if plan.recurrent_dropout or plan.zoneout else layer

    return seeded
