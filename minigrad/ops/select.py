"""Entries chosen by place or by condition, and arrays with entries put in or taken out."""
