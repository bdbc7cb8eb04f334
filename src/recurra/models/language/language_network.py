"""From a token to what may follow: embedding, recurrent layers, an answer for each token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from recurra import layers
from recurra.layers import Recurrent
from recurra.models.language.language_batch import UNCOUNTED, LanguageBatch

__all__ = ["LanguageNetwork", "LanguagePlan", "LanguageState"]

LAYERS = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.RNN}
LanguageState = tuple[Any, ...]


@dataclass(frozen=True)
class LanguagePlan:
    """What a language network looks like.

    Parameters
    ----------
    vocabulary : int
        Tokens there are, the unknown one and the end of a document among them.
    layer : {"lstm", "gru", "rnn"}
        The recurrent layer.
    hidden_size : int
        Units in a layer.
    num_layers : int
        Layers on layers.
    embedding_size : int
        Width of a token.
    tie_weights : bool
        Whether a token is foretold by the weights it is read by (arXiv:1608.05859).
    input_dropout, dropout, recurrent_dropout, weight_dropout : float
        See `LanguageNetwork`.
    silent : tuple of int
        Tokens that are never foretold: the unknown one, if the training text had none.
    """

    vocabulary: int
    layer: Literal["lstm", "gru", "rnn"] = "lstm"
    hidden_size: int = 512
    num_layers: int = 1
    embedding_size: int = 128
    tie_weights: bool = True
    input_dropout: float = 0.0
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    weight_dropout: float = 0.0
    silent: tuple[int, ...] = ()


class LanguageNetwork(nn.Module):
    r"""Foretell the next token from all before.

    .. math::
        h_t = \mathrm{layers}(E[x_t], h_{t-1}), \qquad
        p(x_{t+1}) = \mathrm{softmax}(E\,(P h_t + b_P) + b)

    with one table E for both ends; P is there where a token is not as wide as a layer. Without tied
    weights the answer is :math:`\mathrm{softmax}(W h_t + b)`.

    While training, chance acts in four places: `input_dropout` on what a layer reads first and
    `dropout` on what each layer says, with one mask for all steps of a stretch (arXiv:1512.05287);
    `recurrent_dropout` on the state that is fed back, likewise; `weight_dropout` on the weights
    that feed it back (DropConnect, as in arXiv:1708.02182), one mask for all rows of a batch.

    Parameters
    ----------
    plan : LanguagePlan
        What it looks like.
    """

    def __init__(self, plan: LanguagePlan) -> None:
        super().__init__()
        self.plan = plan
        wide = plan.embedding_size
        self.table = nn.Embedding(plan.vocabulary, wide)
        nn.init.normal_(self.table.weight, std=wide**-0.5)
        own = {"forget_bias": 1.0} if plan.layer == "lstm" else {}
        self.layers = nn.ModuleList(
            LAYERS[plan.layer](
                plan.hidden_size if k else wide,
                plan.hidden_size,
                batch_first=True,
                initialisation="orthogonal",
                recurrent_dropout=plan.recurrent_dropout,
                **own,
            )
            for k in range(plan.num_layers)
        )
        self.project: nn.Linear | None = None
        if plan.tie_weights:
            if wide != plan.hidden_size:
                self.project = nn.Linear(plan.hidden_size, wide)
            self.bias = nn.Parameter(torch.zeros(plan.vocabulary))
        else:
            self.answer = nn.Linear(plan.hidden_size, plan.vocabulary)

    def forward(
        self,
        codes: Tensor,
        state: LanguageState | None = None,
        lengths: Tensor | Sequence[int] | None = None,
    ) -> tuple[Tensor, LanguageState]:
        """Read stretches of tokens.

        Parameters
        ----------
        codes : Tensor of int64, shape (batch, time)
            The tokens.
        state : tuple, optional
            What was carried from the stretch before; without it, the beginning.
        lengths : Tensor of int64, shape (batch,), optional
            Real steps of each row.

        Returns
        -------
        scores : Tensor, shape (batch, time, vocabulary)
            The logits of the token after each step; minus infinity for silent ones.
        state : tuple
            To be carried on; one part for each layer.
        """
        read, after = self.read(self.table(codes), state, lengths)
        return self.foretell(read), after

    def read(
        self,
        vectors: Tensor,
        state: LanguageState | None = None,
        lengths: Tensor | Sequence[int] | None = None,
    ) -> tuple[Tensor, LanguageState]:
        """Read stretches of tokens that were looked up already, or of anything in their place.

        Parameters
        ----------
        vectors : Tensor, shape (batch, time, embedding_size)
            The rows of ``table``.
        state, lengths
            As for `forward`.

        Returns
        -------
        read : Tensor, shape (batch, time, hidden_size)
            What the last layer says.
        state : tuple
            To be carried on; one part for each layer.
        """
        read = self._locked(vectors, self.plan.input_dropout)
        after = []
        for k, layer in enumerate(self.layers):
            before = None if state is None else state[k]
            read, carried = self._through(layer, read, before, lengths)  # type: ignore[arg-type]
            read = self._locked(read, self.plan.dropout)
            after.append(carried)
        return read, tuple(after)

    def step(
        self, codes: Tensor, state: LanguageState | None = None
    ) -> tuple[Tensor, LanguageState]:
        """Read one token of each row, in constant time and memory.

        Parameters
        ----------
        codes : Tensor of int64, shape (batch,)
            The tokens.
        state : tuple, optional
            What was carried from the step before.

        Returns
        -------
        scores : Tensor, shape (batch, vocabulary)
            The logits of the token after it.
        state : tuple
            To be carried on.
        """
        read, after = self.table(codes), []
        for k, layer in enumerate(self.layers):
            read, carried = layer.step(read, None if state is None else state[k])  # type: ignore[operator]
            after.append(carried)
        return self.foretell(read), tuple(after)

    def loss(
        self, batch: LanguageBatch, state: LanguageState | None = None
    ) -> tuple[Tensor, Tensor, LanguageState]:
        """Sum what each next token costs, in nats.

        Parameters
        ----------
        batch : LanguageBatch
            The tokens.
        state : tuple, optional
            What was carried from the stretch before.

        Returns
        -------
        total : Tensor, shape ()
            The summed negative log-likelihood.
        count : Tensor, shape ()
            How many tokens were foretold.
        state : tuple
            To be carried on.
        """
        costs, counted, after = self.costs(batch, state)
        return costs.sum(), counted.sum(), after

    def costs(
        self, batch: LanguageBatch, state: LanguageState | None = None
    ) -> tuple[Tensor, Tensor, LanguageState]:
        """Say what each next token costs, in nats.

        Parameters
        ----------
        batch : LanguageBatch
            The tokens.
        state : tuple, optional
            What was carried from the stretch before.

        Returns
        -------
        costs : Tensor, shape (batch, time)
            The negative log-likelihoods; 0 where nothing is counted.
        counted : Tensor of bool, shape (batch, time)
            Where something is.
        state : tuple
            To be carried on.
        """
        scores, after = self.forward(batch.codes, state, batch.lengths)
        targets = batch.targets
        for code in self.plan.silent:
            targets = torch.where(targets == code, UNCOUNTED, targets)
        costs = F.cross_entropy(
            scores.flatten(0, 1), targets.flatten(), reduction="none", ignore_index=UNCOUNTED
        )
        return costs.view(targets.shape), targets != UNCOUNTED, after

    def foretell(self, read: Tensor) -> Tensor:
        """Say which token comes next.

        Parameters
        ----------
        read : Tensor, shape (…, hidden_size)
            What the last layer says.

        Returns
        -------
        Tensor, shape (…, vocabulary)
            The logits; minus infinity for silent tokens.
        """
        if not self.plan.tie_weights:
            scores = self.answer(read)
        else:
            read = read if self.project is None else self.project(read)
            scores = F.linear(read, self.table.weight, self.bias)
        if self.plan.silent:
            scores = scores.index_fill(-1, torch.tensor(self.plan.silent), float("-inf"))
        return scores

    def _through(
        self, layer: Recurrent, read: Tensor, state: Any, lengths: Any
    ) -> tuple[Tensor, Any]:
        """Run a layer; while training, some of the weights that feed its state back are missing."""
        if not (self.training and self.plan.weight_dropout):
            return layer(read, state, lengths=lengths)
        whole = layer.get_parameter("weight_hh_l0")
        missing = {"weight_hh_l0": F.dropout(whole, self.plan.weight_dropout)}
        found: tuple[Tensor, Any]
        found = functional_call(layer, missing, (read, state), {"lengths": lengths})
        return found

    def _locked(self, read: Tensor, share: float) -> Tensor:
        """Drop the same channels at all steps of a row."""
        if not (self.training and share):
            return read
        kept = torch.rand(read.shape[0], 1, read.shape[2]) >= share
        return read * (kept / (1.0 - share))
