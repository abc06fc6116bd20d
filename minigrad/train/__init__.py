"""Training: the trainer, its callbacks, metrics and recipes."""
