"""``%load_ext deepset_nb``: listings in one short line.

    %deepset files --name report
    %deepset sessions
    found = %deepset files

They use the workspace made last in this kernel, or the one named by the settings.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NoReturn

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import MagicArgumentParser

from .workspace import Workspace, latest

if TYPE_CHECKING:
    import pandas as pd
    from IPython.core.interactiveshell import InteractiveShell


class _Parser(MagicArgumentParser):  # type: ignore[misc]
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}\n{self.format_usage()}")


def _parser() -> _Parser:
    parser = _Parser(prog="%deepset", description="Listings of a deepset workspace as DataFrames.")
    verbs = parser.add_subparsers(dest="verb", metavar="files | sessions")
    files = verbs.add_parser("files", prog="%deepset files", help="the files of the workspace, newest first")
    files.add_argument("--name", help="part of the file name")
    files.add_argument("--filter", help="""filter on metadata, such as "topic eq 'news'" """)
    sessions = verbs.add_parser("sessions", prog="%deepset sessions", help="its upload sessions, newest first")
    for verb in (files, sessions):
        verb.add_argument("--workspace", help="another workspace than the one made last")
    return parser


@magics_class
class DeepsetMagics(Magics):  # type: ignore[misc]
    """The magic ``%deepset``."""

    @line_magic  # type: ignore[untyped-decorator]
    def deepset(self, line: str) -> pd.DataFrame | None:
        """List files or upload sessions, newest first.

        %deepset files [--name PART] [--filter ODATA] [--workspace NAME]
        %deepset sessions [--workspace NAME]
        """
        parser = _parser()
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise UsageError(f"%deepset: {error}; put values with a quote in them between quotes.") from None
        arguments = parser.parse_args(words)
        if arguments.verb is None:
            raise UsageError("%deepset needs a word: `files` or `sessions`; %deepset? tells their options.")
        workspace = _workspace(arguments.workspace)
        if arguments.verb == "files":
            return workspace.list_files(arguments.name, odata_filter=arguments.filter)
        return workspace.list_upload_sessions()


def _workspace(name: str | None) -> Workspace:
    """The named workspace on the platform used last, or the one used last itself."""
    used = latest()
    if used is None:
        return Workspace(name)
    if name is None or name == used.name:
        return used
    return Workspace(name, api_key=used.settings.api_key.reveal(), api_url=used.settings.api_url)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """What ``%load_ext deepset_nb`` calls: registers ``%deepset``.

    Example:
        >>> %load_ext deepset_nb  # doctest: +SKIP
        >>> %deepset files --name report  # doctest: +SKIP

    Args:
        shell: The running IPython.
    """
    shell.register_magics(DeepsetMagics)
