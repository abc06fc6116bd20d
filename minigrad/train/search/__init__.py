"""Searching for settings on Optuna: a space, trials chosen on validation data, and one test of the best at the end.

``space`` reads what is searched, ``trial`` trains one choice, ``study`` suggests the next one and remembers all of
them in a ``journal``, ``workers`` trains several at a time, ``run`` holds it together and ``report`` sums it up.
"""
