"""Measurements of the real bot on loopback: `python -m tests.benchmarks`."""
