"""Keras: Sequential, compile, fit, on the backend that KERAS_BACKEND names.

Each new model is traced and compiled anew, which is most of a short training. With --compiled, the
first model, which was compiled in the fit that is thrown away, is set back to its fresh weights and
trained again.
"""

from __future__ import annotations

from shared import BATCH, EPOCHS, HIDDEN, RATE, STEPS, Fitted, Task, take_turns

# isort: split
import sys

import keras
from keras import layers

COMPILED = "--compiled" in sys.argv
kept: list[tuple[keras.Model, list, list]] = []


def fit(task: Task) -> Fitted:
    keras.utils.set_random_seed(0)
    if not kept or not COMPILED:
        kept[:] = [make()]
    model, weights, slots = kept[0]
    model.set_weights(weights)
    for variable, value in zip(model.optimizer.variables, slots, strict=True):
        variable.assign(value)
    history = model.fit(*task, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
    steps = int(model.optimizer.iterations.numpy())
    return Fitted(history.history["loss"][-1], steps, model.count_params())


def make() -> tuple[keras.Model, list, list]:
    """Make a model, and remember its weights and the optimizer's variables as they begin."""
    model = keras.Sequential([layers.Input((STEPS, 1)), layers.LSTM(HIDDEN), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(RATE), "mse")
    model.optimizer.build(model.trainable_variables)
    slots = [keras.ops.convert_to_numpy(each) for each in model.optimizer.variables]
    return model, model.get_weights(), slots


if __name__ == "__main__":
    name = f"keras-{keras.config.backend()}"
    take_turns(f"{name}-compiled" if COMPILED else name, keras.__version__, fit)
