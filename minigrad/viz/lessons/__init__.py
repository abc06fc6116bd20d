"""Lessons: a recorded step's page with challenges on it, from a file that an instructor writes.

- ``reading``: the file, and what is wrong with it
- ``conditions``: the language that says when a challenge is solved
- ``binding``: a lesson on a recorded step, as its page reads it
- ``replay``: a learner's changes made again, in Python
- ``lines``: what a learner hands in, read and verified
- ``library/``: the lessons that come with minigrad
"""
