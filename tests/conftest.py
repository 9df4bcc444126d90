"""Settings of all tests."""

import os

from hypothesis import settings

collect_ignore_glob = ["*conftest.py"]  # they all have one name, and no doctests

# The machine may be shared: how long an example takes says nothing about the code.
settings.register_profile("cellbench", deadline=None)
settings.load_profile("cellbench")
# Test processes run side by side; one thread each keeps them out of each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")
