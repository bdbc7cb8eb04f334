"""What a network of whole records is made of: its inputs, its answers, its sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["JOINS", "Answer", "Front", "Input", "NetworkPlan"]

Join = Literal["late", "concatenate", "gated"]
JOINS = ("late", "concatenate", "gated")


@dataclass(frozen=True)
class Input:
    """One stream that a network reads.

    Parameters
    ----------
    kind : {"values", "tokens", "signal", "frames", "records"}
        As that of the stream.
    channels : tuple of str
        What its columns are called.
    cardinalities : dict of int to int
        The columns that hold codes, and how many codes there are, 0 included.
    width : int, optional
        Width of what the encoder gives; measurements go in as they are by default.
    inner : Input, optional
        What a stream of records holds.
    """

    kind: str
    channels: tuple[str, ...]
    cardinalities: Mapping[int, int] = field(default_factory=dict)
    width: int | None = None
    inner: Input | None = None


@dataclass(frozen=True)
class Answer:
    """One target that a network learns.

    Parameters
    ----------
    level : {"record", "step"}
        Whether it is said once, or at each step.
    outputs : int
        How many targets there are side by side, such as horizons.
    classes : int
        How many classes; 0 for numbers.
    stream : str, optional
        The stream whose steps they are.
    ordinal : bool
        Whether the classes have an order, lowest first; see `OrdinalHead`.
    """

    level: str = "record"
    outputs: int = 1
    classes: int = 0
    stream: str | None = None
    ordinal: bool = False

    @property
    def size(self) -> int:
        """How many numbers the head gives."""
        return self.outputs * max(self.classes, 1)


@dataclass(frozen=True)
class Front:
    """Convolutions before a recurrent layer, or beside it; see `ConvolutionFront`.

    Parameters
    ----------
    widths, kernels : tuple of int
        Channels of each convolution, and how many steps it sees.
    stride : int
        Input steps to a step of its output.
    beside : bool
        Whether the recurrent layer reads what the encoder gives, and the answer for a record what
        the convolutions find besides, as in LSTM-FCN (Karim et al. 2017, arXiv:1709.05206); else
        the layer reads what they find.
    """

    widths: tuple[int, ...] = (64, 64, 64)
    kernels: tuple[int, ...] = (8, 5, 3)
    stride: int = 1
    beside: bool = False


@dataclass(frozen=True)
class NetworkPlan:
    """What a network is made of.

    Parameters
    ----------
    inputs : dict of str to Input
        The streams.
    answers : dict of str to Answer
        The targets.
    static : Input, optional
        The static covariates.
    hidden_size, num_layers : int
        Of each recurrent layer.
    bidirectional : bool
        Whether it also reads backwards.
    pooling : tuple of str
        How the steps are pooled.
    shortcut : bool
        Whether the answer for a record also has a linear part that reads the inputs of its last
        step, which starts at zero (as in LSTNet, Lai et al. 2018, arXiv:1703.07015).
    join : {"late", "concatenate", "gated"}
        Several streams each have a recurrent layer of their own and meet after pooling; or they
        share one clock and one layer, which reads them side by side or as a gated sum.
    fronts : dict of str to Front
        Convolutions at the layer that reads a stream, by its name; ``"all"`` where streams are
        joined.
    skip : bool
        Whether the answer for a record also reads the mean and the largest value of what the front
        gives, or the encoder where there is none, so that a bag of features is always there. The
        pooled vector is then normalised over the batch.
    bag : bool
        Whether the answer for a record also has a linear part that counts the tokens and n-grams of
        each stream of tokens; see `Bag`.
    input_dropout, dropout, recurrent_dropout, channel_dropout, token_dropout : float
        Probabilities of dropping, while training: a unit of what the layer reads, the same at all
        steps of a record (Gal & Ghahramani 2016, arXiv:1512.05287); a unit of a pooled vector; a
        unit of the state; a whole channel of a record; a token, and once more each of its n-grams.
    """

    inputs: Mapping[str, Input]
    answers: Mapping[str, Answer]
    static: Input | None = None
    hidden_size: int = 64
    num_layers: int = 1
    bidirectional: bool = False
    pooling: tuple[str, ...] = ("last", "mean", "max")
    shortcut: bool = False
    join: Join = "late"
    fronts: Mapping[str, Front] = field(default_factory=dict)
    skip: bool = False
    bag: bool = False
    input_dropout: float = 0.0
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    channel_dropout: float = 0.0
    token_dropout: float = 0.0
