"""The table, and the verdict of each row."""

from __future__ import annotations

from collections.abc import Sequence

from tests.benchmarks.measure import Result
from tests.benchmarks.workloads import Bound

HEAD = ("workload", "ours s", "against s", "wall", "CPU", "memory MB ours / other", "limit", "must", "aim", "verdict")


def verdict(result: Result) -> str:
    """Whether every must is met, and the aims; what is missed in words."""
    if result.trouble:
        return result.trouble
    if not result.workload.musts:
        return "for comparison"
    if missed := _missed(result, result.workload.musts):
        return f"MISSED: {'; '.join(missed)}"
    aims = result.workload.aims
    return "met, and the aim" if aims and not _missed(result, aims) else "met"


def failed(result: Result) -> bool:
    """Whether the row says that something is not as it must be."""
    return bool(result.trouble) or verdict(result).startswith("MISSED")


def _missed(result: Result, bounds: Sequence[Bound]) -> list[str]:
    return [words for bound in bounds if (words := bound.missed(result.figures))]


def row(result: Result, *, judged: bool) -> tuple[str, ...]:
    """The cells of one line."""
    work, figures, median = result.workload, result.figures, result.median
    other = "other" if "other" in result.runs else "sdk"
    against = _seconds(median(other, "wall")) + (f" {result.against}" if result.against not in ("", "SDK") else "")
    growth = " / ".join(filter(None, (_memory(result, side) for side in ("ours", "sdk", "other")))) or "-"
    said = verdict(result)
    return (
        f"{work.key} {work.title}",
        _seconds(median("ours", "wall")),
        against,
        _number(figures.get("wall_ratio", figures.get("cost")), ".2f", "x"),
        _number(figures.get("cpu_ratio"), ".2f", "x"),
        growth,
        _number(figures.get("share", figures.get("speed") if work.kind == "page" else None), ".0%"),
        ", ".join(map(str, work.musts)) or "-",
        ", ".join(map(str, work.aims)) or "-",
        said if judged or result.trouble or not work.musts else f"not judged: a stand-in ({said.partition(':')[0]})",
    )


def _memory(result: Result, side: str) -> str:
    """Growth over idle: of the process, or of kernel + server + page, in MiB then."""
    if result.median(side, "kernel_mib") is not None:
        return " + ".join(_number(result.median(side, f"{name}_mib"), ".0f") for name in ("kernel", "server", "page"))
    return "" if side == "other" else _number(result.median(side, "growth_mb"), ".0f").strip("-")


def _seconds(value: float | None) -> str:
    return _number(value, ".2f" if value is None or value >= 1 else ".3f")


def _number(value: float | None, form: str, unit: str = "") -> str:
    return "-" if value is None else f"{value:{form}}{unit}"


def rendered(results: Sequence[Result], *, judged: bool = True) -> str:
    """All lines, columns aligned."""
    lines = [HEAD, *(row(result, judged=judged) for result in results)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
