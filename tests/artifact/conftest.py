import os

import pytest

ROUNDS = int(os.environ.get("RECURRA_ROUNDS", "1"))  # more of them, for a long look


@pytest.fixture(scope="session")
def rounds():
    return ROUNDS
