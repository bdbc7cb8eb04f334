"""The yardstick: the best rate of a float32 matrix product in torch, `worker_gemm.py NAME THREADS`.

NAME is gemm-peak, one shape that suits the machine, or gemm-gates, the case's own recurrent
product of one step: (batch, hidden) by (hidden, gates x hidden). `torch.mm` calls a BLAS that may
not use all that a processor has; where oneDNN's product, in torch too, is faster, that is taken.
"""

from __future__ import annotations

import sys
from statistics import median

import torch
from shared import Arrays, Call, Case, Results, gemm_shape, serve, time_calls

NAME, THREADS = sys.argv[1], int(sys.argv[2])


def onednn_product(left: torch.Tensor, right: torch.Tensor) -> Call:
    """The product as inductor calls it, with the right side packed once."""
    ops = torch.ops.mkldnn
    packed = ops._reorder_linear_weight(right.t().contiguous(), left.shape[0])
    return lambda: ops._linear_pointwise(left, packed, None, "none", [], "")


def build(case: Case, arrays: Arrays) -> tuple[Call, Results]:
    del arrays
    rows, inner, columns = gemm_shape(NAME, case)
    left, right = torch.rand(rows, inner), torch.rand(inner, columns)
    out = torch.empty(rows, columns)
    calls: list[Call] = [lambda: torch.mm(left, right, out=out)]
    if torch.backends.mkldnn.is_available():
        calls.append(onednn_product(left, right))
    best = min(calls, key=lambda call: median(time_calls(call, 20, 5)))
    return best, lambda: {}


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    torch.set_grad_enabled(False)
    serve(build, {"torch": torch.__version__})
