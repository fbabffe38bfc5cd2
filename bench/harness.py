"""What every measurement needs: a connection, the clock, sides in turn, and a table of the results."""

from __future__ import annotations

import datetime
import os
import re
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

HERE = Path(__file__).parent
ROOT = HERE.parent
BIN = Path(os.environ["PGBIN"])
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
TOO_SLOW_TO_REPEAT = 60  # seconds
AS_OF = "2026-11-22 12:00+00"
RUN = "SELECT count(*) FROM assignment_reminders.run_daily_evaluation(%(as_of)s)"


def connect() -> psycopg.Connection:
    """A new session. Parameters are put in by the client, so that files may hold several statements."""
    return psycopg.connect(autocommit=True, cursor_factory=psycopg.ClientCursor)


def execute(*statements: str, **parameters: object) -> list[tuple]:
    """The rows of the last of these statements, run one after the other in a session of their own."""
    with connect() as connection:
        for statement in statements:
            cursor = connection.execute(statement, parameters or None)
        while cursor.nextset():
            pass
        return cursor.fetchall() if cursor.description else []


def do(file: str, **parameters: object) -> list[tuple]:
    return execute((HERE / "sql" / file).read_text(), **parameters)


def milliseconds(sql: str, **parameters: object) -> float:
    """How long one statement takes in a new session, its planning included, the connecting not."""
    with connect() as connection:
        connection.execute("SELECT 1")
        started = time.perf_counter()
        connection.execute(sql, parameters or None)
        return (time.perf_counter() - started) * 1000


def printed_by(*command: object, **environment: str) -> str:
    command = [str(part) for part in command]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, timeout=1200)
    if done.returncode != 0:
        raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


@dataclass
class Comparison:
    """Sides of one piece of work, each with the values of its takes. The first side is ours."""

    work: str
    unit: str
    more_is_better: bool = False
    takes: dict[str, list[float]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)

    def run(self, sides: dict[str, Callable[[], float | tuple[float, str]]], takes: int) -> Comparison:
        """Every side once, then every side again, so that all meet the machine in the same moods; a slow one only once."""
        slow = set()
        for _ in range(takes):
            for side, take in sides.items():
                if side in slow:
                    continue
                started = time.perf_counter()
                self.add(side, *taken if isinstance(taken := take(), tuple) else (taken,))
                if time.perf_counter() - started > TOO_SLOW_TO_REPEAT:
                    slow.add(side)
                    self.notes[side].append("1 take")
        return self

    def add(self, side: str, value: float, *notes: str) -> None:
        self.takes.setdefault(side, []).append(value)
        self.notes.setdefault(side, []).extend(notes)

    def median(self, side: str) -> float:
        return statistics.median(self.takes[side])

    def rows(self) -> list[tuple[str, str, str, str, str]]:
        ours = self.median(next(iter(self.takes)))
        rows = []
        for side, takes in self.takes.items():
            median = self.median(side)
            ratio = "" if median == ours else f"{median / ours:.2f}" if ours > 0 and median > 0 else "–"
            spread = f"{number(min(takes))} – {number(max(takes))}"
            notes = [note for note in self.notes[side] if note]
            rows.append((side, f"{number(median)} {self.unit}", spread, ratio, "; ".join(dict.fromkeys(notes))))
        return rows

    def print(self) -> None:
        print(f"\n{self.work} ({'more' if self.more_is_better else 'less'} is better)", flush=True)
        for side, median, spread, ratio, note in self.rows():
            print(f"  {side:44} {median:>16}   {spread:24} {ratio:>6}  {note}", flush=True)


def number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"


def machine() -> str:
    def first(command: list[str]) -> str:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip().splitlines()[0]

    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown processor")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    (version,), = execute("SHOW server_version")
    return (f"{datetime.date.today()}, {os.cpu_count()} cores ({model}), {memory:.0f} GiB; PostgreSQL {version}, "
            f"{first(['rustc', '--version'])}, psycopg {psycopg.__version__}")


class Report:
    """Writes RESULTS.md, section by section: each experiment replaces its own and leaves the others."""

    FILE = HERE / "RESULTS.md"

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.machine = machine()
        print(self.machine, flush=True)

    def add(self, name: str, title: str, comparisons: list[Comparison], remarks: str, seconds: float) -> None:
        print(f"  [{seconds:.0f} s]", flush=True)
        lines = [f"## {title}", "", f"`make bench ONLY={name}` took {seconds:.0f} s. {self.machine}.", ""]
        lines += ["| work | side | median | least – most | against ours | |", "|---|---|--:|--:|--:|---|"]
        for comparison in comparisons:
            better = "more" if comparison.more_is_better else "less"
            for at, row in enumerate(comparison.rows()):
                work = f"{comparison.work} ({better} is better)" if at == 0 else ""
                lines.append("| " + " | ".join((work, *row)) + " |")
        lines += ["", remarks.strip()] if remarks.strip() else []
        sections = self.written() | {name: "\n".join(lines)}
        self.FILE.write_text("\n\n".join([HEAD, *(sections[name] for name in self.names if name in sections)]) + "\n")

    def written(self) -> dict[str, str]:
        """The sections that are there, by the experiment that wrote them."""
        _, *sections = self.FILE.read_text().split("\n## ") if self.FILE.exists() else [""]
        named = ((re.search(r"make bench ONLY=([\w-]+)", section), section) for section in sections)
        return {name.group(1): f"## {section.strip()}" for name, section in named if name}


HEAD = """# Results of `make bench`

Written by bench/bench.py. A throwaway cluster (scripts/with-cluster: shared_buffers 256 MB, fsync and full_page_writes off,
autovacuum on) and the same data in every run. The sides of a comparison take turns within one run; each number is the median of 3
to 7 takes, with the least and the most. "Against ours" divides the side's median by that of ours. The statements are in bench/sql,
the other queues in bench/peers."""
