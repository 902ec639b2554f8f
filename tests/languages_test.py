"""Apps in other languages, with their own dependency managers and registries, as examples/ has them.

All are pushed to one server, two at a time. What a registry cannot be reached for is left out and named; the lock
files of Python's managers name the index that they were made with, so they are made here.
"""

import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

from harness import ROOT, RENGA, Server, commit, main, needs_network, needs_root, repository, wait_until

CACHE = pathlib.Path(os.environ.get("RENGA_TEST_CACHE", pathlib.Path.home() / ".cache/renga-tests"))


def run(*command, directory=None, environment=None, limit=600):
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=limit, errors="replace",
                          env=dict(os.environ, **(environment or {})), stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def tool(name):
    """A Python package manager in an environment of its own, kept between runs; skips where the index is out of reach."""
    home = CACHE / f"{name}-tool"
    if not (home / "bin" / name).exists():
        shutil.rmtree(home, ignore_errors=True)
        CACHE.mkdir(parents=True, exist_ok=True)
        run(sys.executable, "-m", "venv", home)
        try:
            run(home / "bin/python", "-m", "pip", "install", "--quiet", name)
        except AssertionError as wrong:
            shutil.rmtree(home, ignore_errors=True)
            raise unittest.SkipTest(f"the package index has no {name} for this machine: {wrong}")
    return home / "bin" / name


def copied(base, name):
    target = pathlib.Path(base) / "examples" / name
    shutil.copytree(ROOT / "examples" / name, target)
    return target


def poetry(directory):
    # Poetry knows PyPI by its own interface, which mirrors need not have; a source is asked as pip asks.
    code = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
    index = os.environ.get("PIP_INDEX_URL") or run(sys.executable, "-c", code).strip()
    with open(directory / "pyproject.toml", "a") as file:
        file.write(f'\n[[tool.poetry.source]]\nname = "index"\nurl = "{index}"\npriority = "primary"\n')
    run(tool("poetry"), "lock", directory=directory)


def uv(directory):
    run(tool("uv"), "lock", directory=directory)


def pipenv(directory):
    run(tool("pipenv"), "lock", directory=directory, environment={
        "PIPENV_YES": "1", "PIPENV_IGNORE_VIRTUALENVS": "1", "WORKON_HOME": str(directory.parent / "pipenv-envs"),
        "PIPENV_PYTHON": sys.executable})


def compile_c(directory):
    if not shutil.which("cc"):
        raise unittest.SkipTest("there is no C compiler")
    run("make", "-s", directory=directory, environment={"CC": "cc"})


# Each: what the push says, and what the page says.
APPS = {
    "nodejs": (None, ["-----> Node.js app detected", "Using Node.js "], "/", "Hello from Node.js v"),
    "flask-poetry": (poetry, ["-----> Python app detected", "poetry sync --only main"], "/", "Hello from Flask, release v3"),
    "fastapi-uv": (uv, ["Using Python 3.11", "uv sync --locked"], "/", '{"hello":"from FastAPI","release":"v3"}'),
    "pipenv": (pipenv, ["specified by Pipfile.lock", "pipenv install --deploy"], "/", "Hello from Bottle"),
    "go": (None, ["-----> Go app detected", "-----> Running: go install", "web: bin/hello"], "/", "Hello from go1."),
    "java": (None, ["-----> Java app detected", "BUILD SUCCESS"], "/", '"hello":"from Java"'),
    "vite-pnpm": (None, ["1. heroku/nodejs", "2. heroku/static", "Using pnpm", "Serving dist/"], "/any/route", "Hello from Vite"),
    "yarn": (None, ["Using yarn 4.6.0", "'yarn install'"], "/", "Hello from Yarn"),
    "static": (None, ["-----> Static app detected", "Serving public/"], "/about", "About these files"),
    "binary": (compile_c, ["-----> Procfile app detected"], "/", "Hello from a binary"),
}
# Those that need nothing from elsewhere.
OFFLINE = {"static", "binary"}


@needs_root
class Languages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)

    def push(self, name):
        """The output of the push; or why it was left out."""
        if name == "java" and not (shutil.which("javac", path="/usr/bin") and shutil.which("mvn", path="/usr/bin")):
            raise unittest.SkipTest("the stack host has no JDK or no Maven here")
        prepare = APPS[name][0]
        directory = copied(self.server.base, name)
        if prepare:
            prepare(directory)
        self.server.api("POST", "/apps", {"name": f"try-{name}"})
        app = repository(self.server.base / "repositories", {}, name)
        shutil.copytree(directory, app, dirs_exist_ok=True)
        commit(app, {})
        return self.server.push(app, f"try-{name}").stderr

    def try_all(self, names):
        left_out = {}
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            pushes = {name: pool.submit(self.push, name) for name in names}
            for name, pushed in pushes.items():
                with self.subTest(app=name):
                    try:
                        output = pushed.result()
                    except unittest.SkipTest as why:
                        left_out[name] = why
                        continue
                    _, said, path, page = APPS[name]
                    for part in said:
                        self.assertIn(part, output)
                    wait_until(lambda: page in (self.server.page(f"try-{name}", path) or ""),
                               what=f"{name}'s page with {page!r}")
        for name, why in left_out.items():
            print(f"left out: {name}: {why}", file=sys.stderr)

    @needs_network
    def test_real_apps_with_their_registries(self):
        self.try_all(sorted(APPS.keys() - OFFLINE))

    def test_apps_that_need_no_registry(self):
        self.try_all(sorted(OFFLINE))

    def test_a_directory_is_deployed_without_git(self):
        directory = copied(self.server.base / "deployed", "static")
        self.server.api("POST", "/apps", {"name": "deployed"})
        environment = {"RENGA_URL": f"http://{self.server.listen}", "RENGA_TOKEN": self.server.token}
        said = run(RENGA, "deploy", "-a", "deployed", directory=directory, environment=environment)
        for part in ("-----> Static app detected", "Released v3"):
            self.assertIn(part, said)
        wait_until(lambda: "Hello from files" in (self.server.page("deployed") or ""), what="the page")
        shown = run(RENGA, "builds:output", "-a", "deployed", environment=environment)
        self.assertEqual(shown, said)
        self.assertIn("succeeded", run(RENGA, "builds", "-a", "deployed", environment=environment))

        (directory / "static.json").write_text("{")
        with self.assertRaisesRegex(AssertionError, "static.json cannot be read"):
            run(RENGA, "deploy", "-a", "deployed", directory=directory, environment=environment)


main()
