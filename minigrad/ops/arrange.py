"""Arrays put together, taken apart, repeated, rolled and turned."""
