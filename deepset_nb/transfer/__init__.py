"""Files on their way: plan, send, close, watch, reconcile.

``plan`` finds what to send, ``upload`` sends it through a session and waits for its ingestion, ``receipt`` keeps one
row per file the whole time, ``progress`` turns the rows into what a panel shows.
"""
