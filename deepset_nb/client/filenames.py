"""How a file name travels to the bucket, and what the platform will list it as.

Platform API reference, file names on the wire: some characters are replaced first, the rest is percent-encoded,
and the platform decodes once when it ingests.
"""

from __future__ import annotations

import re
from urllib.parse import quote

# What the platform's SDK replaces, and lone surrogates: bytes of a Linux file name that are no UTF-8.
_ALTERED = re.compile("[\\\\#%\"'|<>{}`^\\[\\]~\x00-\x1f\ud800-\udfff]")


def stored_name(name: str) -> str:
    """The name the bucket will hold.

    Example:
        >>> stored_name("50% of [all].txt")
        '50_ of _all_.txt'
    """
    return _ALTERED.sub("_", name)


def wire_name(name: str) -> str:
    """The stored name as the form carries it, ASCII only.

    Example:
        >>> wire_name("naïve file.txt")
        'na%C3%AFve%20file.txt'
    """
    return quote(stored_name(name), safe="")
