"""Takes work in, and shows how much is done."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from store import connect

store = connect()


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
        self.answer(f"{store.llen('jobs')} waiting, {store.get('done') or 0} done, sum {store.get('sum') or 0}\n")

    def do_POST(self):
        length = min(int(self.headers.get("Content-Length", 0)), 100)
        store.lpush("jobs", self.rfile.read(length).decode(errors="replace"))
        self.answer("queued\n")


ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
