"""One Ray for all tests of this room: its start takes longer than they do."""

import pytest


@pytest.fixture(scope="session")
def ray_of_two_cores():
    """Ray on this machine, with two cores whatever there are."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'recurra[ray]'")
    from recurra.distributed.cluster import started

    yield started("A test", num_cpus=2)
    ray.shutdown()
