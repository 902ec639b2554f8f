"""Kills a built-in provider at every step of what it is asked for, each step by its name, and whoever takes over at every
step of that: the base of the stories that do it.

tests/steps/steps.c says what a step is. The same add-on is asked for again until there is an answer, as control does, and
then everything that a provider keeps has to agree: its store, its servers, its files, and what the databases know
themselves. What control does at each of its own steps is src/addons/addons_crash_test.cpp.
"""

import collections
import contextlib
import http.client
import mmap
import os
import pathlib
import re
import signal
import sqlite3
import struct
import subprocess
import tempfile
import uuid

from harness import ROOT, wait_until
from provider_harness import ProviderStory

HEAD = struct.Struct("III128s")  # as in steps.c
OPERATIONS = ("provision", "plan change", "deprovision", "bringing back")


class Board:
    """The page that is shared with the provider."""

    def __init__(self, path):
        size = HEAD.size + (1 << 16)
        path.write_bytes(bytes(size))
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), size)

    def arm(self, step=None):
        """From now on the steps are written down; `step`, a beginning and which of those, is not taken any more."""
        beginning, number = step or ("", 0)
        HEAD.pack_into(self.memory, 0, number, 0, 0, beginning.encode())

    def disarm(self):
        """Whether the step was come to before."""
        number = HEAD.unpack_from(self.memory, 0)[0]
        struct.pack_into("I", self.memory, 0, 0)
        return 0 < number <= HEAD.unpack_from(self.memory, 0)[1]

    def steps(self):
        """Each as what arm() takes: the beginning, up to what is another each time, and which one of those it is."""
        length = HEAD.unpack_from(self.memory, 0)[2]
        counted = collections.Counter()
        steps = []
        for line in self.memory[HEAD.size:HEAD.size + length].decode(errors="replace").splitlines():
            beginning = re.split(r"[ud]?[0-9a-f]{12,}|[0-9a-f]{8}-|(?<=^remove ).", line)[0]
            counted[beginning] += 1
            steps.append((beginning, counted[beginning]))
        return steps


def named(steps):
    """Without paths, and which of those it is."""
    return {step.split("/", 1)[0] if step.startswith(("mkdir", "rename")) else step for step, _ in steps}


def few(steps):
    """Of those that come many times the first, the second, the fourth, and so on."""
    return [(step, number) for step, number in steps if number & (number - 1) == 0]


def by_name(steps):
    return [(step, number) for step, number in steps if number == 1]


def first_difference(*pairs):
    """A sentence about the first of (what, one, other) that are not the same, or None."""
    return next((f"{what}: {one} and {other}" for what, one, other in pairs if one != other), None)


class ProviderCrash(ProviderStory):
    """One add-on of `plans`, which it is changed between. A class says what is to agree (differ), what is written to the
    add-on and found again (write, written), and whether what runs is what the plan says (runs_by)."""

    plans = None
    # Which of an operation's steps, and of a recovery's, are killed at.
    chosen, chosen_again = staticmethod(list), staticmethod(few)

    def setUp(self):
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", directory / "steps.so", ROOT / "tests/steps/steps.c"], check=True)
        self.board = Board(directory / "board")
        self.addCleanup(self.board.memory.close)
        self.provider_environment = {"LD_PRELOAD": str(directory / "steps.so"), "STEPS_BOARD": str(directory / "board")}
        super().setUp()
        self.resource, self.plan = None, None

    def rows(self, query):
        with contextlib.closing(sqlite3.connect(f"file:{self.provider.data / 'provider.db'}?mode=ro", uri=True, timeout=10)) as store:
            return store.execute(query).fetchall()

    def listed(self, directory):
        return set(os.listdir(self.provider.data / directory))

    def servers_differ(self, there, aside):
        """Pairs for first_difference: these servers run, and the data of those is in quarantine."""
        servers = self.rows("SELECT id, sandbox, wanted, outdated FROM servers")
        return (("servers", {server for server, *_ in servers}, there | aside),
                ("servers that run", {server for server, _, wanted, _ in servers if wanted}, there),
                ("servers to be started again", {server for server, *_, outdated in servers if outdated}, set()),
                ("volumes", self.listed("volumes"), there),
                ("quarantine", self.listed("quarantine"), aside),
                ("sandboxes", self.listed("run/sandboxes"), {sandbox for server, sandbox, *_ in servers if server in there}))

    def url(self):
        return self.made(self.plan, self.resource)[1]

    def runs_by(self, plan):
        return True

    def dead(self):
        return self.provider.process.poll() is not None

    def quiet(self):
        """The platform was told everything."""
        return self.rows("SELECT count(*) FROM grants WHERE code IS NOT NULL") == self.rows("SELECT count(*) FROM messages") == [(0,)]

    def wait_for_rest(self):
        """Until it does nothing by itself: it looks through everything when it is started."""
        self.board.arm()
        seen = []

        def unchanged():
            seen.append(self.board.steps())
            return len(seen) > 1 and seen[-1] == seen[-2]
        wait_until(unchanged, pause=1, what="the provider to be at rest")

    def answer(self, call):
        """Asks again where control does; None once the provider is dead."""
        def once():
            if self.dead():
                return "dead"
            try:
                status, answer = call()
            except (OSError, http.client.HTTPException):
                return None
            return None if status >= 500 else (status, answer)
        answer = wait_until(once, what="an answer")
        return None if answer == "dead" else answer

    def through(self, dooms, call, check):
        """Makes a call and kills the provider at these steps, each but the first of the one that took over. How many of
        them there were."""
        kills, answer = 0, None
        while True:
            self.board.arm(dooms[kills] if kills < len(dooms) else None)
            if kills:
                with contextlib.suppress(OSError, ValueError):  # killed before it served
                    self.provider.start()
            answer = answer or self.answer(call)
            with contextlib.suppress(AssertionError):  # said below
                wait_until(lambda: self.dead() or (check() is None and self.quiet()))
            # A thread of its own may come to the step only now.
            if self.board.disarm():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.provider.process.wait(20)
            if not self.dead():
                break
            self.assertEqual(self.provider.process.returncode, -signal.SIGKILL)
            self.provider.kill()
            kills += 1
        self.assertIn(answer[0], (200, 201, 202, 410), f"{answer} after kills at {dooms}")
        self.assertIsNone(check(), f"after kills at {dooms}")
        return kills

    def do(self, what, *dooms):
        """One operation. How many of the kills there were, and the steps of the last provider."""
        if what == "provision":
            self.resource, self.plan = str(uuid.uuid4()), self.plans[0]
        if what == "plan change":
            self.plan = next(plan for plan in self.plans if plan != self.plan)
        path = f"/heroku/resources/{self.resource}"
        call = {"plan change": lambda: self.provider.call("PUT", path, {"plan": self.plan}),
                "deprovision": lambda: self.provider.call("DELETE", path)}.get(
                    what, lambda: self.provider.provision(self.plan, self.resource)[1:])
        wanted = {} if what == "deprovision" else {self.resource: self.plan}
        kills = self.through(dooms, call, lambda: self.differ(wanted))
        steps = self.board.steps()
        self.board.arm()
        if what == "provision":
            self.write()
        elif what != "deprovision":
            wait_until(self.written, what=f"the data, after kills at {dooms}")
        if what != "deprovision":
            self.assertTrue(self.runs_by(self.plan), f"not as {self.plan} says, after kills at {dooms}")
        return kills, steps

    def once(self, what, *dooms):
        """The same, with what has to be before and after it, so that the next one finds what it needs."""
        if what == "bringing back":
            self.do("deprovision")
        done = self.do(what, *dooms)
        if what == "provision":
            self.do("deprovision")
        if what == "deprovision":
            self.do("bringing back")
        return done

    def sweep(self, expected):
        """`expected`: steps that there are at least, by operation."""
        self.once("provision")  # what is made once for all is made
        for what in OPERATIONS:
            if what == "plan change":
                self.do("provision")
            # Twice: a plan is changed there and back again, and what the provider does by itself meanwhile is no part of it.
            self.wait_for_rest()
            _, steps = self.once(what)
            _, again = self.once(what)
            steps = [step for step in steps if step in again]
            self.assertLessEqual(expected[what], named(steps), what)
            steps = self.chosen(steps)
            recoveries, struck = collections.defaultdict(list), set()
            for step in steps:
                kills, recovery = self.once(what, step)
                self.assertEqual(kills, 1, f"{what} never came to {step}")
                for later in self.chosen_again(recovery):
                    recoveries[later].append(step)
            # What a recovery does depends on how its threads take turns, so that it need not come to the same step again:
            # the expected ones are tried six times.
            wanted = {step for step in expected[what] if not step.startswith("say")} if recoveries else set()
            for number, (later, after) in enumerate(recoveries.items()):
                for again in range(6):
                    if self.once(what, after[(number + again) % len(after)], later)[0] == 2:
                        struck.add(later)
                    if not named([later]) & wanted - named(struck):
                        break
            self.assertLessEqual(wanted, named(struck), f"of the recoveries of {what}")
            print(f"{self.provider_name}, {what}: killed at {len(steps)} steps, and again at {len(struck)} of {len(recoveries)} "
                  "steps of those that took over", flush=True)


class OwnsTopic:
    """What is written to a Kafka add-on, and found again, is a topic."""

    def topics(self, method="GET", body=None):
        return self.provider.call(method, f"/data/kafka/v0/clusters/{self.resource}/topics", body, {"X-Renga-Addon": self.resource})

    def write(self):
        status, answer = self.topics("POST", {"topic": {"name": "owned", "partition_count": "1"}})
        self.assertEqual(status, 200, answer)

    def written(self):
        return "owned" in str(self.topics()[1])
