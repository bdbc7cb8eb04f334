"""Ray, started if it is not, with settings that suit it to a busy machine."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

from recurra.errors import need

__all__ = ["started"]

SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # it is nobody's business
    "RAY_raylet_start_wait_time_s": "120",  # 30 are too few where all cores are busy
    "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "300",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # hide no GPU from a task that asked for none
    "OMP_NUM_THREADS": "1",  # a thread for each worker, not one for each core in each of them
}

# Else it takes an address that others can reach in place of the loopback. It reads this when it is
# imported: whoever imports it before decides.
ALONE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


def started(purpose: str, **options: Any) -> ModuleType:
    """Import Ray, and start it on this machine where no cluster was joined.

    Parameters
    ----------
    purpose : str
        What it is needed for, as the user would say it.
    **options
        Further arguments of ``ray.init``.

    Returns
    -------
    module
        Ray, running. Where ``ray.init`` was not called, and ``RAY_ADDRESS`` names no cluster, it
        runs on this machine and listens on the loopback only.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    joins = bool(os.environ.get("RAY_ADDRESS"))
    for name, value in (SETTINGS if joins else SETTINGS | ALONE).items():
        os.environ.setdefault(name, value)
    ray = need("ray", extra="ray", purpose=purpose)
    if not ray.is_initialized():
        own = {} if joins else {"_node_ip_address": "127.0.0.1"}
        quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "warning"}
        ray.init(**quiet, **own, **options)
    return ray
