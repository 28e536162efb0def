"""Kernels of the interpreter that runs the tests; each must leave a clean log behind."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kernel.kernel_driver import Kernel
from tests.kernel.slow_server import SlowServer

NOISE = ("Traceback", "never retrieved", "never awaited", "was destroyed", "Exception ignored", "Exception in callback")


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """One kernel for the tests of a module."""
    with _kernels(tmp_path_factory) as start:
        yield start()


@pytest.fixture
def new_kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Kernel]]:
    """Starts a kernel for one test: ``new_kernel(uvloop=True)``."""
    with _kernels(tmp_path_factory) as start:
        yield start


@pytest.fixture
def slow_server() -> Iterator[SlowServer]:
    """An HTTP server that takes its time."""
    with SlowServer() as server:
        yield server


@contextlib.contextmanager
def _kernels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Kernel]]:
    started: list[Kernel] = []

    def start(**options: bool) -> Kernel:
        folder: Path = tmp_path_factory.mktemp("kernel")
        started.append(Kernel(folder, **options))
        return started[-1].start()

    try:
        yield start
    finally:
        for kernel in started:
            try:
                kernel.shutdown()
            finally:
                kernel.close()
    for kernel in started:
        noise = [word for word in NOISE if word in kernel.complaints]
        assert not noise, kernel.complaints
