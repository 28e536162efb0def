"""The platform's REST API and the buckets of its upload sessions, over httpx.

`AsyncClient` asks the API (auth, retries, paging, errors); its ``bucket()`` posts objects, without a key, on
connections of their own. Endpoint paths are written here and in the sandbox only.
"""

from __future__ import annotations

from .async_client import AsyncClient
from .bucket import Bucket

__all__ = ["AsyncClient", "Bucket"]
