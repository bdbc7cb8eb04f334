"""Recurrent layers: drop-ins for ``torch.nn``'s that know how long each record is.

`RNN`, `LSTM` and `GRU` take the arguments, the weights and the input of their namesakes in
``torch.nn`` and give the same result; `Jordan` feeds back its output, and `GRUD` reads what is
missing and uneven in time (``observed=``, ``times=``). All read ragged batches (``lengths=``) in
which padding is never felt, and all can go step by step (``step``). `load` builds what a layer's
``save`` wrote, `chrono` opens the gates of one for long memories. `AdditiveAttention` and
`DotAttention` read all steps of another sequence.
"""

from recurra.layers.attention import AdditiveAttention, Attention, DotAttention, Memory
from recurra.layers.chrono import chrono
from recurra.layers.gru import GRU
from recurra.layers.grud import GRUD, GRUDState
from recurra.layers.jordan import Jordan
from recurra.layers.loading import load
from recurra.layers.lstm import LSTM
from recurra.layers.recurrent import LayerState, Lengths, Recurrent
from recurra.layers.rnn import RNN

__all__ = [
    "GRU",
    "GRUD",
    "LSTM",
    "RNN",
    "AdditiveAttention",
    "Attention",
    "DotAttention",
    "GRUDState",
    "Jordan",
    "LayerState",
    "Lengths",
    "Memory",
    "Recurrent",
    "chrono",
    "load",
]
