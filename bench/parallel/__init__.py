"""Measurements of training on several processes; see ``python -m bench.parallel --help``."""
