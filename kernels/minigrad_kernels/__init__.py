"""Hand-written hot loops on bare arrays, each beside its NumPy reference; knows nothing of ``minigrad``."""
