#!/usr/bin/env python3
"""The providers of shared plans and of Redis, killed at every step: see provider_crash.py."""

from database_faults_test import ask as ask_postgresql
from harness import main, needs_network, needs_root
from provider_crash import OwnsTopic, ProviderCrash, by_name, first_difference
from redis_test import ask as ask_redis


@needs_root
class Redis(ProviderCrash):
    provider_name = "redis"
    plans = ("premium-0", "premium-1")
    megabytes = {"premium-0": 50, "premium-1": 100}

    def differ(self, wanted):
        stores = self.rows("SELECT uuid, plan, state, server FROM stores")
        return first_difference(
            ("its store", {uuid: plan for uuid, plan, state, _ in stores if state != "quarantined"}, wanted),
            *self.servers_differ({server for *_, state, server in stores if state == "available"},
                                 {server for *_, state, server in stores if state == "quarantined"}))

    def write(self):
        self.assertEqual(ask_redis(self.url(), "SET", "owner", self.resource), "OK")

    def written(self):
        return ask_redis(self.url(), "GET", "owner") == self.resource

    def runs_by(self, plan):
        return f"maxmemory:{self.megabytes[plan] << 20}\n" in ask_redis(self.url(), "INFO", "memory").replace("\r", "")

    def test_redis(self):
        self.sweep({"provision": {"commit ", "mkdir ", "spawner: start", "say HTTP/1.1 201 Created"},
                    "plan change": {"commit ", "spawner: start", "say HTTP/1.1 200 OK"},
                    "deprovision": {"commit ", "rename ", "say HTTP/1.1 200 OK"},
                    "bringing back": {"commit ", "rename ", "spawner: start", "say HTTP/1.1 201 Created"}})


@needs_root
class Postgresql(ProviderCrash):
    provider_name = "postgresql"
    plans = ("essential-0", "essential-2")
    chosen_again = staticmethod(by_name)  # what is destroyed is kept, and a server is full with 40
    connections = {"essential-0": "20", "essential-2": "40"}

    def differ(self, wanted):
        rows = self.rows("SELECT uuid, plan, state, dbname, server FROM databases")
        server = next(server for uuid, *_, server in rows if uuid == self.keeper)
        databases = [row for row in rows if row[0] != self.keeper]
        users = dict(self.rows("SELECT uuid, user FROM credentials"))
        known = self.known("SELECT datname, datallowconn FROM pg_database WHERE NOT datistemplate")
        roles = self.known("SELECT rolname, rolcanlogin, rolconnlimit FROM pg_roles WHERE rolname !~ '^pg_'")
        return first_difference(
            ("its store", {uuid: plan for uuid, plan, state, *_ in databases if state != "quarantined"}, wanted),
            ("databases", known, {(name, "t" if state == "available" else "f") for *_, state, name, at in databases if at == server}),
            ("roles", roles, {(users[uuid], "t" if state == "available" else "f", self.connections[plan])
                              for uuid, plan, state, _, at in databases if at == server}),
            ("credentials", set(users), {uuid for uuid, *_ in databases} | {self.keeper}),
            *self.servers_differ({server for server, in self.rows("SELECT server FROM clusters")}, set()))

    def known(self, query):
        """Rows of the server's catalog, without those that are there anyway."""
        rows = {tuple(line.split("|")) for line in ask_postgresql(self.catalog, query).splitlines()}
        return {row for row in rows if row[0] != "postgres" and row[0] not in self.catalog}

    def write(self):
        ask_postgresql(self.url(), f"CREATE TABLE mine AS SELECT '{self.resource}' AS owner")

    def written(self):
        return ask_postgresql(self.url(), "SELECT owner FROM mine") == self.resource

    def test_postgresql(self):
        self.keeper, self.catalog = self.made("essential-0")
        self.sweep({"provision": {"commit ", "postgresql: CREATE ROLE ", "postgresql: CREATE DATABASE ", "say HTTP/1.1 201 Created"},
                    "plan change": {"commit ", "postgresql: ALTER ROLE ", "say HTTP/1.1 200 OK"},
                    "deprovision": {"commit ", "postgresql: ALTER ROLE ", "postgresql: ALTER DATABASE ", "say HTTP/1.1 200 OK"},
                    "bringing back": {"commit ", "postgresql: ALTER DATABASE ", "say HTTP/1.1 201 Created"}})


@needs_root
@needs_network
class Kafka(OwnsTopic, ProviderCrash):
    provider_name = "kafka"
    plans = ("basic-0", "basic-1")

    def differ(self, wanted):
        clusters = [row for row in self.rows("SELECT uuid, plan, state, server FROM clusters") if row[0] != self.keeper[0]]
        brokers = {server for server, in self.rows("SELECT server FROM brokers")}
        return first_difference(
            ("its store", {uuid: plan for uuid, plan, state, _ in clusters if state != "quarantined"}, wanted),
            ("what is not there yet", {uuid for uuid, _, state, _ in clusters if state == "provisioning"}, set()),
            ("brokers", brokers, {self.keeper[1], *(server for *_, server in clusters)}),
            *self.servers_differ(brokers, set()))

    def test_kafka(self):
        # A broker takes seconds to start; this one is there from the beginning. Another comes when it is full.
        self.made("basic-0")
        [self.keeper] = self.rows("SELECT uuid, server FROM clusters")
        self.sweep({"provision": {"commit ", "kafka: operation 9"}, "plan change": {"commit ", "say HTTP/1.1 200 OK"},
                    "deprovision": {"commit ", "say HTTP/1.1 200 OK"}, "bringing back": {"commit ", "say HTTP/1.1 201 Created"}})


if __name__ == "__main__":
    main()
