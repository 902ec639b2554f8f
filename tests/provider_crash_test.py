#!/usr/bin/env python3
"""The built-in providers are killed at every step of provision, plan change and deprovision, each step by its name.

tests/steps/steps.c says what a step is. The same add-on is asked for again until there is an answer, as control does, and
then everything that a provider keeps has to agree: its store, its servers, its files, and what the databases know
themselves. What control does at each of its own steps is src/addons/addons_crash_test.cpp.
"""

import collections
import contextlib
import http.client
import json
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

from database_faults_test import ask as ask_postgresql
from harness import ROOT, main, needs_network, needs_root, wait_until
from provider_harness import ProviderStory
from redis_test import ask as ask_redis

HEAD = struct.Struct("III128s")  # as in steps.c


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

    def steps(self):
        """Each as what arm() takes: the beginning, up to what is another each time, and which one of those it is."""
        length = HEAD.unpack_from(self.memory, 0)[2]
        counted = collections.Counter()
        steps = []
        for line in self.memory[HEAD.size:HEAD.size + length].decode(errors="replace").splitlines():
            beginning = re.split(r"[ud]?[0-9a-f]{12,}|[0-9a-f]{8}-", line)[0]
            counted[beginning] += 1
            steps.append((beginning, counted[beginning]))
        return steps


def named(steps):
    """Without paths."""
    return {step.split("/", 1)[0] if step.startswith(("mkdir", "rename")) else step for step in steps}


class ProviderCrash(ProviderStory):
    def setUp(self):
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", directory / "steps.so", ROOT / "tests/steps/steps.c"], check=True)
        self.board = Board(directory / "board")
        self.addCleanup(self.board.memory.close)
        self.provider_environment = {"LD_PRELOAD": str(directory / "steps.so"), "STEPS_BOARD": str(directory / "board")}
        super().setUp()

    def rows(self, query):
        with contextlib.closing(sqlite3.connect(f"file:{self.provider.data / 'provider.db'}?mode=ro", uri=True, timeout=10)) as store:
            return store.execute(query).fetchall()

    def attempt(self, call):
        """The answer to keep; None where control asks again."""
        try:
            status, answer = call()
        except (OSError, http.client.HTTPException):
            return None
        return None if status >= 500 else (status, answer)

    def quiet(self):
        """The platform was told everything."""
        return self.rows("SELECT count(*) FROM grants WHERE code IS NOT NULL") == self.rows("SELECT count(*) FROM messages") == [(0,)]

    def through(self, step, call, check):
        """Makes a call, and kills the provider at this step of it. Whether it got there."""
        self.board.arm(step)
        answer = self.attempt(call)
        if answer is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.provider.process.wait(1)
        else:
            with contextlib.suppress(AssertionError):  # said below
                wait_until(lambda: self.provider.process.poll() is not None or (check() is None and self.quiet()), 20)
        killed = self.provider.process.poll() is not None
        if killed:
            self.assertEqual(self.provider.process.returncode, -signal.SIGKILL)
            self.board.arm()
            self.provider.kill()
            self.provider.start()
        answer = answer or wait_until(lambda: self.attempt(call), 60, what=f"an answer after a kill at {step}")
        self.assertIn(answer[0], (200, 201, 202, 410), f"{answer} after a kill at {step}")
        with contextlib.suppress(AssertionError):
            wait_until(lambda: check() is None and self.quiet(), 20)
        self.assertIsNone(check(), f"after a kill at {step}")
        return killed

    def life(self, first, second, doomed=None):
        """An add-on from its beginning to its end, killed at (operation, step); each operation's steps otherwise."""
        resource = str(uuid.uuid4())
        steps = {}
        for what, call, wanted in (
                ("provision", lambda: self.provider.provision(first, resource)[1:], {resource: first}),
                ("plan change", lambda: self.provider.call("PUT", f"/heroku/resources/{resource}", {"plan": second}), {resource: second}),
                ("deprovision", lambda: self.provider.call("DELETE", f"/heroku/resources/{resource}"), {})):
            here = doomed[1] if doomed and doomed[0] == what else None
            killed = self.through(here, call, lambda wanted=wanted: self.differ(wanted))
            if here:
                self.assertTrue(killed, f"{what} never came to {here}")
            else:
                steps[what] = self.board.steps()
            self.board.arm()
            if what == "provision":
                self.write(resource)
            if what == "plan change":
                wait_until(lambda: self.written(resource), 20, what=f"the data, after a kill at {doomed}")
        return resource, steps

    def sweep(self, first, second):
        self.life(first, second)  # what is made once for all was made
        _, steps = self.life(first, second)
        for what in steps:
            for step in steps[what]:
                resource, _ = self.life(first, second, (what, step))
            print(f"{self.provider_name}, {what}: killed at each of {len(steps[what])} steps")
        # What was destroyed last was not lost either.
        self.provider.provision(second, resource)
        wait_until(lambda: self.written(resource), 20, what="the data of what was destroyed")
        return {what: {beginning for beginning, _ in steps[what]} for what in steps}


@needs_root
class Redis(ProviderCrash):
    provider_name = "redis"

    def differ(self, wanted):
        """What does not agree, or None."""
        stores = self.rows("SELECT uuid, plan, state, server FROM stores")
        servers = self.rows("SELECT id, sandbox, wanted FROM servers")
        there = {server for _, _, state, server in stores if state == "available"}
        volumes, aside, sandboxes = (set(os.listdir(self.provider.data / where)) for where in ("volumes", "quarantine", "run/sandboxes"))
        for what, one, other in (
                ("its store", {uuid: plan for uuid, plan, state, _ in stores if state != "quarantined"}, wanted),
                ("servers", {server for server, _, _ in servers}, {server for *_, server in stores}),
                ("servers that run", {server for server, _, runs in servers if runs}, there),
                ("volumes", volumes, there),
                ("quarantine", aside, {server for *_, state, server in stores if state == "quarantined"}),
                ("sandboxes", sandboxes, {sandbox for server, sandbox, _ in servers if server in there})):
            if one != other:
                return f"{what}: {one} and {other}"
        return None

    def write(self, resource):
        self.assertEqual(ask_redis(self.made("premium-0", resource)[1], "SET", "owner", resource), "OK")

    def written(self, resource):
        return ask_redis(self.made("premium-0", resource)[1], "GET", "owner") == resource

    def test_redis(self):
        steps = self.sweep("premium-0", "premium-1")
        self.assertLessEqual({"commit ", "mkdir ", "spawner: start", "say HTTP/1.1 201 Created"}, named(steps["provision"]))
        self.assertLessEqual({"commit ", "spawner: start", "say HTTP/1.1 200 OK"}, named(steps["plan change"]))
        self.assertLessEqual({"commit ", "rename ", "say HTTP/1.1 200 OK"}, named(steps["deprovision"]))


@needs_root
class Postgresql(ProviderCrash):
    provider_name = "postgresql"
    connections = {"essential-0": "20", "essential-2": "40"}

    def differ(self, wanted):
        databases = [row for row in self.rows("SELECT uuid, plan, state, dbname FROM databases") if row[0] != self.keeper]
        users = dict(self.rows("SELECT uuid, user FROM credentials"))
        known = self.listed("SELECT datname, datallowconn FROM pg_database WHERE NOT datistemplate")
        roles = self.listed("SELECT rolname, rolcanlogin, rolconnlimit FROM pg_roles WHERE rolname !~ '^pg_'")
        for what, one, other in (
                ("its store", {uuid: plan for uuid, plan, state, _ in databases if state != "quarantined"}, wanted),
                ("databases", known, {(name, "t" if state == "available" else "f") for _, _, state, name in databases}),
                ("roles", roles, {(users[uuid], "t" if state == "available" else "f", self.connections[plan])
                                  for uuid, plan, state, _ in databases}),
                ("credentials", set(users), {uuid for uuid, *_ in databases} | {self.keeper})):
            if one != other:
                return f"{what}: {one} and {other}"
        return None

    def listed(self, query):
        """Rows of the server's catalog, without those that are there anyway."""
        rows = {tuple(line.split("|")) for line in ask_postgresql(self.catalog, query).splitlines()}
        return {row for row in rows if row[0] != "postgres" and row[0] not in self.catalog}

    def write(self, resource):
        ask_postgresql(self.made("essential-0", resource)[1], f"CREATE TABLE mine AS SELECT '{resource}' AS owner")

    def written(self, resource):
        return ask_postgresql(self.made("essential-0", resource)[1], "SELECT owner FROM mine") == resource

    def test_postgresql(self):
        self.keeper, self.catalog = self.made("essential-0")
        steps = self.sweep("essential-0", "essential-2")
        self.assertLessEqual({"commit ", "postgresql: CREATE ROLE ", "postgresql: CREATE DATABASE ", "say HTTP/1.1 201 Created"},
                             steps["provision"])
        self.assertLessEqual({"commit ", "postgresql: ALTER ROLE ", "say HTTP/1.1 200 OK"}, steps["plan change"])
        self.assertLessEqual({"commit ", "postgresql: ALTER ROLE ", "postgresql: ALTER DATABASE ", "say HTTP/1.1 200 OK"},
                             steps["deprovision"])


@needs_root
@needs_network
class Kafka(ProviderCrash):
    provider_name = "kafka"

    def differ(self, wanted):
        clusters = [row for row in self.rows("SELECT uuid, plan, state FROM clusters") if row[0] != self.keeper]
        brokers = {server for server, in self.rows("SELECT server FROM brokers")}
        for what, one, other in (
                ("its store", {uuid: plan for uuid, plan, state in clusters if state != "quarantined"}, wanted),
                ("brokers", brokers, self.brokers),
                ("servers", {server for server, in self.rows("SELECT id FROM servers WHERE wanted = 1")}, self.brokers),
                ("volumes", set(os.listdir(self.provider.data / "volumes")), self.brokers),
                ("sandboxes", len(os.listdir(self.provider.data / "run/sandboxes")), len(self.brokers))):
            if one != other:
                return f"{what}: {one} and {other}"
        return None

    def topics(self, resource, method="GET", body=None):
        status, answer = self.provider.call(method, f"/data/kafka/v0/clusters/{resource}/topics", body, {"X-Renga-Addon": resource})
        return json.dumps(answer) if status == 200 else None

    def write(self, resource):
        self.assertIsNotNone(self.topics(resource, "POST", {"topic": {"name": "owned", "partition_count": "1"}}))

    def written(self, resource):
        return "owned" in (self.topics(resource) or "")

    def test_kafka(self):
        # A broker takes seconds to start; this one is there for all of them.
        self.keeper, _, answer = self.provider.provision("basic-0")
        self.assertTrue(answer.get("config") or self.config(self.keeper))
        self.brokers = {server for server, in self.rows("SELECT server FROM brokers")}
        steps = self.sweep("basic-0", "basic-1")
        self.assertLessEqual({"commit ", "kafka: operation "}, {re.sub("[0-9]+$", "", step) for step in steps["provision"]})
        self.assertLessEqual({"commit ", "say HTTP/1.1 200 OK"}, steps["plan change"])
        self.assertLessEqual({"commit ", "say HTTP/1.1 200 OK"}, steps["deprovision"])


if __name__ == "__main__":
    main()
