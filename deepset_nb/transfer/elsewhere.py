"""Objects posted by other processes, on this machine or on others: any ``concurrent.futures.Executor`` will do.

To the pipeline `ExecutorBucket` is a bucket like any other: sessions, journal, retries, closing and watching are those
of every upload, and stay in this kernel. Only the posts are made elsewhere, in batches. A worker is handed the form of
one upload session and never the API key; it reads the files itself, so they must lie on a file system that it shares,
or behind a URL. A batch whose worker is lost is done again: an object posted twice is still one object.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor
from dataclasses import dataclass, field
from types import TracebackType

import httpx

from ..client.addresses import is_remote
from ..client.bucket import Bucket, Source
from ..errors import BucketError, DeepsetError
from ..models import AWSPrefixedRequestConfig

AT_ONCE = 512  # rows on their way: eight full batches
MOST_POSTS, MOST_BYTES = 64, 64 << 20  # of a batch: large enough to be worth the trip, small enough to show progress
GATHER_S = 0.02  # what a batch waits for more posts to join
TRIES = 3  # of a batch whose worker is lost; after that this kernel posts it
PATIENCE_S, SLOWEST_BPS = 600.0, 50_000  # the longest wait for a batch, and for its bytes on top


@dataclass(frozen=True)
class Post:
    """One object to post: name on the wire, content or where it lies, bytes."""

    name: str
    source: bytes | str = field(repr=False)
    size: int


@dataclass(frozen=True)
class Posted:
    """What became of it: a fingerprint, or an error in its parts, as not every error can be pickled."""

    fingerprint: str = ""
    error: tuple[str, str, int, str] | None = None
    not_read: str = ""

    def result(self) -> str:
        """The fingerprint.

        Raises:
            BucketError: It was not stored.
            OSError: It could not be read.
        """
        if self.not_read:
            raise OSError(None, self.not_read)
        if self.error is not None:
            message, remedy, status, code = self.error
            raise BucketError(message, remedy, status=status, code=code)
        return self.fingerprint


@dataclass(frozen=True, repr=False)
class Batch:
    """What a worker gets. Its repr ends up in logs of schedulers, so it says nothing of the form."""

    form: AWSPrefixedRequestConfig
    posts: tuple[Post, ...]

    def __repr__(self) -> str:
        return f"<Batch of {len(self.posts)} files>"

    @property
    def bytes(self) -> int:
        """Of all its posts."""
        return sum(post.size for post in self.posts)


def post_batch(batch: Batch) -> list[Posted]:
    """Post a batch; runs in a worker. Every post has its outcome, in order."""
    return asyncio.run(_post_all(batch))


async def _post_all(batch: Batch) -> list[Posted]:
    async with Bucket(batch.form) as bucket:
        gate = asyncio.Semaphore(bucket.workers)

        async def one(post: Post) -> Posted:
            async with gate:
                try:
                    return Posted(await bucket.post(post.name, post.source, post.size) or "")
                except BucketError as error:
                    return Posted(error=(error.message, error.remedy, error.status, error.code))
                except DeepsetError as error:
                    return Posted(error=(error.message, error.remedy, 0, ""))
                except OSError as error:
                    return Posted(not_read=error.strerror or type(error).__name__)

        return list(await asyncio.gather(*map(one, batch.posts)))


class Elsewhere:
    """Where the batches of one transfer go.

    Args:
        executor: Runs them.
        on_trouble: Told in a sentence what stays worth knowing.

    Attributes:
        is_broken: Whether it takes nothing any more; then this kernel posts.
    """

    def __init__(self, executor: Executor, on_trouble: Callable[[str], None]) -> None:
        self.is_broken = False
        self._executor = executor
        self._on_trouble = on_trouble

    async def run(self, batch: Batch) -> list[Posted] | None:
        """The outcomes, or None if nobody could be found to do it."""
        for _ in range(TRIES):
            if self.is_broken:
                break
            try:
                future = self._executor.submit(post_batch, batch)
                async with asyncio.timeout(PATIENCE_S + batch.bytes / SLOWEST_BPS):
                    return await asyncio.wrap_future(future)
            except BrokenExecutor:
                self._break("A worker process died, and its executor takes no more work")
            except RuntimeError as error:  # submitted to after its shutdown
                self._break(f"The executor takes no more work ({error})")
            except TimeoutError:
                self._on_trouble("A batch did not come back from the executor in time and is done again.")
            except asyncio.CancelledError:
                if (task := asyncio.current_task()) is not None and task.cancelling():
                    raise
                self._on_trouble("The executor dropped a batch; it is done again.")
            except Exception as error:  # of the scheduler: our own function raises nothing
                self._on_trouble(f"The executor lost a batch ({type(error).__name__}); it is done again.")
        return None

    def _break(self, what: str) -> None:
        if not self.is_broken:
            self.is_broken = True
            self._on_trouble(f"{what}: the rest is sent by this kernel.")


class ExecutorBucket(Bucket):
    """The bucket of one upload session, as workers reach it.

    Args:
        form: Where to post, and the fields that allow it.
        elsewhere: Where batches go.
        connections: Of what this kernel posts itself.
        transport: Takes the place of the kernel's network, for tests.
    """

    def __init__(
        self,
        form: AWSPrefixedRequestConfig,
        elsewhere: Elsewhere,
        *,
        connections: int | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Nothing is sent yet."""
        super().__init__(form, connections=connections, transport=transport)
        self._granted: AWSPrefixedRequestConfig | None = form
        self._elsewhere = elsewhere
        self._gathered: list[tuple[Post, asyncio.Future[Posted | None]]] = []
        self._batches: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give up what is on its way, close the kernel's own connections, and let go of the form."""
        if self._timer is not None:
            self._timer.cancel()
        for task in self._batches:
            task.cancel()
        await asyncio.gather(*self._batches, return_exceptions=True)
        self._granted = None
        await super().__aexit__(kind, error, trace)

    async def post(
        self,
        name: str,
        source: Source,
        size: int,
        *,
        on_sent: Callable[[int], None] | None = None,
        on_retry: Callable[[DeepsetError], None] | None = None,
    ) -> str | None:
        """Store one object, see `Bucket.post`; progress moves when its batch is done."""
        if not self._elsewhere.is_broken:
            outcome: asyncio.Future[Posted | None] = asyncio.get_running_loop().create_future()
            self._gather(Post(name, _for_others(source), size), outcome)
            posted = await outcome
            if posted is not None:
                stored = posted.result()
                if on_sent is not None:
                    on_sent(size)
                return stored
        return await super().post(name, source, size, on_sent=on_sent, on_retry=on_retry)

    def _gather(self, post: Post, outcome: asyncio.Future[Posted | None]) -> None:
        self._gathered.append((post, outcome))
        if len(self._gathered) >= MOST_POSTS or sum(each.size for each, _ in self._gathered) >= MOST_BYTES:
            self._go()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_S, self._go)

    def _go(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        gathered, self._gathered = self._gathered, []
        if gathered:
            task = asyncio.get_running_loop().create_task(self._send(gathered))
            self._batches.add(task)
            task.add_done_callback(self._batches.discard)

    async def _send(self, gathered: list[tuple[Post, asyncio.Future[Posted | None]]]) -> None:
        outcomes: list[Posted] | None = None
        with contextlib.suppress(asyncio.CancelledError):
            assert self._granted is not None
            outcomes = await self._elsewhere.run(Batch(self._granted, tuple(post for post, _ in gathered)))
        for place, (_, outcome) in enumerate(gathered):
            if not outcome.done():
                outcome.set_result(outcomes[place] if outcomes is not None else None)


def _for_others(source: Source) -> bytes | str:
    """The content, or where it lies for a process that has another working directory."""
    if isinstance(source, bytes) or is_remote(source):
        return source if isinstance(source, bytes) else str(source)
    return os.path.abspath(source)  # noqa: PTH100
