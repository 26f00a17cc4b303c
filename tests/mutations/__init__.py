"""Takes away one check of a right at a time and sees whether a test notices.

    python -m pytest -p tests.mutations.recorder ...   notes which tests meet which check
    python -m tests.mutations                          takes the checks away, one after the other

A *check* is a call of `require`, `can` or `visible_metrics`, a line of `PERMISSIONS`, a method of a route. It
is taken away while the tests that met it run: at its place every right is there, and everything is visible.
"""
