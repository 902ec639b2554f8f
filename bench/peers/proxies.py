"""nginx, HAProxy, Caddy and renga's router as edges of the same dynos, alike in what they do to a request.

Each looks the host up, takes a random dyno over a pooled connection, adds the fields that dynos are promised
(X-Forwarded-*, X-Request-Id, X-Request-Start, Via) and logs one line for each request, buffered where it can. Each
has one worker, pinned to one core, and listens on a plain port and on one for TLS with HTTP/2.
"""

import array
import json
import os
import pathlib
import resource
import socket
import struct
import subprocess
import threading
import time

HOST = "shop.localhost"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port):
    for _ in range(500):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.01)
    raise SystemExit(f"nobody listens on port {port}")


def on(cpu, command, **more):
    return subprocess.Popen(["taskset", "-c", cpu, *command], stdin=subprocess.DEVNULL, **more)


def children(pid):
    """A process and its descendants."""
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += children(int(child))
    return found


class Proxy:
    """One of them, running. `directory` is its own."""

    name = None
    speaks_tls = True

    def __init__(self, directory, cpu, dynos, certificate):
        self.directory = directory / self.name
        self.directory.mkdir()
        self.port, self.tls_port, self.dynos = free_port(), free_port(), dynos
        self.chain, self.key = certificate
        self.process = self.start(cpu)
        wait_for(self.port)
        if self.speaks_tls:
            wait_for(self.tls_port)

    def cpu_seconds(self):
        """What all threads of the process and its children have run, to the nanosecond."""
        total = 0
        for one in children(self.process.pid):
            for task in pathlib.Path(f"/proc/{one}/task").glob("*/schedstat"):
                total += int(task.read_text().split()[0])
        return total / 1e9

    def resident_mb(self):
        """Proportional: what processes share is counted once."""
        total = 0
        for one in children(self.process.pid):
            rollup = pathlib.Path(f"/proc/{one}/smaps_rollup").read_text()
            total += int(next(line for line in rollup.splitlines() if line.startswith("Pss:")).split()[1])
        return total * 1024 / 1e6

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Nginx(Proxy):
    name = "nginx"

    def start(self, cpu):
        servers = " ".join(f"server 127.0.0.1:{port};" for port in self.dynos)
        (self.directory / "nginx.conf").write_text(f"""
daemon off; master_process on; worker_processes 1; pid {self.directory}/nginx.pid; error_log {self.directory}/nginx.err;
events {{ worker_connections 16000; }}
http {{ log_format router 'method=$request_method path="$request_uri" host=$host request_id=$request_id '
    'fwd="$remote_addr" dyno=$upstream_addr connect=$upstream_connect_time service=$request_time '
    'status=$status bytes=$body_bytes_sent';
  access_log {self.directory}/access.log router buffer=64k;
  keepalive_requests 100000000; keepalive_timeout 300s; proxy_buffering on; proxy_buffers 8 16k;
  http2_max_concurrent_streams 128; http2_max_requests 100000000;
  ssl_certificate {self.chain}; ssl_certificate_key {self.key}; ssl_protocols TLSv1.2 TLSv1.3;
  upstream dynos {{ random; {servers} keepalive 512; keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{self.port} backlog=16384 reuseport; listen 127.0.0.1:{self.tls_port} ssl http2 backlog=4096 reuseport;
    server_name {HOST};
    location / {{ proxy_pass http://dynos; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Port $server_port;
      proxy_set_header X-Request-Id $request_id; proxy_set_header X-Request-Start $msec; proxy_set_header Via "1.1 nginx"; }} }} }}
""")
        return on(cpu, ["nginx", "-c", f"{self.directory}/nginx.conf"])


class HAProxy(Proxy):
    name = "haproxy"

    def start(self, cpu):
        servers = "\n".join(f"  server web{i} 127.0.0.1:{p}" for i, p in enumerate(self.dynos))
        bundle = self.directory / "bundle.pem"
        bundle.write_text(pathlib.Path(self.chain).read_text() + pathlib.Path(self.key).read_text())
        bundle.chmod(0o600)
        (self.directory / "haproxy.cfg").write_text(f"""
global
  nbthread 1
  # It would refuse to start where two descriptors for each client are more than it may have.
  no strict-limits
  maxconn {resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 2000}
  log stdout format raw local0
  ssl-default-bind-options ssl-min-ver TLSv1.2
  tune.h2.max-concurrent-streams 128
defaults
  mode http
  log global
  timeout client 300s
  timeout server 300s
  timeout connect 5s
  http-reuse always
  unique-id-format %{{+X}}o%ci%cp%fi%fp%Ts%rt
frontend edge
  bind 127.0.0.1:{self.port} backlog 16384
  bind 127.0.0.1:{self.tls_port} ssl crt {bundle} alpn h2,http/1.1 backlog 4096
  option forwardfor
  unique-id-header X-Request-Id
  http-request set-header X-Forwarded-Proto http if !{{ ssl_fc }}
  http-request set-header X-Forwarded-Proto https if {{ ssl_fc }}
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Request-Start %[date]
  http-request set-header Via "1.1 haproxy"
  log-format 'method=%HM path="%HU" host={HOST} request_id=%ID fwd="%ci" dyno=%s connect=%Tc service=%Ta status=%ST bytes=%B'
  use_backend shop if {{ req.hdr(host),field(1,:) -i {HOST} }}
backend shop
  balance random
{servers}
""")
        return on(cpu, ["haproxy", "-db", "-f", f"{self.directory}/haproxy.cfg"],
                  stdout=open(self.directory / "haproxy.log", "wb"), stderr=subprocess.DEVNULL)


class Caddy(Proxy):
    name = "caddy"

    def start(self, cpu):
        site = f"""reverse_proxy {" ".join(f"127.0.0.1:{port}" for port in self.dynos)} {{
    lb_policy random
    header_up Via "1.1 caddy"
    header_up X-Forwarded-Port {{http.request.port}}
    header_up X-Request-Id {{http.request.uuid}}
    header_up X-Request-Start {{time.now.unix_ms}}
    transport http {{
      keepalive_idle_conns_per_host 512
    }}
  }}
  log {{
    output file {self.directory}/access.log {{
      roll_disabled
    }}
  }}"""
        (self.directory / "Caddyfile").write_text(f"""{{
  admin off
  auto_https off
  default_sni {HOST}
  storage file_system {self.directory}/storage
}}
http://{HOST}:{self.port} {{
  {site}
}}
https://{HOST}:{self.tls_port} {{
  tls {self.chain} {self.key}
  {site}
}}
""")
        return on(cpu, ["caddy", "run", "--config", f"{self.directory}/Caddyfile", "--adapter", "caddyfile"],
                  env=dict(os.environ, GOMAXPROCS="1", HOME=str(self.directory)),
                  stdout=subprocess.DEVNULL, stderr=open(self.directory / "caddy.err", "wb"))


class Relay(Proxy):
    """No proxy: what the kernel alone takes for the bytes of one, moved by a program that does not look at them."""

    name = "relay"
    speaks_tls = False

    def start(self, cpu):
        program = pathlib.Path(os.environ["RENGA"]).parent / "relay"
        return on(cpu, [str(program), str(self.port), *map(str, self.dynos)])


class Renga(Proxy):
    """The router without control, in whose place the benchmark sends table and certificates and takes the log."""

    name = "renga"

    def start(self, cpu):
        self.taken_over, self.generation, self.told = 0, 0, None
        self.lock, self.sending = threading.Condition(), threading.Lock()
        process = on(cpu, [os.environ["RENGA"], "router", "--directory", str(self.directory), "--http",
                           f"127.0.0.1:{self.port}", "--https", f"127.0.0.1:{self.tls_port}", "--threads", "1"],
                     stderr=open(self.directory / "router.log", "wb"))
        self.control = socket.socket(socket.AF_UNIX)
        for _ in range(500):
            try:
                self.control.connect(str(self.directory / "router.sock"))
                break
            except OSError:
                time.sleep(0.01)
        threading.Thread(target=self.hear, daemon=True).start()
        certificate = {"names": [HOST], "chain": pathlib.Path(self.chain).read_text(),
                       "key": pathlib.Path(self.key).read_text()}
        self.send("C", [certificate])
        self.swap(1)
        return process

    def hear(self):
        with open(self.directory / "access.log", "wb") as log:
            data, _, _, _ = self.control.recvmsg(1 << 16, socket.CMSG_SPACE(64 * array.array("i").itemsize))
            while True:
                # A frame is a length, a type and a payload; few kinds are of interest.
                while len(data) >= 5 and len(data) >= 5 + (size := struct.unpack("=I", data[:4])[0]):
                    if data[4:5] in (b"G", b"E"):
                        with self.lock:
                            if data[4:5] == b"G":
                                self.taken_over = int(data[5:5 + size])
                            else:
                                self.told = json.loads(data[5:5 + size])
                            self.lock.notify_all()
                    elif data[4:5] == b"R":
                        log.write(data[5:5 + size])
                        self.send("K", b"")
                    data = data[5 + size:]
                try:
                    more = self.control.recv(1 << 20)
                except OSError:
                    return
                if not more:
                    return
                data += more

    def send(self, frame, payload):
        text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        with self.sending:
            self.control.sendall(struct.pack("=I", len(text)) + frame.encode() + text)

    def route(self, number, backends, **more):
        return {"app": f"{number:08x}-1111-4111-8111-111111111111", "name": f"app-{number}", "starting": False,
                "crashed": False, "deployed": True, "maintenance": False, "web_quantity": max(len(backends), 1),
                "error_page_url": "", "maintenance_page_url": "", "backends": backends, **more}

    def other(self, number, run=0):
        return [{"dyno": f"dyno-{number}-{run}", "name": "web.1", "address": "127.0.0.1", "port": 9}]

    def table(self, routes):
        """As JSON: so many apps, the one with the dynos in their middle."""
        dynos = [{"dyno": f"dyno-{i}", "name": f"web.{i + 1}", "address": "127.0.0.1", "port": port}
                 for i, port in enumerate(self.dynos)]
        hosts = {f"app-{n}.localhost": n for n in range(routes)}
        hosts[HOST] = routes // 2
        self.generation += 1
        every = [self.route(n, dynos if n == routes // 2 else self.other(n)) for n in range(routes)]
        return json.dumps({"generation": self.generation, "hosts": hosts, "retiring": [], "routes": every}).encode()

    def change(self, routes, count):
        """As JSON: another dyno for so many of the table's apps, from its beginning on."""
        self.generation += 1
        apps = [self.route(n, self.other(n, self.generation), hosts=[f"app-{n}.localhost"]) for n in range(count)]
        assert count <= routes // 2
        return json.dumps({"from": self.generation - 1, "generation": self.generation, "apps": apps, "gone": [],
                           "retiring": [], "challenges": {}}).encode()

    def swap(self, routes):
        """Sends a table; seconds until every loop works by it."""
        return self.take("T", self.table(routes))

    def take(self, frame, payload):
        begin = time.perf_counter()
        self.send(frame, payload)
        with self.lock:
            if not self.lock.wait_for(lambda: self.taken_over >= self.generation, 60):
                raise SystemExit("the table was not taken over")
        return time.perf_counter() - begin

    def turns(self):
        """How many turns of its loop took how long, by the bounds of figures.h."""
        self.told = None
        self.send("L", b"")
        with self.lock:
            if not self.lock.wait_for(lambda: self.told is not None, 60):
                raise SystemExit("it did not tell of its turns")
        return self.told

    def rest(self):
        """Returns once it has nothing more to do: the table it has let go of is freed, the new one on disk."""
        for _ in range(300):
            before = self.cpu_seconds()
            time.sleep(0.1)
            if self.cpu_seconds() - before < 0.002:
                return


def make_certificate(directory):
    chain, key = directory / "chain.pem", directory / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-keyout", str(key), "-out", str(chain), "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"],
                   check=True, capture_output=True)
    return str(chain), str(key)


def start_origin(cpu, ports):
    """What the dynos are: whatever a request asks for, at little cost, so that a proxy has all of its own core to do."""
    program = pathlib.Path(os.environ["RENGA"]).parent / "origin"
    process = on(cpu, [str(program), *map(str, ports)])
    for port in ports:
        wait_for(port)
    return process
