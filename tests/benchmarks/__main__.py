"""The table of how fast it is: uploads beside the platform's own SDK and plain sockets, widgets beside others.

    python -m tests.benchmarks                      everything: tens of minutes, 2 GB of temporary files
    python -m tests.benchmarks --only a,b --runs 5  these rows
    python -m tests.benchmarks --only k,l,m,n       what people look at, in a browser: pip install -e '.[test,bench]'
    python -m tests.benchmarks --quick              small stand-ins: that it works, not how fast it is

Sides alternate (SDK, ours, raw, SDK, ...), each with a fresh server and a fresh process; what is shown are medians and
their ratios. Ours runs in a kernel with the panel shown. CPU is user and system time of the client's process. Memory is
the peak of its resident size minus what it holds idle with everything imported. ``wall`` is SDK / ours, or for rows
that are compared with something else ours / other; ``limit`` is raw sockets / ours with as many connections as ours
had. In rows about pages nothing is pinned, memory is that of kernel + server in MiB, and ``limit`` is how fast ours is
beside the other; ``--only o`` has FileUpload take 1 GiB, too, for which it needs 7 GB. All numbers of all runs go to
.tests/benchmarks.json (--quick: benchmarks-quick.json). The exit code is 1 where a must is not met.
"""

from __future__ import annotations

import argparse
import json
import os
import pstats
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from tests.benchmarks.measure import Result, measure, profile
from tests.benchmarks.page import rows as page
from tests.benchmarks.page.measure import measure_pages
from tests.benchmarks.processes import Cores
from tests.benchmarks.table import failed, rendered, verdict
from tests.benchmarks.workloads import WORKLOADS, Workload, quick
from tests.process import SCRATCH


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", metavar="a,b", help="rows by their letters")
    parser.add_argument("--runs", type=int, help="how often each side runs: 3, with --quick 1")
    parser.add_argument("--quick", action="store_true", help="small stand-ins; nothing is judged")
    parser.add_argument("--profile", action="store_true", help="instead, where our own time goes in these rows")
    options = parser.parse_args()
    known = {work.key for work in (*WORKLOADS, *page.PAGE_ROWS)}
    keys = set(options.only.split(",")) if options.only else known - page.ON_REQUEST
    if unknown := keys - known:
        parser.error(f"no row {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers and folders go with us
    for name in [name for name in os.environ if name.startswith("DEEPSET_") or name in ("API_KEY", "API_URL")]:
        del os.environ[name]  # the developer's own account

    everywhere = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    cores, runs = Cores.found(), options.runs or (1 if options.quick else 3)
    if cores.drain is not None:
        os.sched_setaffinity(0, {cores.drain})  # never on the core of the client that is measured
    print(f"{runs} run{'s' if runs > 1 else ''} a side; {cores}", flush=True)
    works = [quick(work) if options.quick else work for work in WORKLOADS if work.key in keys]
    if options.profile:
        return _profile([work for work in works if work.kind in ("sdk", "kernel", "memory")], cores)
    results: list[Result] = []
    measurements: list[Callable[[], list[Result]]] = [
        *(partial(lambda work: [measure(work, runs, cores, _note)], work) for work in works),
        *(partial(measure_pages, rows, runs, everywhere, _note) for rows in page.chosen(keys, quick=options.quick)),
    ]
    for measurement in measurements:
        results += measurement()
        _keep(results, str(cores), quick=options.quick)  # after each: a run takes long, and may be stopped
    print(rendered(results, judged=not options.quick))
    for footnote in _footnotes(results):
        print(footnote)
    wrong = [bool(result.trouble) if options.quick else failed(result) for result in results]
    return 1 if any(wrong) else 0


def _note(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)


def _profile(works: list[Workload], cores: Cores) -> int:
    for work in works:
        print(f"== {work.key} {work.title}", flush=True)
        pstats.Stats(str(profile(work, cores))).sort_stats("tottime").print_stats(25)
    return 0


def _keep(results: list[Result], cores: str, *, quick: bool) -> None:
    SCRATCH.mkdir(exist_ok=True)
    rows: list[dict[str, Any]] = [
        {
            "workload": f"{result.workload.key} {result.workload.title}",
            "verdict": verdict(result),
            "figures": result.figures,
            "runs": result.runs,
        }
        for result in results
    ]
    (SCRATCH / f"benchmarks{'-quick' if quick else ''}.json").write_text(
        json.dumps({"cores": cores, "rows": rows}, indent=1)
    )


def _footnotes(results: list[Result]) -> Iterator[str]:
    """What the sandbox takes for the same, which SDK it was, and how near the drain came to being the bottleneck."""
    for result in results:
        if (seconds := result.median("sandbox", "wall")) is not None:
            key, files = result.workload.key, result.workload.files
            yield f"{key} for comparison: the sandbox, asked as users ask it, lists {files:,} in {seconds:.2f} s."
    runs = [run for result in results for side in ("ours", "sdk") for run in result.runs.get(side, ())]
    if versions := {run["version"] for run in runs if "version" in run}:
        yield f"SDK: deepset-cloud-sdk {', '.join(sorted(versions))}."
    if busy := [run["drain_busy"] for run in runs if "drain_busy" in run]:
        yield f"The drain's core was busy for at most {max(busy):.0%} of an upload."


if __name__ == "__main__":
    raise SystemExit(main())
