"""Edits of metadata: what differs from what the platform has, whether it may be sent, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ..client import AsyncClient
from ..client.metadata import change_each, metas_of
from ..errors import DeepsetError
from .meta_values import Unusable, kind_of, limits, plain, two_types


@dataclass
class Wish:
    """One file as its metadata shall be.

    Attributes:
        file_id: Id of the file.
        name: Its name, for people.
        meta: Key -> value.
        keys: Only these keys are meant; None for all, so that a key that is not in ``meta`` goes.
    """

    file_id: UUID
    name: str
    meta: Mapping[str, Any]
    keys: frozenset[str] | None = None


@dataclass
class Edit:
    """One key of one file.

    Attributes:
        file_id: Id of the file.
        name: Its name.
        key: The key.
        before: What the platform has; None for nothing.
        after: What it shall have; None takes the key away.
        status: ``pending``, ``ok`` or ``failed``.
        reason: What happened, where it is not ok.
        remedy: What to do.
    """

    file_id: UUID
    name: str
    key: str
    before: Any
    after: Any
    status: str = "pending"
    reason: str | None = None
    remedy: str | None = None

    def fail(self, reason: str, remedy: str) -> None:
        """It did not happen."""
        self.status, self.reason, self.remedy = "failed", reason, remedy


@dataclass
class MetaEdits:
    """Edits of many files; made by `find`, carried out by `apply`.

    Attributes:
        edits: One for each key that differs, file by file.
    """

    edits: list[Edit] = field(default_factory=list)

    async def find(self, client: AsyncClient, workspace: str, wishes: list[Wish]) -> None:
        """Compare with what the platform has now; nothing is sent."""
        current = await metas_of(client, workspace, [wish.file_id for wish in wishes])
        for wish in wishes:
            self.edits += _differences(wish, current[wish.file_id])
        types = _Types(edit.key for edit in self.edits if edit.after is not None)
        if types.keys:
            # No endpoint tells which types a workspace has: the newest files stand for those that are not edited.
            for file in (await client.files.page(workspace)).data:
                types.add(file.file_id, file.name, file.meta or {})
        for wish in wishes:
            if isinstance(meta := current[wish.file_id], dict):
                types.add(wish.file_id, wish.name, meta)
        for edit in self.edits:
            if edit.status == "pending":
                types.check(edit)

    async def apply(self, client: AsyncClient, workspace: str) -> None:
        """Send what is pending, then look whether it is there: each edit ends as ok or failed."""
        changes = self._pending()
        async for file_id, error in change_each(client, workspace, changes):
            for edit in self._of(file_id) if error else ():
                edit.fail(error.message if error else "", error.remedy if error else "")
        pending = self._pending()
        seen = await metas_of(client, workspace, list(pending))
        for edit in self.edits:
            if edit.status == "pending":
                _judge(edit, seen[edit.file_id])

    def _pending(self) -> dict[UUID, dict[str, Any]]:
        changes: dict[UUID, dict[str, Any]] = {}
        for edit in self.edits:
            if edit.status == "pending":
                changes.setdefault(edit.file_id, {})[edit.key] = edit.after
        return changes

    def _of(self, file_id: UUID) -> list[Edit]:
        return [edit for edit in self.edits if edit.file_id == file_id and edit.status == "pending"]


class _Types:
    """Which files have a key as which type, as far as they were looked at, and as edits change it one by one."""

    def __init__(self, keys: Iterable[str]) -> None:
        self.keys: dict[str, dict[str, dict[UUID, str]]] = {key: {} for key in keys}  # key -> type -> id -> name

    def add(self, file_id: UUID, name: str, meta: Mapping[str, Any]) -> None:
        for key in self.keys.keys() & meta.keys():
            if kind := kind_of(meta[key]):
                self.keys[key].setdefault(kind, {})[file_id] = name

    def check(self, edit: Edit) -> None:
        """Say so where another file has the key as another type; it is sent: to refuse it is the platform's."""
        types, kind = self.keys.get(edit.key, {}), kind_of(edit.after)
        for known, files in types.items() if kind else ():
            if known != kind and (where := next((name for id_, name in files.items() if id_ != edit.file_id), None)):
                edit.reason = two_types(edit.key, str(kind), known, where)
                edit.remedy = "Use the same type, or another key."
                return
        for files in types.values():
            files.pop(edit.file_id, None)
        self.add(edit.file_id, edit.name, {edit.key: edit.after})


def _differences(wish: Wish, current: dict[str, Any] | DeepsetError) -> list[Edit]:
    if isinstance(current, DeepsetError):
        lost = Edit(wish.file_id, wish.name, "", None, None)
        lost.fail(current.message, current.remedy)
        return [lost]
    try:
        meta = {key: value for key, value in plain(wish.meta).items() if value is not None}
        limits(meta, len(json.dumps(meta)))
    except Unusable as error:
        refused = Edit(wish.file_id, wish.name, "", None, None)
        refused.fail(error.reason, error.remedy)
        return [refused]
    keys = dict.fromkeys([*current, *meta]) if wish.keys is None else dict.fromkeys(sorted(wish.keys))
    return [
        Edit(wish.file_id, wish.name, key, current.get(key), meta.get(key))
        for key in keys
        if not same(current.get(key), meta.get(key))
    ]


def _judge(edit: Edit, seen: dict[str, Any] | DeepsetError) -> None:
    if isinstance(seen, DeepsetError):
        edit.fail(f"It was sent, but could not be looked at: {seen.message}", seen.remedy)
    elif same(seen.get(edit.key), edit.after):
        edit.status, edit.reason, edit.remedy = "ok", None, None
    else:
        kept = json.dumps(seen.get(edit.key))[:200]
        edit.fail(f"The platform took the change and still has {kept}.", "Try again, or change it on the platform.")


def same(one: object, other: object) -> bool:
    """Whether JSON has one value for both."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True) or (
        type(one) in (int, float) and type(other) in (int, float) and one == other
    )
