"""What a measured process says of itself; also loaded by the SDK's interpreter, so it needs nothing but Python."""

import gc
import json
import os
import resource
import sys
import time


def pin(core):
    """Keep all threads of this process, and those to come, on one core."""
    if core is not None:
        for thread in os.listdir("/proc/self/task"):
            os.sched_setaffinity(int(thread), {core})


def memory():
    """Resident bytes now and at most since the process began."""
    gc.collect()
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[1]) * resource.getpagesize()
    return {"rss": now, "max_rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


class Clock:
    """Wall and CPU seconds (user and system, all threads) since it was made."""

    def __init__(self):
        self.began = time.perf_counter(), time.process_time()

    def stop(self, **more):
        wall, cpu = time.perf_counter() - self.began[0], time.process_time() - self.began[1]
        return {"wall": wall, "cpu": cpu, "max_rss": memory_peak(), **more}


def memory_peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Conversation:
    """Standard output for the two lines of JSON only; whatever libraries print goes to standard error."""

    def __init__(self):
        self.order = json.loads(sys.argv[-1])
        self._out = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        pin(self.order.get("core"))

    def say(self, measured):
        self._out.write(json.dumps(measured) + "\n")
        self._out.flush()

    def ready(self):
        """Say so, and wait until it begins."""
        self.say(memory())
        sys.stdin.readline()
        return Clock()
