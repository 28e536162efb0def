"""The bridge in interpreters of their own: what importing does, how scripts end, forks, uvloop, Ctrl-C."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRELUDE = """
import asyncio, os, signal, sys, threading, time
from deepset_nb.bridge import aiterate, arun, iterate, notify, run, submit

def say(*words): print(*words, flush=True)

async def work(seconds=0.3, cleaning=0.05):
    try:
        await asyncio.sleep(seconds)
        say("finished")
    finally:
        await asyncio.sleep(cleaning)
        say("cleaned up")
"""
ONE = "deepset_nb: waiting for 1 running job; Ctrl-C cancels\n"


@dataclass
class Ended:
    """What a script left."""

    code: int
    out: list[str]
    err: str


def python(script: str, *, prelude: str = PRELUDE, ctrl_c_at: str = "", options: tuple[str, ...] = ()) -> Ended:
    """Run a script to its end, its warnings as errors; ``ctrl_c_at`` is the line of output that gets a Ctrl-C."""
    command = [sys.executable, "-W", "error", *options, "-c", prelude + script]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            seen = ""
            if ctrl_c_at:
                assert process.stdout is not None
                while ctrl_c_at not in seen and (line := process.stdout.readline()):
                    seen += line
                process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    return Ended(process.returncode, (seen + out).splitlines(), err)


# -- importing and using it leaves the rest alone


def test_importing_the_bridge_leaves_asyncio_alone_and_loads_no_heavy_module() -> None:
    script = """
import asyncio, sys
def look(): return asyncio.run, asyncio.Task, asyncio.Future, asyncio.get_event_loop, asyncio.BaseEventLoop.run_forever
before = look()
import deepset_nb.bridge
print([name for name in ("nest_asyncio", "nest_asyncio2", "pandas", "anywidget", "IPython") if name in sys.modules])
assert look() == before
deepset_nb.bridge.run(asyncio.sleep, 0)
assert look() == before
assert not hasattr(asyncio.SelectorEventLoop, "_nest_patched")
assert type(asyncio.events._event_loop_policy).__name__ == "NoneType", "importing it has made a policy"
"""
    ended = python(script, prelude="")
    assert (ended.code, ended.out, ended.err) == (0, ["[]"], "")


# -- the end of a script


def test_a_script_that_only_waited_ends_without_a_word() -> None:
    ended = python("run(work)")
    assert (ended.code, ended.out, ended.err) == (0, ["finished", "cleaned up"], "")


def test_a_script_waits_for_work_that_asks_for_it_and_says_so_once() -> None:
    ended = python("submit(work, 0.5, on_exit='wait')")
    assert (ended.code, ended.out, ended.err) == (0, ["finished", "cleaned up"], ONE)


def test_a_script_counts_the_jobs_it_waits_for() -> None:
    ended = python("submit(work, on_exit='wait'); submit(work, on_exit='wait'); submit(asyncio.sleep, 60)")
    assert ended.err == "deepset_nb: waiting for 2 running jobs; Ctrl-C cancels\n"
    assert ended.out.count("finished") == 2


def test_work_that_a_script_waits_for_may_use_threads_and_look_up_hosts() -> None:
    script = """
async def threads():
    await asyncio.sleep(0.3)
    address = await asyncio.get_running_loop().getaddrinfo("localhost", 80)
    say(await asyncio.to_thread(lambda: "from a thread"), bool(address))
submit(threads, on_exit="wait")
"""
    ended = python(script)
    assert (ended.code, ended.out, ended.err) == (0, ["from a thread True"], ONE)


def test_other_work_is_cancelled_and_cleans_up() -> None:
    ended = python("submit(work, 60); time.sleep(0.2)")
    assert (ended.code, ended.out, ended.err) == (0, ["cleaned up"], "")


def test_work_that_refuses_to_end_holds_the_interpreter_for_a_bounded_time_only() -> None:
    script = """
from deepset_nb import _at_exit
_at_exit.DRAIN_S = 0.3
submit(work, 60, cleaning=60); time.sleep(0.2)
"""
    ended = python(script)
    assert (ended.code, ended.out, ended.err) == (0, [], "")


def test_ctrl_c_while_a_script_waits_at_its_end_cancels_and_cleans_up() -> None:
    # The line is printed when the main thread is in the wait.
    script = """
async def announced():
    await asyncio.sleep(0.5)
    say("at the end")
    await work(60)
submit(announced, on_exit="wait")
"""
    ended = python(script, ctrl_c_at="at the end")
    assert (ended.code, ended.out) == (0, ["at the end", "cleaned up"])
    assert ended.err == ONE + "deepset_nb: cancelling\n"


def test_a_script_waits_even_where_python_lacks_the_early_hook() -> None:
    without = "import concurrent.futures.thread, threading\ndel threading._register_atexit\n"
    ended = python("submit(work, on_exit='wait')", prelude=without + PRELUDE)
    assert (ended.code, ended.out, ended.err) == (0, ["finished", "cleaned up"], ONE)


def test_a_thread_that_waits_in_run_is_not_cut_short_by_the_end_of_the_script() -> None:
    ended = python("threading.Thread(target=run, args=(work,)).start(); time.sleep(0.1)")
    assert (ended.code, ended.out) == (0, ["finished", "cleaned up"])
    assert "Traceback" not in ended.err


def test_a_script_that_fails_still_waits() -> None:
    ended = python("submit(work, on_exit='wait'); raise SystemExit(4)")
    assert (ended.code, ended.out, ended.err) == (4, ["finished", "cleaned up"], ONE)


def test_an_error_nobody_asked_for_is_not_reported_by_the_garbage_collector() -> None:
    script = """
import gc
async def fail(): raise ValueError
submit(fail); time.sleep(0.2); gc.collect()
"""
    ended = python(script)
    assert (ended.code, ended.err) == (0, "")


def test_a_generator_left_open_at_the_end_is_closed_in_silence() -> None:
    script = """
async def pages():
    try:
        while True: yield 1
    finally:
        say("closed")
reading = iterate(pages); next(reading)
"""
    ended = python(script)
    assert (ended.code, ended.out, ended.err) == (0, ["closed"], "")


# -- Ctrl-C


@pytest.mark.parametrize(
    "call",
    [
        "run(announced)",
        "asyncio.run(main())",
        "import uvloop; uvloop.run(main())",
        "asyncio.run(arun(announced))",
        "for _ in iterate(pages): pass",
    ],
)
def test_ctrl_c_cancels_lets_the_work_clean_up_and_is_raised(call: str) -> None:
    script = f"""
async def announced():
    say("started")
    await work(60)
async def main(): run(announced)
async def pages():
    yield 1
    await announced()
try:
    {call}
except KeyboardInterrupt:
    say("interrupted")
run(asyncio.sleep, 0)
say("usable")
"""
    ended = python(script, ctrl_c_at="started")
    assert (ended.code, ended.out, ended.err) == (0, ["started", "cleaned up", "interrupted", "usable"], "")


def test_ctrl_c_waits_a_bounded_time_for_the_clean_up() -> None:
    script = """
from deepset_nb import _task
_task.DRAIN_S = 0.2
async def announced():
    say("started")
    await work(60, cleaning=2)
try:
    run(announced)
except KeyboardInterrupt:
    say("interrupted")
"""
    ended = python(script, ctrl_c_at="started")
    assert (ended.code, ended.out, ended.err) == (0, ["started", "interrupted", "cleaned up"], "")


# -- other loops, other processes


def test_everything_works_inside_uvloop() -> None:
    script = """
import uvloop
async def double(n): await asyncio.sleep(0.01); return 2 * n
async def numbers():
    for n in range(3): yield n
async def main():
    say(run(double, 1), await arun(double, 2), list(iterate(numbers)), [n async for n in aiterate(numbers)])
uvloop.run(main())
"""
    ended = python(script)
    assert (ended.code, ended.out, ended.err) == (0, ["2 4 [0, 1, 2] [0, 1, 2]"], "")


def test_a_forked_child_has_a_bridge_of_its_own_and_leaves_the_parents_alone() -> None:
    script = """
from deepset_nb.errors import LoopError

async def talk(turns, say_hello):
    async def echo(reader, writer):
        while line := await reader.readline(): writer.write(line)
        writer.close()
    server = await asyncio.start_server(echo, "127.0.0.1")
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    for turn in range(turns):
        if turn == 1: say_hello.set()
        writer.write(b"turn\\n")
        assert await reader.readline() == b"turn\\n"
        await asyncio.sleep(0.02)
    writer.close()
    server.close()
    return "the parent's connection works"

talking = threading.Event()
task = submit(talk, 30, talking)
talking.wait(10)
if os.fork() == 0:
    say(run(asyncio.sleep, 0, "in the child"))
    try: task.result()
    except LoopError as error: say(error)
    say(task.cancel())
    sys.exit()
say(os.wait()[1])
say(task.result())
"""
    ended = python(script, options=("-W", "ignore::DeprecationWarning"))  # 3.12 warns of forks of threaded processes
    assert ended.out == [
        "in the child",
        "This work belongs to the parent process. Start it again in this one.",
        "False",
        "0",
        "the parent's connection works",
    ]
    assert (ended.code, ended.err) == (0, "")


# -- without nest-asyncio, as on a Python it does not know

WITHOUT = "import sys; sys.modules['nest_asyncio'] = sys.modules['nest_asyncio2'] = None\n"


def test_without_nest_asyncio_a_call_that_would_dead_lock_says_so() -> None:
    script = """
from deepset_nb.errors import LoopError
async def inner(): return 1
async def outer(): return run(inner)
try: run(outer)
except LoopError as error: say(error)
say(run(inner))
"""
    ended = python(script, prelude=WITHOUT + PRELUDE)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == [
        "A synchronous call was made on the event loop that would have to answer it. Await the async function there; "
        "or install nest-asyncio2, which lets the loop run inside itself.",
        "1",
    ]


def test_without_nest_asyncio_everything_else_works() -> None:
    script = """
async def double(n): await asyncio.sleep(0.01); return 2 * n
async def numbers():
    for n in range(3): yield n
async def calls_back(): notify(lambda: say(run(double, 5)))
async def main(): return run(double, 1), await arun(double, 2), [n async for n in aiterate(numbers)]
run(calls_back)
say(asyncio.run(main()), list(iterate(numbers)))
submit(work, on_exit="wait")
"""
    ended = python(script, prelude=WITHOUT + PRELUDE)
    assert (ended.code, ended.err) == (0, ONE)
    assert ended.out == ["10", "(2, 4, [0, 1, 2]) [0, 1, 2]", "finished", "cleaned up"]


def test_nest_asyncio2_alone_is_enough() -> None:
    script = """
async def inner(): return 1
async def outer(): return run(inner)
say(run(outer))
"""
    ended = python(script, prelude="import sys; sys.modules['nest_asyncio'] = None\n" + PRELUDE)
    assert (ended.code, ended.out, ended.err) == (0, ["1"], "")


@pytest.mark.parametrize("module", ["nest_asyncio", "nest_asyncio2"])
def test_a_process_patched_by_its_user_works_too(module: str) -> None:
    script = f"""
import {module}
{module}.apply()
async def inner(): await asyncio.sleep(0.01); return 1
async def outer(): return run(inner) + await arun(inner)
async def main(): return run(outer), await arun(outer)
say(asyncio.run(main()), run(outer))
"""
    ended = python(script)
    assert (ended.code, ended.out, ended.err) == (0, ["(2, 2) 2"], "")
