"""What benchmarks share: figures with their limits, printed as a table and as JSON."""

import argparse
import json
import statistics
import sys


class Report:
    """Collects figures; `limit` is what the project promises, and missing it fails the run."""

    def __init__(self, name, parts=()):
        parser = argparse.ArgumentParser()
        parser.add_argument("--json", metavar="FILE")
        if parts:
            parser.add_argument("--parts", metavar="A,B", default=",".join(parts),
                                help=f"of {', '.join(parts)}; all of them when it is left out")
        self.options = parser.parse_args()
        self.parts = self.options.parts.split(",") if parts else []
        if unknown := set(self.parts) - set(parts):
            parser.error(f"there is no part {', '.join(unknown)}")
        self.name, self.figures = name, []

    def add(self, what, value, unit, limit=None):
        missed = limit is not None and value > limit
        self.figures.append({"what": what, "value": value, "unit": unit, "limit": limit, "missed": missed})
        places = 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
        print(f"{what:58} {value:10.{places}f} {unit:8}" + (f" limit {limit:g}{'  MISSED' if missed else ''}" if limit is not None else ""), flush=True)

    def spread(self, what, values, unit, limit=None):
        values = sorted(values)
        self.add(f"{what}: median of {len(values)}", statistics.median(values), unit, limit)
        self.add(f"{what}: fastest", values[0], unit)
        self.add(f"{what}: slowest", values[-1], unit)

    def end(self):
        if self.options.json:
            with open(self.options.json, "w") as file:
                json.dump({"benchmark": self.name, "figures": self.figures}, file, indent=2)
        sys.exit(1 if any(figure["missed"] for figure in self.figures) else 0)
