"""A saved recurrent stack, run with NumPy alone: nothing here imports torch.

`load` takes up what `recurra.layers.Recurrent.save` wrote, or the recurrent stack of a saved
`recurra.Forecaster`. Whole records go through `SavedStack.run`, one step at a time through a
`Stepper`, which carries the state and answers within a microsecond or a few where the compiled
engine is there. Without it, and for what the engine does not know, the same equations run in NumPy.
"""

from recurra.runtime.loading import load
from recurra.runtime.stack import SavedStack
from recurra.runtime.stepper import Stepper

__all__ = ["SavedStack", "Stepper", "load"]
