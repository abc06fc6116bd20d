"""Operations that sort, and those that depend on the order of size: medians and quantiles."""
