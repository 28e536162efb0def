"""The command ``deepset-nb``: demo, sandbox, version."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ._version import __version__
from .errors import DeepsetError, MissingExtra


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="deepset-nb", description="deepset_nb: notebooks for the deepset AI Platform."
    )
    commands = parser.add_subparsers(dest="command", required=True)

    demo = commands.add_parser("demo", help="the notebooks in JupyterLab, on a local platform: no account, no network")
    demo.add_argument("--dir", type=Path, default=Path("deepset-nb-demo"), help="folder of the notebooks (%(default)s)")
    demo.add_argument("--reset", action="store_true", help="write them afresh; a changed notebook is kept as a copy")
    demo.add_argument(
        "--check", action="store_true", help="run the quickstart without a browser and print what came out"
    )
    demo.add_argument("--port", type=int, default=0, help="port of JupyterLab on 127.0.0.1 (default: a free one)")
    demo.add_argument("--no-browser", action="store_true", help="only print the URL")

    sandbox = commands.add_parser("sandbox", help="the local platform alone, until it is told to stop")
    sandbox.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    sandbox.add_argument("--data", type=Path, help="folder that keeps its data (default: none, gone at the end)")
    sandbox.add_argument("--api-key", help="key that clients send (default: a random one)")
    sandbox.add_argument("--workspace", default="sandbox", help="name of its workspace (%(default)s)")
    sandbox.add_argument("--files", type=int, default=0, metavar="N", help="bring it to N made-up files, in seconds")
    sandbox.add_argument("--ingest-delay", type=float, default=0.0, metavar="S", help="seconds before ingestion begins")
    sandbox.add_argument(
        "--ingest-rate", type=float, metavar="N", help="files ingested per second (default: all at once)"
    )
    sandbox.add_argument("--fault", action="append", default=[], help="misbehaviour to show, such as latency:300ms")
    sandbox.add_argument(
        "--faults", action="store_true", help="list all faults: name, effect, what the user should see"
    )
    sandbox.add_argument("--seed", type=int, help="the same seed gives the same ids, times and failures everywhere")

    commands.add_parser("version", help="print the version")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; errors of ours are two lines on stderr, not a traceback."""
    arguments = _parser().parse_args(argv)
    try:
        if arguments.command == "demo":
            return _demo(arguments)
        if arguments.command == "sandbox":
            return _sandbox(arguments)
        print(__version__)
    except DeepsetError as error:
        print(f"deepset-nb: {error.message}", error.remedy, sep="\n  ", file=sys.stderr)
        return 1
    return 0


def _sandbox(arguments: argparse.Namespace) -> int:
    try:
        from .emulator.config import SandboxConfig
        from .emulator.faults import KINDS
        from .emulator.server import serve
    except ModuleNotFoundError as error:
        raise _not_installed(error, "sandbox") from None
    if arguments.faults:
        for fault in KINDS.values():
            print(f"{fault.usage}\n    {fault.effect}\n    You see: {fault.seen}")
        return 0
    serve(
        SandboxConfig(
            data=arguments.data,
            port=arguments.port,
            api_key=arguments.api_key,
            workspace=arguments.workspace,
            files=arguments.files,
            ingest_delay_s=arguments.ingest_delay,
            ingest_rate=arguments.ingest_rate,
            faults=tuple(arguments.fault),
            seed=arguments.seed,
        )
    )
    return 0


def _demo(arguments: argparse.Namespace) -> int:
    try:
        import jupyterlab  # noqa: F401

        from . import demo
        from .emulator import server  # noqa: F401
    except ModuleNotFoundError as error:
        raise _not_installed(error, "demo") from None
    if arguments.check:
        return demo.check()
    return demo.run(arguments.dir, reset=arguments.reset, port=arguments.port, browser=not arguments.no_browser)


def _not_installed(error: ModuleNotFoundError, extra: str) -> MissingExtra:
    return MissingExtra(
        f"This command needs more than is installed: there is no module {error.name!r}.",
        f"Run: pip install 'deepset-nb[{extra}]'",
    )
