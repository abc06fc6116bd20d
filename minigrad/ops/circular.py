"""Operations on single entries: circular and hyperbolic functions, logarithms, remainders, further ufuncs."""
