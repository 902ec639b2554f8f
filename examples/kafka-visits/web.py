"""Writes each visit to a topic, and shows what the worker has counted, which it writes to another."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cluster import PREFIX, settings
from kafka import KafkaConsumer, KafkaProducer

producer = KafkaProducer(**settings(), acks="all")
counts = {}


def follow():
    """The newest count of each page: the topic is compacted, so all of it is read at each start."""
    for message in KafkaConsumer(PREFIX + "counts", auto_offset_reset="earliest", **settings()):
        counts[message.key.decode()] = json.loads(message.value)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, text):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer("".join(f"{page}: {count}\n" for page, count in sorted(counts.items())) or "no visits\n")

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        producer.send(PREFIX + "visits", key=self.path.encode(), value=b"1").get(timeout=10)
        self.answer("written\n")


threading.Thread(target=follow, daemon=True).start()
ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
