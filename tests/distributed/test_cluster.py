"""Ray as it is started here."""

import subprocess
import sys

import pytest

from recurra.distributed.cluster import check_workers
from recurra.errors import OptionError

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'recurra[ray]'")

ASK = """
from recurra.distributed.cluster import started
ray = started("asking")
print(*{node["NodeManagerAddress"] for node in ray.nodes()})
"""


def test_it_is_reached_from_this_machine_alone():
    done = subprocess.run(  # it decides where it is imported first
        [sys.executable, "-c", ASK], capture_output=True, text=True, timeout=200, check=True
    )
    assert done.stdout.split() == ["127.0.0.1"]


@pytest.mark.parametrize("workers", [0, 1.5, "2", True])
def test_what_is_no_number_of_workers_is_refused(workers):
    with pytest.raises(OptionError, match="an int of at least 1"):
        check_workers(workers)
