"""The tests, and what holds the bot against numbers: evaluation, measurements, long runs of faults."""

import os
import sys

# What is compiled is kept, also where the environment says otherwise: each worker, and each process that a test starts,
# would compile all of it anew, the tests with what pytest adds to their assertions.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
