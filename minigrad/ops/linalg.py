"""Linear algebra: solving, inverses, determinants, factorisations, norms."""
