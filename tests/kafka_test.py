#!/usr/bin/env python3
"""Kafka: a real broker, produced to and consumed from by a real client in dynos, its CLI, and what it refuses."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile

from harness import PATIENCE, RENGA, ROOT, StoryTest, exits, git, main, needs_network, needs_root, wait_until
from provider_harness import ProviderStory

ADDON = "heroku-kafka:basic-0"


@needs_root
@needs_network
class Kafka(StoryTest):
    """As people use it: addons:create, topics by the CLI, the example app pushed."""

    def renga(self, *words, status=0):
        done = subprocess.run([RENGA, *words, "-a", "visits"], capture_output=True, text=True, timeout=PATIENCE,
                              cwd=self.server.base, stdin=subprocess.DEVNULL,
                              env=dict(os.environ, RENGA_DATA=str(self.server.data)))
        self.assertIn(done.returncode, exits(status), f"{words}: {done.stdout}{done.stderr}\n{self.server.log()[-3000:]}")
        return done.stdout + done.stderr

    def vars(self):
        return self.server.api("GET", "/apps/visits/config-vars")

    def post(self, path):
        return subprocess.run(["curl", "-sf", "-o", "/dev/null", "-X", "POST", "-H", "Host: visits.localhost",
                               f"http://{self.server.http}{path}"], timeout=PATIENCE).returncode

    def test_visits(self):
        self.create("visits")
        self.renga("addons:create", ADDON, "--name", "river", "--wait")
        config = self.vars()
        self.assertRegex(config["KAFKA_URL"], r"^kafka\+ssl://100\.\d+\.\d+\.\d+:9096$")
        self.assertRegex(config["KAFKA_PREFIX"], r"^[a-z]+-\d{5}\.$")
        for name in ("KAFKA_TRUSTED_CERT", "KAFKA_CLIENT_CERT"):
            self.assertTrue(config[name].startswith("-----BEGIN CERTIFICATE-----"), name)
        self.assertTrue(config["KAFKA_CLIENT_CERT_KEY"].startswith("-----BEGIN PRIVATE KEY-----"))

        # Topics, and what is refused.
        self.renga("kafka:topics:create", "visits", "--partitions", "4")
        self.renga("kafka:topics:create", "counts", "--partitions", "1", "--compaction", "--retention-time", "7d")
        for words, why in ((["visits"], "already"), (["a b"], "letters"), (["x", "--partitions", "500"], "1 to 120"),
                           (["x", "--partitions", "118"], "room for 120"), (["x", "--retention-time", "60d"], "kept for"),
                           (["x", "--replication-factor", "3"], "one replica"), (["x", "--partitions", "many"], "number")):
            self.assertIn(why, self.renga("kafka:topics:create", *words, status=1))
        self.assertRegex(self.renga("kafka:topics"), r"counts +1 .*7 days, compacted\nvisits +4 .*24 hours\n")
        self.assertIn("36 hours", self.renga("kafka:topics:retention-time", "visits", "36h"))
        self.assertIn("needs a retention time", self.renga("kafka:topics:retention-time", "visits", "disable", status=1))

        # Messages by the CLI.
        self.assertIn("offset 0", self.renga("kafka:topics:write", "visits", "hello", "--key", "/by-hand"))
        self.renga("kafka:topics:write", "nowhere", "hello", status=1)
        self.assertRegex(self.renga("kafka:topics:tail", "visits", "--from-beginning", "--max", "1"), r" 0 /by-hand hello\n")

        # The example: a producer and a consumer with a real client, in dynos.
        directory = self.server.base / "visits"
        shutil.copytree(ROOT / "examples/kafka-visits", directory, ignore=shutil.ignore_patterns("__pycache__"))
        git(directory, "init", "-q", "-b", "main")
        git(directory, "add", "-A")
        git(directory, "commit", "-q", "-m", "example")
        self.server.push(directory, "visits")
        self.server.api("PATCH", "/apps/visits/formation/worker", {"quantity": 1})
        self.server.wait_for_page("visits", "/by-hand: 1")
        for _ in range(2):
            self.assertEqual(self.post("/welcome"), 0)
        self.server.wait_for_page("visits", "/welcome: 2")
        self.assertRegex(self.renga("kafka:consumer-groups"), r"counters +Stable +1 +0\n")
        self.assertIn("members", self.renga("kafka:consumer-groups:destroy", "counters", "--confirm", "visits", status=1))
        self.assertRegex(self.renga("kafka:info"), r"Topics: +2 / 40\nPartitions: +5 / 120\n")

        # The broker dies; its messages do not.
        for state in (self.server.data / "providers/kafka/run/sandboxes").glob("*/state"):
            os.kill(int(state.read_text().split()[1]), signal.SIGKILL)
        wait_until(lambda: self.post("/again") == 0, pause=1, what="the broker to be back")
        # Once at least: what the producer had given up on, it may have sent all the same.
        self.server.wait_for_page("visits", "/again: ")
        self.assertIn("/welcome: 2", self.server.page("visits"))

        # A new certificate; destroying asks for the right word.
        before = self.vars()["KAFKA_CLIENT_CERT"]
        self.renga("kafka:credentials", "--reset")
        wait_until(lambda: self.vars()["KAFKA_CLIENT_CERT"] != before, what="the new certificate")
        wait_until(lambda: self.post("/rotated") == 0, pause=1, what="dynos with the new certificate")
        self.server.wait_for_page("visits", "/rotated: ")
        self.assertIn("Nothing was done", self.renga("kafka:topics:destroy", "visits", "--confirm", "other", status=1))
        self.renga("kafka:topics:destroy", "visits", "--confirm", "visits")
        self.renga("addons:destroy", "river", "--confirm", "visits")


@needs_root
@needs_network
class KafkaProvider(ProviderStory):
    """What apps may and may not do, by librdkafka's own program, and what becomes of data."""

    provider_name = "kafka"

    def cluster(self, plan, resource=None):
        resource, status, answer = self.provider.provision(plan, resource)
        self.assertIn(status, (201, 202), answer)
        config = answer.get("config") or self.config(resource)
        return resource, {name.removeprefix("HEROKU_KAFKA_"): value for name, value in config.items()}

    def data(self, method, resource, below, body=None, status=200):
        got, answer = self.provider.call(method, f"/data/kafka/v0/clusters/{resource}{below}", body,
                                         {"X-Renga-Addon": resource})
        self.assertEqual(got, status, answer)
        return answer

    def client(self, config, script):
        """kafka-python in a process of its own, in the host's network."""
        directory = self.server.base / "client"
        if not directory.exists():
            subprocess.run(["python3", "-m", "venv", directory], check=True, capture_output=True, timeout=PATIENCE)
            subprocess.run([directory / "bin/pip", "install", "-q", "kafka-python==3.0.12"], check=True,
                           capture_output=True, timeout=PATIENCE)
        prelude = ("import sys; sys.path.insert(0, %r); from cluster import *; from kafka import *\n"
                   "from kafka.admin import ACL, ACLOperation, ACLPermissionType, NewTopic, ResourcePattern, ResourceType\n"
                   "from kafka.errors import *\n" % str(ROOT / "examples/kafka-visits"))
        done = subprocess.run([directory / "bin/python", "-c", prelude + script], capture_output=True, text=True, timeout=PATIENCE,
                              env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1",
                                       **{"KAFKA_" + name: value for name, value in config.items()}))
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        return done.stdout.strip()

    def shown_certificate(self, config):
        with tempfile.NamedTemporaryFile("w") as client:
            client.write(config["CLIENT_CERT_KEY"] + config["CLIENT_CERT"])
            client.flush()
            trusted = ssl.create_default_context(cadata=config["TRUSTED_CERT"])
            trusted.load_cert_chain(client.name)
        host, port = config["URL"].removeprefix("kafka+ssl://").split(":")
        with socket.create_connection((host, int(port)), 30) as plain:
            with trusted.wrap_socket(plain, server_hostname=host) as secure:
                return secure.getpeercert(binary_form=True)

    def brokers(self):
        """The processes that brokers run in."""
        return sorted(state.read_text().split()[1] for state in (self.provider.data / "run/sandboxes").glob("*/state"))

    def test_shared_and_dedicated(self):
        one, mine = self.cluster("basic-0")
        two, other = self.cluster("basic-0")
        self.assertEqual(mine["URL"], other["URL"])
        self.assertNotEqual(mine["PREFIX"], other["PREFIX"])
        for resource in (one, two):
            self.data("POST", resource, "/topics", {"topic": {"name": "t", "partition_count": "2"}})

        # Neighbours see nothing of each other.
        write = "p = KafkaProducer(**settings()); print(p.send(%r + 't', b'x').get(timeout=60).offset)"
        self.assertEqual(self.client(mine, write % mine["PREFIX"]), "0")
        self.assertIn("refused", self.client(mine, f"""
c = KafkaConsumer(**settings(), group_id=PREFIX + 'g')
assert c.topics() == {{PREFIX + 't'}}, c.topics()
try:
    KafkaProducer(**settings(), max_block_ms=3000).send({other["PREFIX"]!r} + 't', b'x').get(timeout=5)
except KafkaError: print('refused')
try:
    KafkaAdminClient(**settings()).create_topics([NewTopic(PREFIX + 'more', 1, 1)]); raise SystemExit('made')
except TopicAuthorizationFailedError: pass
"""))
        # The broker says who it is, address and all; without a certificate there is no way in.
        host, port = mine["URL"].removeprefix("kafka+ssl://").split(":")
        trusted = ssl.create_default_context(cadata=mine["TRUSTED_CERT"])
        with socket.create_connection((host, int(port)), 30) as plain, self.assertRaisesRegex(ssl.SSLError, "CERTIFICATE"):
            with trusted.wrap_socket(plain, server_hostname=host) as secure:
                secure.recv(1)

        # Its certificate is renewed while it runs: at the provider's next look, here after the provider has died, which the
        # broker does not notice.
        shown = self.shown_certificate(mine)
        [volume] = (self.provider.data / "volumes").iterdir()
        (volume / "tls/server.pem").unlink()
        brokers = self.brokers()
        self.provider.kill()
        self.provider.start()
        wait_until(lambda: self.shown_certificate(mine) != shown, what="another certificate")
        self.assertEqual(self.brokers(), brokers)

        # The provider dies; the broker does not notice. Destroyed, and brought back with its messages.
        self.provider.kill()
        self.assertEqual(self.client(mine, write % mine["PREFIX"])[-1:].isdigit(), True)
        self.provider.start()
        self.assertEqual(self.provider.call("DELETE", f"/heroku/resources/{one}")[0], 200)
        self.assertEqual(self.provider.call("DELETE", f"/heroku/resources/{one}")[0], 410)
        self.assertEqual(self.client(mine, """
try: KafkaProducer(**settings(), max_block_ms=3000).send(PREFIX + 't', b'x').get(timeout=5)
except KafkaError: print('closed')"""), "closed")
        self.assertEqual(self.cluster("basic-0", one)[1], mine)
        self.assertEqual(sum(topic["messages"] for topic in self.data("GET", one, "/topics")["topics"]), 2)

        # Plans.
        self.assertEqual(self.provider.call("PUT", f"/heroku/resources/{one}", {"plan": "standard-0"})[0], 422)
        self.assertEqual(self.provider.call("PUT", f"/heroku/resources/{one}", {"plan": "basic-9"})[0], 422)
        self.assertEqual(self.provider.call("PUT", f"/heroku/resources/{one}", {"plan": "basic-1"})[0], 200)
        self.assertEqual(self.provider.provision("basic-9")[1], 422)

        # Bad calls.
        for method, below, body, status in (
                ("POST", "/topics", {"topic": {"name": "../etc"}}, 422), ("POST", "/topics", {}, 422),
                ("POST", "/topics", {"topic": {"name": "y", "partition_count": -1}}, 422),
                ("DELETE", "/topics/none", None, 404), ("PUT", "/topics/t", {"topic": {"retention_time_ms": 5}}, 422),
                ("GET", "/topics/t/messages?positions=x", None, 422), ("GET", "/topics/t/messages?positions=9:1", None, 422),
                ("POST", "/topics/t/messages", {"value": 5}, 422), ("DELETE", "/consumer_groups/none", None, 404),
                ("GET", "/nothing", None, 404)):
            self.data(method, one, below, body, status)

        # A broker of its own: topics by the app itself, transactions, nothing of the broker's settings.
        three, own = self.cluster("standard-0")
        self.assertNotIn("PREFIX", own)
        self.assertNotEqual(own["URL"], mine["URL"])
        self.assertEqual(self.client(own, """
a = KafkaAdminClient(**settings())
a.create_topics([NewTopic('orders', 3, 1)])
p = KafkaProducer(**settings(), transactional_id='tx')
p.init_transactions(); p.begin_transaction(); p.send('orders', b'1'); p.send('orders', b'2'); p.commit_transaction()
c = KafkaConsumer('orders', **settings(), group_id='g', auto_offset_reset='earliest', isolation_level='read_committed', consumer_timeout_ms=60000)
print(sorted([next(c).value, next(c).value]))
made = a.create_acls([ACL(principal='User:evil', host='*', operation=ACLOperation.ALL, permission_type=ACLPermissionType.ALLOW,
                          resource_pattern=ResourcePattern(ResourceType.TOPIC, '*'))])
assert 'ClusterAuthorizationFailed' in repr(made['failed']) and not made['succeeded'], made
"""), "[b'1', b'2']")
        self.assertEqual(self.provider.call("DELETE", f"/heroku/resources/{three}")[0], 200)


if __name__ == "__main__":
    main()
