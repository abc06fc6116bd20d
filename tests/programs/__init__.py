"""Known programs as their users write them, compared with the same program in PyTorch."""
