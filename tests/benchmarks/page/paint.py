"""When a cell's output is first painted, and how evenly it scrolls."""

from __future__ import annotations

import statistics
from typing import Any

from tests.benchmarks.page.lab import Lab
from tests.benchmarks.processes import Failed, Measured

LIMIT_MS = 60_000
SCROLL_S = 4
SCROLL_PX_PER_S = 3000
LEAST_MOVED_PX = 1000
SLOWED = 4  # times slower than this machine: an idle one draws anything in time
LOOK_EVERY = 15  # frames from one look for blank rows to the next; looking costs a layout

# An element of a cell's output, also one in the shadow of another. Every frame asks for it; what is there when a frame
# is about to be drawn is painted with it.
FIND = """(root, selector) => {
    const search = (part) => {
        for (const found of part.querySelectorAll(selector)) {
            const { width, height } = found.getBoundingClientRect();
            if (width && height && found.innerText?.trim()) return found;
        }
        for (const host of part.querySelectorAll("*")) {
            const found = host.shadowRoot && search(host.shadowRoot);
            if (found) return found;
        }
        return null;
    };
    return search(root);
}"""
PAINTED = f"""async (number, selector, limit) => {{
    const find = {FIND};
    const app = window.jupyterapp, notebook = app.shell.currentWidget.content;
    const cell = notebook.widgets[number];
    notebook.activeCellIndex = number;
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    const began = performance.now();
    const ran = app.commands.execute("notebook:run-cell");
    const painted = await new Promise((done) => {{
        const look = () => {{
            if (find(cell.outputArea.node, selector)) setTimeout(() => done(performance.now()));
            else if (performance.now() - began > limit) done(null);
            else requestAnimationFrame(look);
        }};
        requestAnimationFrame(look);
    }});
    await ran;
    const error = (cell.model.toJSON().outputs ?? []).find((output) => output.output_type === "error");
    if (error) throw new Error(`${{error.ename}}: ${{error.evalue}}`);
    return painted === null ? null : (painted - began) / 1000;
}}"""
BEGIN_SCROLL = f"""(number, selector) => {{
    const row = ({FIND})(window.jupyterapp.shell.currentWidget.content.widgets[number].outputArea.node, selector);
    row.scrollIntoView({{ block: "center" }});
    const {{ x, y, width, height }} = row.getBoundingClientRect();
    const at = {{ x: x + Math.min(width, 300) / 2, y: y + height / 2 }};
    const scrolls = (part) =>
        part.scrollHeight > part.clientHeight && /auto|scroll/.test(getComputedStyle(part).overflowY);
    let area = row;
    while (area && !scrolls(area)) area = area.parentElement ?? area.getRootNode().host;
    const below = (root) => {{
        const found = root.elementFromPoint(at.x, at.y);
        return found?.shadowRoot && found.shadowRoot !== root ? below(found.shadowRoot) : found;
    }};
    const seen = (window.benchScroll = {{ area, from: area?.scrollTop, frames: [], looks: 0, blank: 0, on: true }});
    let last = null;
    const step = (now) => {{
        if (last !== null) seen.frames.push(now - last);
        last = now;
        if (seen.frames.length % {LOOK_EVERY} === 0) {{
            seen.looks += 1;
            seen.blank += !below(document)?.closest("tr, [role=row]")?.innerText?.trim();
        }}
        if (seen.on) requestAnimationFrame(step);
    }};
    requestAnimationFrame(step);
    return at;
}}"""
END_SCROLL = """() => {
    const { area, from, frames, looks, blank } = window.benchScroll;
    window.benchScroll.on = false;
    return { frames, moved: (area?.scrollTop ?? 0) - from, blank: blank / looks };
}"""


def first_paint(lab: Lab, number: int, selector: str) -> float:
    """Seconds from running a cell to the frame in which an element with text is painted in its output."""
    seconds = lab.page.call(PAINTED, number, selector, LIMIT_MS, limit_s=LIMIT_MS / 1000 + 30)
    if seconds is None:
        raise Failed(f"nothing that matches {selector} was painted within {LIMIT_MS // 1000} s")
    return float(seconds)


def scroll(lab: Lab, number: int, selector: str, seconds: int = SCROLL_S) -> Measured:
    """Turn the wheel over a table, on a page that is slowed down as an old laptop would be.

    Returns:
        ``wall`` (the 95th percentile), ``p50`` and ``longest`` of the frames in seconds; ``blank``, in which share of
        looks there was no row below the pointer.
    """
    where: dict[str, Any] = lab.page.call(BEGIN_SCROLL, number, selector)
    lab.page.send("Emulation.setCPUThrottlingRate", rate=SLOWED)
    try:
        lab.page.send(
            "Input.synthesizeScrollGesture",
            x=where["x"],
            y=where["y"],
            yDistance=-SCROLL_PX_PER_S * seconds,
            speed=SCROLL_PX_PER_S,
            gestureSourceType="mouse",
            preventFling=True,
            limit_s=60 + seconds,
        )
    finally:
        lab.page.send("Emulation.setCPUThrottlingRate", rate=1)
        ended = lab.page.call(END_SCROLL)
    if ended["moved"] < LEAST_MOVED_PX:
        raise Failed(f"the wheel moved the table by {ended['moved']} px")
    frames = [frame / 1000 for frame in ended["frames"]]
    cuts = statistics.quantiles(frames, n=100, method="inclusive")
    seen = {"moved_px": ended["moved"], "blank": ended["blank"], "frames": len(frames)}
    return {"wall": cuts[94], "p50": cuts[49], "longest": max(frames), **seen}
