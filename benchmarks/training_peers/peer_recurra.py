"""Recurra's Regressor without treatments, checks or dropout: the peers' network and steps.

With --attention it attends to the outputs of all steps, as `plain.Plain` does.
"""

from __future__ import annotations

from shared import BATCH, EPOCHS, HIDDEN, RATE, ROUNDS, Fitted, Task, take_turns

# isort: split
import sys

import recurra as rc

ATTENDS = "--attention" in sys.argv


def fit(task: Task) -> Fitted:
    training = rc.Training(
        steps=EPOCHS * ROUNDS,
        batch_size=BATCH,
        optimizer="adam",
        learning_rate=RATE,
        schedule="constant",
        warmup=0,
        clip_norm=None,
        patience=None,
        progress=False,
    )
    model = rc.Regressor(
        layer="lstm",
        hidden_size=HIDDEN,
        pooling="attention" if ATTENDS else "last",
        input_dropout=0.0,
        dropout=0.0,
        treatments=[],
        validation=0,
        training=training,
    )
    losses = model.fit(*task).log_.loss
    weights = sum(each.numel() for each in model.network_.parameters())
    return Fitted(sum(losses[-ROUNDS:]) / ROUNDS, len(losses), weights)


if __name__ == "__main__":
    take_turns("recurra-attention" if ATTENDS else "recurra", rc.__version__, fit)
