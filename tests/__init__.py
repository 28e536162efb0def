"""The tests, and ``python -m tests``, which runs them all. One folder is one group."""
