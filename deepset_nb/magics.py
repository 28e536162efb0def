"""``%load_ext deepset_nb``: uploads and listings in one short line.

    %deepset upload reports/ --recursive --meta year=2024
    found = %deepset files --name report --meta topic=news
    %deepset sessions

    %%deepset_text note.md --meta '{"topic": "news"}'
    The cell's text becomes a document.

They use the workspace made last in this kernel, or the one named by the settings, and return the same DataFrames and
jobs as the methods do.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand

from .magic_words import completions, described, merged, parse
from .models import DeepsetCloudFile
from .workspace import Workspace, latest

if TYPE_CHECKING:
    from argparse import Namespace

    import pandas as pd
    from IPython.core.interactiveshell import InteractiveShell

    from .job import UploadJob


_VARIABLE = re.compile(r"\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)")


@magics_class
class DeepsetMagics(Magics):  # type: ignore[misc]
    """The magics ``%deepset`` and ``%%deepset_text``."""

    # IPython's own expansion takes '{"n":5}' for a variable.
    @no_var_expand  # type: ignore[untyped-decorator]
    @line_magic  # type: ignore[untyped-decorator]
    @described("deepset")
    def deepset(self, line: str) -> Any:
        """Upload, download, and list files, upload sessions and jobs of a deepset workspace.

        found = %deepset files --meta topic=news
        job = %deepset upload reports/ --recursive
        """
        arguments = parse("deepset", self._words(line))
        return VERBS[arguments.verb](_workspace(arguments.workspace), arguments)

    @no_var_expand  # type: ignore[untyped-decorator]
    @cell_magic  # type: ignore[untyped-decorator]
    @described("deepset_text")
    def deepset_text(self, line: str, cell: str) -> UploadJob:
        """Upload the text of this cell as a document."""
        arguments = parse("deepset_text", self._words(line))
        document = DeepsetCloudFile(cell, arguments.name, merged(arguments.meta))
        workspace = _workspace(arguments.workspace)
        return workspace.upload_texts([document], write_mode=arguments.write_mode, resume=arguments.resume)

    def _words(self, line: str) -> list[str]:
        """The line's words, with ``{name}`` and ``$name`` of the notebook's variables in their places."""
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise UsageError(f"%deepset: {error}; put values with a quote in them between quotes.") from None
        variables = self.shell.user_ns
        return [_VARIABLE.sub(lambda found: str(variables.get(found[1] or found[2], found[0])), word) for word in words]


def _files(workspace: Workspace, given: Namespace) -> Any:
    return _told(
        workspace.list_files(
            given.name,
            meta=merged(given.meta),
            created_after=given.after,
            created_before=given.before,
            odata_filter=given.filter,
            limit=given.limit,
            expand_meta=given.expand_meta,
        )
    )


def _sessions(workspace: Workspace, given: Namespace) -> Any:
    return _told(workspace.list_upload_sessions(status=given.status, diagnose=given.diagnose))


def _told(listed: pd.DataFrame) -> pd.DataFrame:
    for note in listed.attrs.get("notes", ()):
        print(note)  # noqa: T201
    return listed


def _upload(workspace: Workspace, given: Namespace) -> Any:
    return workspace.upload(
        given.paths,
        recursive=given.recursive,
        include=given.include or None,
        exclude=given.exclude or None,
        hidden=given.hidden,
        meta=merged(given.meta),
        write_mode=given.write_mode,
        resume=given.resume,
        safe_mode=given.safe_mode,
    )


def _download(workspace: Workspace, given: Namespace) -> Any:
    return workspace.download(
        given.folder,
        name=given.name,
        odata_filter=given.filter,
        include_meta=given.include_meta,
        safe_mode=given.safe_mode,
    )


def _jobs(_: Workspace, __: Namespace) -> Any:
    from .history import jobs

    return jobs()


VERBS: dict[str, Callable[[Workspace, Namespace], Any]] = {
    "files": _files,
    "sessions": _sessions,
    "upload": _upload,
    "download": _download,
    "jobs": _jobs,
}


def _workspace(name: str | None) -> Workspace:
    """The named workspace on the platform used last, or the one used last itself."""
    used = latest()
    if used is None:
        return Workspace(name)
    if name is None or name == used.name:
        return used
    return Workspace(name, api_key=used.settings.api_key.reveal(), api_url=used.settings.api_url)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """What ``%load_ext deepset_nb`` calls: registers ``%deepset`` and ``%%deepset_text``, and completes their words.

    Example:
        >>> %load_ext deepset_nb  # doctest: +SKIP
        >>> %deepset files --name report  # doctest: +SKIP

    Args:
        shell: The running IPython.
    """
    shell.register_magics(DeepsetMagics)
    shell.set_hook("complete_command", completions, re_key=r".*%deepset")
