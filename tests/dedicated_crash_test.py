#!/usr/bin/env python3
"""The providers of dedicated plans, which have servers of their own, killed at every step: see provider_crash.py."""

import pathlib
import shutil

from database_faults_test import ask as ask_postgresql
from harness import main, needs_network, needs_root
from provider_crash import OwnsTopic, ProviderCrash, by_name, few, first_difference


def of_servers(steps):
    """Without what databases are asked, and answers, which are as on shared plans: provider_crash_test.py."""
    return [step for step in steps if not step[0].startswith(("postgresql:", "kafka:", "say"))]


class Dedicated(ProviderCrash):
    """A provider whose tables are `resources` and `servers_of`."""

    resources = servers_of = None
    chosen = staticmethod(lambda steps: few(of_servers(steps)))
    chosen_again = staticmethod(lambda steps: by_name(of_servers(steps)))

    def differ(self, wanted):
        rows = self.rows(f"SELECT uuid, plan, state, server FROM {self.resources}")
        return first_difference(
            ("its store", {uuid: plan for uuid, plan, state, _ in rows if state != "quarantined"}, wanted),
            (self.servers_of, set(self.rows(f"SELECT server, plan FROM {self.servers_of}")), {(server, plan) for _, plan, _, server in rows}),
            *self.servers_differ({server for *_, state, server in rows if state == "available"},
                                 {server for *_, state, server in rows if state == "quarantined"}))

    def do(self, what, *dooms):
        done = super().do(what, *dooms)
        if what == "provision":
            # What was destroyed before is not asked for any more, and is much.
            for volume in (self.provider.data / "quarantine").iterdir():
                for part in volume.iterdir():
                    shutil.rmtree(part) if part.is_dir() else part.unlink()
        return done


@needs_root
class Postgresql(Dedicated):
    provider_name = "postgresql"
    plans = ("standard-0", "standard-2")
    resources, servers_of = "databases", "clusters"
    connections = {"standard-0": 125, "standard-2": 405}

    def write(self):
        ask_postgresql(self.url(), f"CREATE TABLE mine AS SELECT '{self.resource}' AS owner")

    def written(self):
        return ask_postgresql(self.url(), "SELECT owner FROM mine") == self.resource

    def runs_by(self, plan):
        return ask_postgresql(self.url(), "SHOW max_connections") == str(self.connections[plan])

    def test_postgresql(self):
        self.sweep({"provision": {"commit ", "mkdir ", "rename ", "spawner: start"},
                    "plan change": {"commit ", "spawner: start"},
                    "deprovision": {"commit ", "rename "},
                    "bringing back": {"commit ", "rename ", "spawner: start"}})


@needs_root
@needs_network
class Kafka(OwnsTopic, Dedicated):
    provider_name = "kafka"
    plans = ("standard-0", "standard-1")
    resources, servers_of = "clusters", "brokers"
    # A broker takes seconds to start. Who takes over does the same as PostgreSQL's.
    chosen = staticmethod(lambda steps: by_name(of_servers(steps)))
    chosen_again = staticmethod(lambda _: [])
    heap = {"standard-0": "-Xmx512m", "standard-1": "-Xmx1024m"}

    def runs_by(self, plan):
        [state] = (self.provider.data / "run/sandboxes").glob("*/state")
        pid = state.read_text().split()[1]
        [broker] = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return self.heap[plan] in pathlib.Path(f"/proc/{broker}/cmdline").read_text().split("\0")

    def test_kafka(self):
        self.sweep({"provision": {"commit ", "mkdir ", "rename ", "spawner: start"},
                    "plan change": {"commit ", "spawner: start"},
                    "deprovision": {"commit ", "rename "},
                    "bringing back": {"commit ", "rename ", "spawner: start"}})


if __name__ == "__main__":
    main()
