"""Ray as a launcher: training, a search and predictions on several machines.

The training is that of `recurra.training`, the search that of `recurra.tune`; Ray starts processes,
carries data to them, and puts others in the place of those that die. It needs Ray: ``pip install
'recurra[ray]'``. On one or few machines ``torchrun`` does as well, without any of this.
"""

from recurra.distributed.fitting import fit_on_ray
from recurra.distributed.predicting import predict_parquet
from recurra.distributed.searching import tune_on_ray

__all__ = ["fit_on_ray", "predict_parquet", "tune_on_ray"]
