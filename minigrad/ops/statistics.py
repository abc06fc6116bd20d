"""Averages, differences, running products, covariances, interpolation and convolution."""
