"""What the browsers of files and sessions share: a query, rows by their position, a selection, and the way to Python.

A query takes effect only when its first rows are there: one that the platform refuses changes nothing, and its reason
is the answer. The state holds the first rows alone; the others are answers to requests, fetched when they come into
sight.
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import traitlets

from .. import bridge
from ..client.kept import KeptClient
from ..errors import DeepsetError, InputError
from ..transfer.progress import JobState, Target
from ._base import Handler, parse, unexpected
from .job_panel import JobWidget
from .listing import Listing
from .messages import Problem
from .messages_browsers import CHUNK, RangePayload, RowsPayload, Selected, Selection, SelectPayload
from .throttle import Throttle

if TYPE_CHECKING:
    import pandas as pd

R = TypeVar("R")

_log = logging.getLogger("deepset_nb")

MOST_SELECTED = 1_000  # rows
MOST_KEYS = 20  # metadata columns
MOST_TOLD = 5_000  # rows
FIRST_WITHIN_S = 0.5  # what is shown waits so long for the first rows, for readers without a kernel
# The page gets what opens a widget, its rows and its output at once if they leave at once. What leaves a moment later
# waits for TCP's acknowledgement, which browsers hold back for 40 ms.
OPEN_WITHIN_S = 0.05
LOADING_S = 0.1  # a refresh is over by then, mostly: the page that asked for it says so itself


class Browser(JobWidget, Generic[R]):
    """A table of things on the platform.

    Args:
        connection: To the workspace's platform; others may use it, too.
        target: Whose things these are.
        view: Fetches all that a query finds as a DataFrame; called with keyword arguments.
        **kwargs: ``layout``, ``tabbable``, ``tooltip`` of ipywidgets.
    """

    state = traitlets.Dict().tag(sync=True)

    _query_type: ClassVar[type[Any]]
    _everything: ClassVar[dict[str, Any]]  # the query that leaves nothing out
    _function: ClassVar[str]  # of a workspace, which finds the same

    def __init__(
        self, connection: KeptClient, *, target: Target, view: Callable[..., pd.DataFrame], **kwargs: Any
    ) -> None:
        """Show an empty table and begin to fill it."""
        self._connection = connection
        self._workspace = connection.settings.workspace_name
        self._view = view
        self._query: dict[str, Any] = dict(self._everything)
        self._listing: Listing[R] | None = None
        self._revision = self._version = self._asked = self._again = 0
        self._chosen: dict[str, R] = {}
        self._told: dict[str, R] = {}  # what pages may ask about, also while a refreshed listing does not have it yet
        self._publishing = Throttle(self._publish)
        self._content: dict[str, Any] = {
            "target": target,
            "query": self._query,
            "revision": 0,
            "version": 0,
            "rows": [],
            "total": None,
            "extent": 0,
            "loading": True,
            "updated_at": None,
            "error": None,
            "code": self.code,
            "selected": 0,
            **self._more_content(),
        }
        super().__init__(**kwargs)
        self._publishing.soon()  # what came between its opening and here

    def begin(self) -> None:
        """Ask the platform, which answers meanwhile."""
        self._first = bridge.submit(self._begin)

    def open(self) -> None:
        """Show the widget to the page, with its first rows if the platform is quick."""
        self._first.wait_for_end(OPEN_WITHIN_S)
        self.state = dict(self._content)
        super().open()

    # --- what a browser is of -------------------------------------------------------------------------------------

    def _more_content(self) -> dict[str, Any]:
        return {}

    @abstractmethod
    def _list(self, query: dict[str, Any]) -> Listing[R]:
        """A listing of what the query finds."""

    @abstractmethod
    def _shown(self, row: R, keys: list[str]) -> Any:
        """A row as the browser gets it."""

    @abstractmethod
    def _key(self, row: R) -> str:
        """Its id."""

    @abstractmethod
    def _frame(self, rows: Iterable[R]) -> pd.DataFrame:
        """Rows as a DataFrame."""

    @abstractmethod
    def _arguments(self, query: dict[str, Any]) -> dict[str, Any]:
        """The query as arguments of the workspace's function."""

    # --- back to Python -------------------------------------------------------------------------------------------

    @property
    def selection(self) -> pd.DataFrame:
        """The selected rows."""
        return self._frame(list(self._chosen.values()))

    @property
    def view(self) -> pd.DataFrame:
        """All that the present query finds, fetched now."""
        return self._view(**self._arguments(self._query))

    @property
    def code(self) -> str:
        """The line of Python that gives the same frame as ``view``, with ``ws`` for the workspace."""
        arguments = ", ".join(f"{name}={value!r}" for name, value in self._arguments(self._query).items())
        return f"ws.{self._function}({arguments})"

    # --- requests -------------------------------------------------------------------------------------------------

    def actions(self) -> dict[str, Handler]:
        """What every browser may be asked for."""
        return {
            **super().actions(),
            "refresh": self._refresh,
            "query": self._ask_for,
            "rows": self._rows,
            "selection": self._selected,
            "select": self._select,
            "select_range": self._select_range,
        }

    async def _begin(self) -> None:
        await self._refresh({})

    async def _refresh(self, _: dict[str, Any]) -> None:
        """Fetch again; what went wrong is shown in the table, beside what was known before."""
        self._content |= {"loading": True, "error": None}
        self._publishing.soon(LOADING_S)
        try:
            await self._look(self._query, again=True)
        except DeepsetError as error:
            await self._show(loading=False, error=self.problem(error))
        except Exception as error:
            _log.exception("%s could not refresh.", type(self).__name__)
            await self._show(loading=False, error=self.problem(unexpected(error)))
        except BaseException:
            self._content["loading"] = False
            self._publishing.soon()
            raise

    async def _ask_for(self, payload: dict[str, Any]) -> None:
        await self._look(parse(payload, self._query_type))

    async def _look(self, query: dict[str, Any], *, again: bool = False) -> None:
        """Fetch the first rows of a query, and then make it the present one.

        ``again``: only what is shown is looked at anew, which overtakes no question that somebody has just asked.
        """
        self._asked += not again
        self._again += again
        mine, now, listing = self._asked, self._again, self._list(query)
        rows = await listing.rows(0, CHUNK)
        await self._publishing.turn()  # no answer speaks of rows that no page has heard of
        # Another question has come meanwhile, or has been answered; or somebody looked again after this.
        if mine != self._asked or (again and (query is not self._query or now != self._again)):
            await self._show(loading=False, error=self._content["error"])
            return
        self._listing = listing
        self._version += 1
        if query != self._query or not self._revision:
            self._query = query
            self._revision += 1
            if self._chosen:
                self._choose({})
        await self._show(
            loading=False,
            query=query,
            rows=self._rows_shown(rows, []),
            updated_at=datetime.now(UTC).isoformat(timespec="seconds"),
            code=self.code,
        )

    async def _rows(self, payload: dict[str, Any]) -> dict[str, Any]:
        asked = parse(payload, RowsPayload)
        if asked["chunk"] < 0:
            raise InputError("There is no row before the first one.", "Reload the page.")
        listing, revision = await self._ready(), self._revision
        before = listing.version
        rows = await listing.rows(asked["chunk"] * CHUNK, CHUNK)
        if listing is self._listing:
            if moved := listing.version - before:
                first = await listing.rows(0, CHUNK)
                self._version += moved
                self._content["rows"] = self._rows_shown(first, [])
            if (listing.total, listing.extent) != (self._content["total"], self._content["extent"]):
                self._publishing.soon()
        return {
            "revision": revision,
            "version": self._version,
            "rows": self._rows_shown(rows, asked["keys"][:MOST_KEYS]),
            "total": listing.total,
            "extent": listing.extent,
        }

    def _rows_shown(self, rows: Iterable[R], keys: list[str]) -> list[Any]:
        """Rows for a page; the latest of them are remembered."""
        shown = []
        for row in rows:
            key = self._key(row)
            self._told.pop(key, None)
            self._told[key] = row
            shown.append(self._shown(row, keys))
        while len(self._told) > MOST_TOLD:
            del self._told[next(iter(self._told))]
        return shown

    async def _ready(self) -> Listing[R]:
        if self._listing is None:
            await self._look(self._query, again=True)
        if self._listing is None:
            raise InputError("The table has no rows yet.", "Refresh it.")
        return self._listing

    # --- selection ------------------------------------------------------------------------------------------------

    async def _selected(self, _: dict[str, Any]) -> Selection:
        return {"ids": list(self._chosen)}

    async def _select(self, payload: dict[str, Any]) -> Selection:
        asked = parse(payload, SelectPayload)
        chosen = {} if asked["only"] else dict(self._chosen)
        wanted = set(asked["ids"])
        if asked["on"]:
            known = {key: self._told[key] for key in asked["ids"] if key in self._told}
            if missing := wanted - known.keys() - chosen.keys():
                raise InputError(
                    f"{len(missing)} of these rows are not in the table any more.", "Refresh, then select again."
                )
            chosen |= known
        else:
            chosen = {key: row for key, row in chosen.items() if key not in wanted}
        return self._choose(chosen)

    async def _select_range(self, payload: dict[str, Any]) -> Selection:
        asked = parse(payload, RangePayload)
        first, last = sorted((max(0, asked["first"]), max(0, asked["last"])))
        listing = await self._ready()
        if last - first >= MOST_SELECTED:
            raise _too_many()
        rows = await listing.rows(first, last - first + 1)
        return self._choose(self._chosen | {self._key(row): row for row in rows})

    def _choose(self, chosen: dict[str, R]) -> Selection:
        if len(chosen) > MOST_SELECTED:
            raise _too_many()
        self._chosen = chosen
        event: Selected = {"kind": "selected", "ids": list(chosen)}
        if self.comm is not None:
            self.send(event)
        self._publishing.soon()
        return {"ids": event["ids"]}

    # --- state ----------------------------------------------------------------------------------------------------

    def show_state(self, state: JobState) -> None:
        """Show a job that the browser has started."""
        self._content["job"] = state
        self._publishing.soon()

    async def _show(self, *, loading: bool, error: Problem | None = None, **content: Any) -> None:
        """Publish a state before its request is answered: whoever asks as fast as that is held to its pace."""
        await self._publishing.turn()
        self._content |= {"loading": loading, "error": error, **content}
        self._publishing.now()

    def _publish(self) -> bool:
        self._content |= self._known()
        if self.comm is None or self.state == self._content:
            return False
        self.state = dict(self._content)
        return True

    def _known(self) -> dict[str, Any]:
        rows = {"total": self._listing.total, "extent": self._listing.extent} if self._listing else {}
        return {**rows, "revision": self._revision, "version": self._version, "selected": len(self._chosen)}

    def close(self) -> None:
        """Close the widget; what it still asks for is cancelled."""
        if first := getattr(self, "_first", None):
            first.cancel()
        super().close()

    def _bundle_and_metadata(self) -> tuple[dict[str, Any], dict[str, Any]]:
        # The static forms are written now or never.
        self._first.wait_for_end(FIRST_WITHIN_S)
        return super()._bundle_and_metadata()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._content['target']['workspace']}>"


def _too_many() -> InputError:
    return InputError(
        f"At most {MOST_SELECTED:,} rows can be selected.",
        "Narrow the table by a filter; browser.view has everything it finds as a DataFrame.",
    )
