"""The version of minigrad that this is."""

__version__ = "0.1.0"
