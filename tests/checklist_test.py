"""The security checklist, by one program, from inside a dyno and from inside a build."""

import pathlib
import re
import socket
import tempfile

from harness import StoryTest, main, needs_root, wait_until

PROGRAM = (pathlib.Path(__file__).parent / "checklist/inside.py").read_text()
POINTS = {f"S{n}" for n in (*range(1, 14), 16, 17, 18, 19, 20, 22, 23, 25, 26, 31, 32)}
COMPILE = """#!/bin/bash
python3 $1/inside.py $(cat $1/arguments) < /dev/null 2>&1 | sed 's/^/       /'
"""


@needs_root
class Checklist(StoryTest):
    def setUp(self):
        buildpacks = tempfile.TemporaryDirectory()
        self.addCleanup(buildpacks.cleanup)
        self.buildpack = pathlib.Path(buildpacks.name) / "checks"
        (self.buildpack / "bin").mkdir(parents=True)
        for name, text in (("detect", "#!/bin/bash\necho Checks\n"), ("compile", COMPILE)):
            (self.buildpack / "bin" / name).write_text(text)
            (self.buildpack / "bin" / name).chmod(0o755)
        self.options = ("--local-buildpacks", buildpacks.name)
        super().setUp()

    def results(self, text):
        found = dict(re.findall(r"\b(S\d+) (ok|FAILED: .*)", text))
        self.assertEqual({name: result for name, result in found.items() if result != "ok"}, {}, text)
        self.assertEqual(set(found), POINTS, text)

    def test_every_point_holds_in_a_build_and_in_a_dyno(self):
        server = self.server
        listener = socket.create_server(("0.0.0.0", 0))
        self.addCleanup(listener.close)
        abstract = socket.socket(socket.AF_UNIX)
        abstract.bind(f"\0renga-checklist-{listener.getsockname()[1]}")
        abstract.listen()
        self.addCleanup(abstract.close)
        ports = ",".join(str(port) for port in (listener.getsockname()[1], int(server.listen.rsplit(":", 1)[1]),
                                                int(server.http.rsplit(":", 1)[1])))
        arguments = f"{ports} {own_address()} renga-checklist-{listener.getsockname()[1]}"

        self.create("checked")
        server.api("PUT", "/apps/checked/buildpack-installations", {"updates": [{"buildpack": str(self.buildpack)}]})
        app = self.repository({"Procfile": "worker: sleep 100000\n", "inside.py": PROGRAM, "arguments": arguments})
        self.results(server.push(app, "checked").stderr)

        dyno = server.api("POST", "/apps/checked/dynos", {"command": "python3 inside.py $(cat arguments) < /dev/null"})
        wait_until(lambda: f"heroku[{dyno['name']}]: Process exited" in server.logs("checked"), limit=60, what="its end")
        self.results("\n".join(line for line in server.logs("checked").splitlines() if f"app[{dyno['name']}]" in line))


def own_address():
    """An address of this machine that others may reach it by."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return probe.getsockname()[0]
        except OSError:
            return "127.0.0.2"


if __name__ == "__main__":
    main()
