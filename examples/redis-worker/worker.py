"""Takes jobs off the queue, one at a time. A job that is being done when the worker dies is done again."""

import signal
import sys

from store import connect

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
store = connect()

# What an earlier worker had taken and not finished.
while store.lmove("doing", "jobs", "LEFT", "RIGHT"):
    pass
while True:
    job = store.blmove("jobs", "doing", 5, "RIGHT", "LEFT")
    if job is None:
        continue
    if job.strip().lstrip("-").isdigit():
        store.incrby("sum", int(job))
    store.pipeline().incr("done").lrem("doing", 1, job).execute()
    print(f"did {job!r}", flush=True)
