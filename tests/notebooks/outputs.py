"""What a notebook is saved with, and whether that is what it shows today.

Much of an output is different each time: ports, clock times, durations, speeds, some ids. `shown` looks past it. What is saved
keeps natural values, and keeps its old ones where nothing else has changed, so that a diff shows real changes only.
"""

from __future__ import annotations

import re
from typing import Any

from nbformat import NotebookNode

LIVE = "application/vnd.jupyter.widget-view+json"
FORMS = ("text/html", "text/plain")  # what readers without a kernel see
LIVE_TAG = "live"  # of a cell that shows a widget which goes on by itself: what it has drawn by then is a matter of luck
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}

_PORT = re.compile(r"127\.0\.0\.1:\d+")
_VARIES = (
    (re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?:[+-]\d\d:\d\d|Z)?"), "TIME"),
    (re.compile(r"\b\d{1,2}:\d\d(?::\d\d)?\b"), "TIME"),
    (re.compile(r"[\d.,]+\s?[kMGT]?B/s"), "SPEED"),
    (re.compile(r"\b\d[\d.,]*\s?(?:ms|s|seconds?|min|minutes?|h|hours?|days?)\b"), "DURATION"),
    (re.compile(r"\b[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\b"), "ID"),
    (re.compile(r"is not JSON: [^(]*"), "is not JSON: PYTHON'S WORDS "),  # other ones in Python 3.13
    (re.compile(r"\s+"), " "),
)
_STYLE = re.compile(r"<style.*?</style>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


def prepare(notebook: Any, before: Any) -> None:
    """Make an executed notebook what is saved: static forms only, and as little as possible that is new.

    Args:
        notebook: Just executed.
        before: The same notebook as it was saved.
    """
    notebook.metadata = METADATA
    saved = {cell.id: cell for cell in before.cells}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when it ran
        if cell.cell_type != "code":
            continue
        cell.outputs = [_static(output) for output in _joined(cell.outputs)]
        old = saved[cell.id]
        if shown(old) == shown(cell):
            cell.outputs = old.outputs


def differences(saved: Any, fresh: Any) -> list[str]:
    """Where a saved notebook shows something else than one that was run just now, in words."""
    found = []
    for old, new in zip(saved.cells, fresh.cells, strict=True):
        if old.cell_type != "code" or LIVE_TAG in old.metadata.get("tags", []):
            continue
        was, now = shown(old), shown(new)
        if was != now:
            place = next((n for n, (a, b) in enumerate(zip(was, now, strict=False)) if a != b), min(len(was), len(now)))
            found.append(f"cell {old.id!r} was saved with\n  {was[place:]}\nand shows now\n  {now[place:]}")
    return found


def shown(cell: Any) -> list[str]:
    """What a reader sees of a cell's outputs, without what is different each time."""
    found = []
    for output in _joined(cell.get("outputs", [])):
        if output.output_type == "stream":
            found.append(f"{output.name}: {_settled(output.text)}")
        elif output.output_type == "error":
            found.append(f"error: {output.ename}: {output.evalue}")
        else:
            found += [f"{form}: {_settled(output.data[form])}" for form in FORMS if form in output.data]
    return found


def _joined(outputs: list[Any]) -> list[Any]:
    """Prints in one piece: in how many they arrive is a matter of luck."""
    found: list[Any] = []
    for output in outputs:
        last = found[-1] if found else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            found[-1] = NotebookNode(last | {"text": last.text + output.text})
        else:
            found.append(output)
    return found


def _static(output: Any) -> Any:
    if output.output_type == "stream":
        output.text = _PORT.sub("127.0.0.1:8000", output.text)
    elif "data" in output:
        output.data = {form: _PORT.sub("127.0.0.1:8000", output.data[form]) for form in FORMS if form in output.data}
        output.metadata = {}
    return output


def _settled(text: str) -> str:
    if 'class="dataframe"' in text:  # how pandas writes its tables is its own business, what they say is ours
        text = _TAG.sub(" ", _STYLE.sub("", text))
    text = _PORT.sub("127.0.0.1:8000", text)
    for pattern, name in _VARIES:
        text = pattern.sub(name, text)
    return text.strip()
