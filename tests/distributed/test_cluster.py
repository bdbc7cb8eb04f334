"""Ray as it is started here."""

import subprocess
import sys

import pytest

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
