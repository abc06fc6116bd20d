"""Benchmarks: figures are measured here, never in timed tests."""
