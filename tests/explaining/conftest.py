"""Questions whose answers are known, to explain."""

import pytest
import torch

from recurra.explaining import Question, Read


class Asked(Question):
    """A function of streams that are given as tensors; zeros stand for nothing."""

    def __init__(
        self,
        function,
        columns=None,
        steps=None,
        baseline=None,
        smooth=True,
        attends=None,
        **streams,
    ):
        self.function, self.asked, self.smooth = function, "the answer", smooth
        self.seen, self.attends = [], attends
        self.reads = {
            name: Read(
                values,
                torch.zeros_like(values) if baseline is None else baseline[name],
                columns or tuple(f"x{k}" for k in range(values.shape[1])),
                steps or tuple(range(len(values))),
                values.numpy(),
            )
            for name, values in streams.items()
        }

    def answer(self, values):
        self.seen.append(len(next(iter(values.values()))))
        return self.function(**values)

    def attention(self):
        return self.attends

    def randomised(self, seed):
        torch.manual_seed(seed)
        weights = {name: torch.randn_like(read.values) for name, read in self.reads.items()}
        streams = {name: read.values for name, read in self.reads.items()}

        def function(**values):
            return sum((weights[name] * each).sum((1, 2)) for name, each in values.items())

        return Asked(function, attends=self.attends, **streams)


class Recurrent(torch.nn.Module):
    """A small network with kinks: the largest state, and the last."""

    def __init__(self, inputs, size=16, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.layer = torch.nn.GRU(inputs, size, batch_first=True)
        self.head = torch.nn.Linear(2 * size, 1)

    def forward(self, x):
        states, _ = self.layer(x)
        return 5 * self.head(torch.cat([states[:, -1], states.amax(1)], -1))[:, 0]


@pytest.fixture(name="Asked")
def asked_of():
    return Asked


@pytest.fixture(name="Recurrent")
def recurrent():
    return Recurrent
