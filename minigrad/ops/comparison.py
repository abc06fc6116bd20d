"""Functions of NumPy that give results alone, without a gradient: places, counts, yes or no."""
