"""Runs the CUDA sources on the CPU."""
