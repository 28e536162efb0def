"""What all widgets share: bundles, answered requests, owned tasks, and a static form for the saved notebook."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeVar

import anywidget
import msgspec

from .. import bridge
from .._places import static_folder
from ..errors import Cancelled, DeepsetError, InputError
from ..i18n import ENGLISH, Translator, translator
from .messages import Catalogue, Hello, PartResult, Problem

T = TypeVar("T")
Handler = Callable[[dict[str, Any]], Awaitable[Any]]

# Layout and the like come from ipywidgets; the rest of its traits are its own business.
COMMON_KEYWORDS = ("layout", "tabbable", "tooltip")

_log = logging.getLogger("deepset_nb")


class Widget(anywidget.AnyWidget):  # type: ignore[misc]
    """Base of the widgets.

    Attributes:
        hello: What the browser said of itself; None until a live view exists.
        tr: Says things in the language of the browser; before it has said hello, in that of the last one that has.
        language_readers: Called after ``tr`` has changed.
    """

    _heard: ClassVar[Translator] = ENGLISH  # the language that a page of this kernel spoke last
    _bundle: ClassVar[str]
    _parts: ClassVar[tuple[str, ...]] = ()
    _esm: ClassVar[str]
    _css: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Take script and stylesheet from the built bundle, or a notice if this installation has none."""
        if "_bundle" in cls.__dict__:
            script, styles = (static_folder() / f"{cls._bundle}.{kind}" for kind in ("js", "css"))
            built = script.is_file() and styles.is_file()
            # As texts: of a path anywidget would have every widget listen for changes, and so live for ever.
            cls._esm = script.read_text(encoding="utf-8") if built else _notice_script(cls._bundle)
            cls._css = styles.read_text(encoding="utf-8") if built else ""
        super().__init_subclass__(**kwargs)

    def __init__(self, **kwargs: Any) -> None:
        """Open the widget; ``kwargs`` are ipywidgets' layout, tabbable and tooltip."""
        for name in kwargs:
            if name not in COMMON_KEYWORDS:  # ipywidgets would swallow it with a warning
                raise TypeError(
                    f"{type(self).__name__}() got an unexpected keyword {name!r}; besides its own arguments it takes "
                    f"{', '.join(COMMON_KEYWORDS)}."
                )
        self._tasks: dict[str, bridge.BridgeTask[None]] = {}
        self._hello: Hello | None = None
        self.tr: Translator = Widget._heard
        self.language_readers: list[Callable[[], None]] = []
        self.greeted = threading.Event()
        self.begin()
        super().__init__(**kwargs)
        self.on_msg(self._receive)
        bridge.unpin(self)

    @property
    def hello(self) -> Hello | None:
        """What the browser said of itself; None until a live view exists."""
        return self._hello

    # --- messages -------------------------------------------------------------------------------------------------

    def actions(self) -> dict[str, Handler]:
        """What a request from the browser may ask for."""
        return {}

    def on_message(self, message: dict[str, Any], buffers: list[memoryview]) -> None:
        """Take a message that is no request; subclasses with bytes to receive override this."""

    def _receive(self, _: object, message: object, buffers: list[memoryview]) -> None:
        if not isinstance(message, dict):
            return
        kind, key = message.get("kind"), message.get("id")
        if kind == "hello":
            self._greet(message)
        elif kind == "request" and isinstance(key, str):
            # On the bridge, whatever the kernel is doing: a handler must never block the thread that brings clicks.
            task = bridge.submit(self._answer, key, message)
            self._tasks[key] = task
            task.add_done_callback(lambda _: self._tasks.pop(key, None))
        elif kind == "abort" and isinstance(key, str):
            if task_or_none := self._tasks.get(key):
                task_or_none.cancel()
        else:
            self.on_message(message, buffers)

    def _greet(self, message: dict[str, Any]) -> None:
        self._hello = message  # type: ignore[assignment]
        # Pages of one kernel may differ in language: sentences in the state follow the last that said hello, all others
        # are each page's own. Only a hello changes anything, so that two pages never take turns.
        locale = message.get("locale")
        before, self.tr = self.tr, translator(locale if isinstance(locale, str) else "en")
        Widget._heard = self.tr  # the static forms of the next widget are written before its own hello
        if self.tr is not ENGLISH:
            # Each page asks: another one may show the same widget. One that has not asked leaves it alone.
            catalogue: Catalogue = {
                "kind": "catalogue",
                "language": self.tr.language,
                "messages": self.tr.for_browser,
            }
            self.send(catalogue)
        if self.tr is not before:
            self.on_language()
            for reader in self.language_readers:
                reader()
        self.greeted.set()

    def begin(self) -> None:
        """Begin with what goes on while the widget is being made; subclasses override this."""

    def on_language(self) -> None:
        """Say again, in ``tr``'s language, what the state holds; subclasses with sentences in it override this."""

    async def _part(self, payload: dict[str, Any]) -> PartResult:
        name = payload.get("name")
        if not any(name in vars(kind).get("_parts", ()) for kind in type(self).__mro__):
            raise InputError(f"{type(self).__name__} has no part {name!r}.", "Reload the page.")
        return {"code": (static_folder() / "parts" / f"{name}.js").read_text(encoding="utf-8")}

    async def _answer(self, key: str, message: dict[str, Any]) -> None:
        action, payload = message.get("action"), message.get("payload")
        answer: dict[str, Any] = {"kind": "response", "id": key}
        try:
            handlers: dict[str, Handler] = {"part": self._part, **self.actions()}
            handler = handlers.get(action) if isinstance(action, str) else None
            if handler is None or not isinstance(payload, dict):
                raise InputError(f"{type(self).__name__} does not know the request {action!r}.", "Reload the page.")
            answer |= {"ok": True, "result": await handler(payload) or {}}
        except DeepsetError as error:
            answer |= {"ok": False, "error": self.problem(error)}
        except Exception as error:
            _log.exception("%s could not answer %r.", type(self).__name__, action)
            answer |= {"ok": False, "error": self.problem(unexpected(error))}
        except BaseException:  # cancelled: say so before going
            self._reply(answer | {"ok": False, "error": self.problem(Cancelled("Cancelled."))})
            raise
        self._reply(answer)

    def problem(self, error: DeepsetError | Problem) -> Problem:
        """What to show of an error, in the reader's language."""
        known = error if isinstance(error, dict) else {"message": error.message, "remedy": error.remedy}
        return {"message": self.tr.said(known["message"]), "remedy": self.tr.said(known["remedy"])}

    def _reply(self, answer: dict[str, Any]) -> None:
        if self.comm is not None:
            self.send(answer)

    # --- end ------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the widget in every view, and cancel what its requests started."""
        for task in list(getattr(self, "_tasks", {}).values()):
            task.cancel()
        super().close()

    # --- static forms ---------------------------------------------------------------------------------------------

    def static_html(self) -> str:
        """The widget's present content for readers without a kernel: HTML without scripts."""
        raise NotImplementedError

    def static_text(self) -> str:
        """The same as plain text."""
        raise NotImplementedError

    def mimebundle(self) -> dict[str, Any]:
        """All forms of one output; a front end picks the richest it can show."""
        return self._bundle_and_metadata()[0]

    def _bundle_and_metadata(self) -> tuple[dict[str, Any], dict[str, Any]]:
        live = super()._repr_mimebundle_()
        data, metadata = live if isinstance(live, tuple) else (live or {}, {})
        return {**data, "text/html": self.static_html(), "text/plain": self.static_text()}, metadata

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return self._bundle_and_metadata()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


def parse(value: object, shape: type[T]) -> T:
    """Check what came from the browser against a message's type."""
    try:
        return msgspec.convert(value, type=shape)
    except msgspec.ValidationError as error:
        raise InputError(f"The browser sent something unexpected: {error}.", "Reload the page.") from None


def unexpected(error: Exception) -> Problem:
    """What to tell the browser of an error that nobody foresaw: its kind, never its text, which may hold anything."""
    return {
        "message": f"Something unexpected went wrong ({type(error).__name__}).",
        "remedy": "The log of the kernel's logger `deepset_nb` has the details.",
    }


def _notice_script(bundle: str) -> str:
    text = (
        f"The user interface ({bundle}) is missing from this installation of deepset_nb. "
        "Install it again, in a checkout with `pip install .`, then restart the kernel."
    )
    return (
        "export default { render({ el }) { const note = document.createElement('p'); "
        f"note.textContent = {json.dumps(text)}; el.append(note); }} }};"
    )
