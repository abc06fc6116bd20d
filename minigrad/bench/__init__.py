"""The benchmark: one training step, here and in other frameworks, beside what the machine could do at best.

``grid`` says what is trained, ``peers`` holds one readable file per framework, ``worker`` and ``limits`` run in
processes of their own, ``run`` lets them take turns, and ``report`` makes table, chart and page of what they
found.
"""
