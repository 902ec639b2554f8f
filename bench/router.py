"""The router beside nginx and HAProxy: CPU per request, with one core each for proxy and load."""

import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from report import Report

ROUNDS = int(os.environ.get("ROUNDS", "5"))
SECONDS = int(os.environ.get("SECONDS_EACH", "3"))
BODIES = {"200 B": 200, "64 KB": 64 * 1024}
CLIENTS = (64, 512)
DYNOS = 4  # 512 requests under way are within the router's 200 for each
HOST = "shop.localhost"
FIELDS = {
    "Host": HOST,
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Language": "en-US,en;q=0.9,de;q=0.8",
    "Accept-Encoding": "gzip, deflate, br",
    "Cookie": "session=8f14e45fceea167a5a36dedd4bea2543; theme=dark; consent=yes",
    "Referer": "http://shop.localhost/products?page=2",
    "Cache-Control": "max-age=0",
}
PROXY_CPU, LOAD_CPU = "0", "1"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def on(cpu, command, **more):
    return subprocess.Popen(["taskset", "-c", cpu, *command], stdin=subprocess.DEVNULL, **more)


def wait_for(port):
    for _ in range(500):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.01)
    raise SystemExit(f"nobody listens on port {port}")


def children(pid):
    """A process and its descendants."""
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += children(int(child))
    return found


def cpu_seconds(pid):
    """What all threads of a process and its children have run, to the nanosecond."""
    total = 0
    for one in children(pid):
        for task in pathlib.Path(f"/proc/{one}/task").glob("*/schedstat"):
            total += int(task.read_text().split()[0])
    return total / 1e9


def resident_mb(pid):
    pages = sum(int(pathlib.Path(f"/proc/{one}/statm").read_text().split()[1]) for one in children(pid))
    return pages * 4096 / 1e6


NGINX_COMMON = """
daemon off; master_process on; worker_processes 1; pid {dir}/{name}.pid; error_log {dir}/{name}.err;
events {{ worker_connections 4096; }}
"""


def start_origin(directory, ports):
    """What the dynos are: nginx with fixed bodies, on the load's core."""
    for name, size in BODIES.items():
        (directory / f"{size}").write_text("x" * size)
    (directory / "origin.conf").write_text(NGINX_COMMON.format(dir=directory, name="origin") + f"""
http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 300s; sendfile on; tcp_nopush on;
  open_file_cache max=10 inactive=1h;
  server {{ {" ".join(f"listen 127.0.0.1:{port} backlog=4096;" for port in ports)} root {directory}; }} }}
""")
    return on(LOAD_CPU, ["nginx", "-c", f"{directory}/origin.conf"])


def start_nginx(directory, port, ports):
    (directory / "nginx.conf").write_text(NGINX_COMMON.format(dir=directory, name="nginx") + f"""
http {{ log_format router 'method=$request_method path="$request_uri" host=$host request_id=$request_id '
    'fwd="$remote_addr" dyno=$upstream_addr connect=$upstream_connect_time service=$request_time '
    'status=$status bytes=$body_bytes_sent';
  access_log {directory}/nginx.log router buffer=64k;
  keepalive_requests 100000000; proxy_buffering on; proxy_buffers 8 16k;
  upstream dynos {{ random; {" ".join(f"server 127.0.0.1:{p};" for p in ports)} keepalive 512; keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{port} backlog=4096 reuseport; server_name {HOST};
    location / {{ proxy_pass http://dynos; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto http; proxy_set_header X-Forwarded-Port {port};
      proxy_set_header X-Request-Id $request_id; proxy_set_header X-Request-Start $msec; proxy_set_header Via "1.1 nginx"; }} }} }}
""")
    return on(PROXY_CPU, ["nginx", "-c", f"{directory}/nginx.conf"])


def start_haproxy(directory, port, ports):
    servers = "\n".join(f"  server web{i} 127.0.0.1:{p}" for i, p in enumerate(ports))
    (directory / "haproxy.cfg").write_text(f"""
global
  nbthread 1
  maxconn 4096
  log stdout format raw local0
defaults
  mode http
  log global
  timeout client 60s
  timeout server 60s
  timeout connect 5s
  http-reuse always
  unique-id-format %{{+X}}o%ci%cp%fi%fp%Ts%rt
frontend edge
  bind 127.0.0.1:{port} backlog 4096
  option forwardfor
  unique-id-header X-Request-Id
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Port {port}
  http-request set-header X-Request-Start %[date]
  http-request set-header Via "1.1 haproxy"
  log-format 'method=%HM path="%HU" host={HOST} request_id=%ID fwd="%ci" dyno=%s connect=%Tc service=%Ta status=%ST bytes=%B'
  use_backend shop if {{ hdr(host) -i {HOST} }}
backend shop
  balance random
{servers}
""")
    return on(PROXY_CPU, ["haproxy", "-db", "-f", f"{directory}/haproxy.cfg"],
              stdout=open(directory / "haproxy.log", "wb"), stderr=subprocess.DEVNULL)


def start_renga(directory, port, ports):
    own = directory / "router"
    (own / "kept").mkdir(parents=True)
    route = {"app": "11111111-1111-4111-8111-111111111111", "name": "shop", "starting": False, "crashed": False,
             "deployed": True, "maintenance": False, "web_quantity": DYNOS, "error_page_url": "",
             "maintenance_page_url": "",
             "backends": [{"dyno": f"dyno-{i}", "name": f"web.{i + 1}", "address": "127.0.0.1", "port": p}
                          for i, p in enumerate(ports)]}
    (own / "kept/routes.json").write_text(json.dumps({"generation": 1, "routes": [route], "hosts": {HOST: 0}, "retiring": []}))
    process = on(PROXY_CPU, [os.environ["RENGA"], "router", "--directory", str(own), "--http", f"127.0.0.1:{port}",
                             "--threads", "1"], stderr=open(directory / "renga.err", "wb"))
    wait_for(port)
    # Control's place: whoever takes the log lines, here into a file.
    control = socket.socket(socket.AF_UNIX)
    for _ in range(500):
        try:
            control.connect(str(own / "router.sock"))
            break
        except OSError:
            time.sleep(0.01)

    def take():
        with open(directory / "renga.log", "wb") as log:
            while data := control.recv(1 << 20):
                log.write(data)

    threading.Thread(target=take, daemon=True).start()
    return process


def load(port, path, clients):
    """Requests that were answered with 200, and how many were not."""
    fields = [word for name, value in FIELDS.items() for word in ("-H", f"{name}: {value}")]
    done = subprocess.run(["taskset", "-c", LOAD_CPU, "wrk", "-t1", f"-c{clients}", f"-d{SECONDS}s", "--latency", *fields,
                           f"http://127.0.0.1:{port}{path}"], check=True, capture_output=True, text=True).stdout
    requests = int(next(line for line in done.splitlines() if "requests in" in line).split()[0])
    p99 = next(line for line in done.splitlines() if "99%" in line).split()[1]
    bad = [line for line in done.splitlines() if "Non-2xx" in line or "Socket errors" in line]
    return requests, p99, bad


def main():
    missing = [name for name in ("nginx", "haproxy", "wrk", "taskset") if not shutil.which(name)]
    if missing:
        raise SystemExit(f"{', '.join(missing)} not found: apt-get install nginx-light haproxy wrk util-linux")
    report = Report("router")
    os.sched_setaffinity(0, {int(LOAD_CPU)})
    directory = pathlib.Path(tempfile.mkdtemp(prefix="renga-bench-"))
    # The origin's worker gives up root and must read its files.
    directory.chmod(0o755)
    processes = []
    try:
        dynos = [free_port() for _ in range(DYNOS)]
        processes.append(start_origin(directory, dynos))
        for port in dynos:
            wait_for(port)
        proxies = {}
        for name, start in (("renga", start_renga), ("nginx", start_nginx), ("haproxy", start_haproxy)):
            port = free_port()
            process = start(directory, port, dynos)
            processes.append(process)
            proxies[name] = (process, port)
            wait_for(port)

        for body, size in BODIES.items():
            for clients in CLIENTS:
                cost = {name: [] for name in proxies}
                speed = {name: [] for name in proxies}
                slow = {name: [] for name in proxies}
                for turn in range(ROUNDS):
                    names = list(proxies)
                    names = names[turn % 3:] + names[:turn % 3]
                    for name in names:
                        process, port = proxies[name]
                        before = cpu_seconds(process.pid)
                        requests, p99, bad = load(port, f"/{size}", clients)
                        cost[name].append((cpu_seconds(process.pid) - before) * 1e6 / max(requests, 1))
                        speed[name].append(requests / SECONDS)
                        slow[name].append(p99)
                        if bad:
                            print(f"{name}: {bad}", file=sys.stderr)
                            if name == "renga":
                                report.add(f"{body}, {clients} clients: failed requests", 1, "runs", 0)
                case = f"{body}, {clients} clients"
                for name in proxies:
                    report.add(f"{case}: {name}", statistics.median(cost[name]), "us/req")
                    report.add(f"{case}: {name}", statistics.median(speed[name]), "req/s")
                    print(f"{'':4}p99 of each round: {', '.join(slow[name])}")
                best = [min(nginx, haproxy) for nginx, haproxy in zip(cost["nginx"], cost["haproxy"])]
                ratios = [own / peer for own, peer in zip(cost["renga"], best)]
                report.add(f"{case}: renga to the better peer, same round", round(statistics.median(ratios), 2), "times", 1.0)
        for name, (process, _) in proxies.items():
            report.add(f"resident memory: {name}", resident_mb(process.pid), "MB")
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
        shutil.rmtree(directory, ignore_errors=True)
    report.end()


if __name__ == "__main__":
    main()
