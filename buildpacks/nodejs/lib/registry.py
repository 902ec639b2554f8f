"""The npm registry, without Node.js: registry.py REGISTRY COMMAND ...

  choose NAME RANGE [NODE]   "version tarball integrity" of the newest version that RANGE allows and that runs on
                             NODE. An empty RANGE is the newest; of Node.js itself the newest with an even number.
  fetch URL INTEGRITY FILE   downloads, checked against the sha512 of the registry

Exit status: 2 nothing fits (known versions on standard output); 3 the registry is at fault (a sentence on standard
output). How long one answer may take, NPM_CONFIG_FETCH_TIMEOUT says in milliseconds, as to npm.
"""

import base64
import hashlib
import http.client
import json
import os
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

LARGEST = 300 * 1024 * 1024  # bytes of one download
TRIES = 3


def patience():
    asked = os.environ.get("NPM_CONFIG_FETCH_TIMEOUT", "")
    return int(asked) / 1000 if asked.isdecimal() and int(asked) > 0 else 30


def request_for(url):
    """Of an address with a user and a password in it, which urllib takes for a part of the host's name."""
    parts = urllib.parse.urlsplit(url)
    login, _, host = parts.netloc.rpartition("@")
    headers = {"Accept": "application/vnd.npm.install-v1+json, */*"}
    if login:
        headers["Authorization"] = "Basic " + base64.b64encode(urllib.parse.unquote(login).encode()).decode()
    return urllib.request.Request(parts._replace(netloc=host).geturl(), headers=headers)


def download(url):
    for attempt in range(TRIES):
        if attempt:
            time.sleep(attempt)
        try:
            with urllib.request.urlopen(request_for(url), timeout=patience()) as answer:
                content = answer.read(LARGEST + 1)
            if len(content) <= LARGEST:
                return content
            fault = f"The npm registry sent more than {LARGEST >> 20} MB."
            break
        except urllib.error.HTTPError as answer:
            fault = f"The npm registry answered with status {answer.code}"
            if answer.code < 500 and answer.code != 429:
                fault += "."
                break
            fault += " each time that it was asked: push again later."
        except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as wrong:
            fault = f"The npm registry could not be reached, however often it was tried ({getattr(wrong, 'reason', wrong)})."
    give_up(fault)


def give_up(sentence):
    print(sentence)
    sys.exit(3)


PARTIAL = re.compile(r"[v=\s]*(\d+|[xX*])(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?(?:[-+][0-9A-Za-z.+-]+)?$")


def numbers(text):
    """The numbers that a partial version gives: "1.x" is [1]."""
    found = PARTIAL.match(text)
    if not found:
        raise ValueError(text)
    given = []
    for part in found.groups():
        if part is None or part in "xX*":
            break
        given.append(int(part))
    return given


def bounds(operator, given):
    """The half-open interval of versions that a comparator allows."""
    full = tuple(given + [0] * (3 - len(given)))
    after = tuple(given[:-1] + [given[-1] + 1] + [0] * (3 - len(given))) if given else (float("inf"),)
    endless = (float("inf"),)
    if operator == "^" and given:
        first = next((i for i, n in enumerate(given) if n), len(given) - 1)
        return full, tuple(given[:first] + [given[first] + 1] + [0] * (2 - first))
    if operator in ("~", "~>") and len(given) > 1:
        return full, (given[0], given[1] + 1, 0)
    if operator == ">=":
        return full, endless
    if operator == ">":
        return after, endless
    if operator == "<":
        return (0, 0, 0), full
    if operator == "<=":
        return (0, 0, 0), after
    return full, after


def intervals(text):
    """Each alternative of a range as the intervals that all have to hold."""
    for alternative in text.split("||"):
        hyphen = re.match(r"\s*(\S+)\s+-\s+(\S+)\s*$", alternative)
        if hyphen:
            yield [bounds(">=", numbers(hyphen[1])), bounds("<=", numbers(hyphen[2]))]
            continue
        joined = re.sub(r"([<>=~^])\s+", r"\1", alternative).split()
        parts = [re.match(r"(\^|~>|~|>=|<=|>|<|=)?(.*)$", part).groups() for part in joined]
        yield [bounds(operator, numbers(version)) for operator, version in parts]


def allows(text, version):
    return any(all(low <= version < high for low, high in each) for each in intervals(text))


def plain(text):
    """A released version as numbers; None for a prerelease."""
    return tuple(map(int, text.split("."))) if re.fullmatch(r"\d+\.\d+\.\d+", text) else None


def fits_node(entry, node):
    wanted = entry.get("engines")
    wanted = wanted.get("node") if isinstance(wanted, dict) else None
    try:
        return not node or not wanted or allows(wanted, node)
    except ValueError:
        return True


def choose(registry, name, wanted, node):
    said = download(registry.rstrip("/") + "/" + urllib.parse.quote(name, safe="@"))
    try:
        known = {plain(text): entry for text, entry in json.loads(said)["versions"].items() if plain(text)}
    except (ValueError, KeyError, TypeError, AttributeError):
        give_up(f"The npm registry was asked for {name} and answered with something that describes no package.")
    try:
        found = sorted(v for v in known if allows(wanted or "*", v) and fits_node(known[v], node))
    except ValueError:
        found = []
    if name.startswith("node-"):
        # Even numbers are the long-term ones; a range without an end does not lead past them.
        newest = max((v[0] for v in known if v[0] % 2 == 0), default=0)
        if not wanted:
            found = [v for v in found if v[0] == newest]
        found = [v for v in found if v[0] == newest] or [v for v in found if v[0] < newest] or found
    if not found:
        majors = sorted({v[0] for v in known}, reverse=True)[:12]
        print(", ".join(".".join(map(str, max(v for v in known if v[0] == major))) for major in majors))
        sys.exit(2)
    dist = known[found[-1]]["dist"]
    print(".".join(map(str, found[-1])), dist["tarball"], dist.get("integrity", "-"))


def fetch(url, integrity, path):
    content = download(url)
    sums = [each[7:] for each in integrity.split() if each.startswith("sha512-")]
    if base64.b64encode(hashlib.sha512(content).digest()).decode() not in sums:
        give_up("What the npm registry sent does not have its sha512 checksum.")
    with open(path + ".part", "wb") as file:
        file.write(content)
    os.replace(path + ".part", path)


if __name__ == "__main__":
    registry, command, *rest = sys.argv[1:]
    if command == "choose":
        choose(registry, rest[0], rest[1], plain(rest[2]) if len(rest) > 2 else None)
    else:
        fetch(*rest)
