"""How large a page may be."""

from __future__ import annotations

from ..errors import InputError

MOST_ROWS = 100  # platform API reference: pagination


def rows_per_page(batch_size: int) -> int:
    """What to ask for when the user wants ``batch_size``.

    Raises:
        InputError: ``batch_size`` is below 1.
    """
    if batch_size < 1:
        raise InputError(f"batch_size is {batch_size}.", "Give at least 1; pages hold at most 100 rows.")
    return min(batch_size, MOST_ROWS)
