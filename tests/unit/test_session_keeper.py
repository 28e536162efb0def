"""Sessions opened side by side."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from deepset_nb.models import AWSPrefixedRequestConfig, OpenedSession, WriteMode
from deepset_nb.transfer.progress import Progress
from deepset_nb.transfer.record import Record
from deepset_nb.transfer.session_keeper import SessionKeeper


def test_of_two_sessions_answered_in_the_same_instant_each_goes_to_whoever_asked_for_it() -> None:
    async def two() -> set[str]:
        progress = Progress({"workspace": "w", "host": "h", "organisation": None})
        keeper = SessionKeeper("w", WriteMode.KEEP, False, progress, Record(progress, "upload", WriteMode.KEEP))
        answered = asyncio.Event()

        async def create(*_: Any, **__: Any) -> OpenedSession:
            await answered.wait()
            return OpenedSession(uuid4(), "", None, AWSPrefixedRequestConfig("", {}))

        client: Any = SimpleNamespace(upload_sessions=SimpleNamespace(create=create))
        asking = [asyncio.create_task(keeper.open(client, [])) for _ in range(2)]
        await asyncio.sleep(0.01)
        answered.set()
        return {session.id for session in await asyncio.gather(*asking)}

    assert len(asyncio.run(two())) == 2
