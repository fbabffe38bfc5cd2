"""`remindersd deliver` and the example worker, to a mail server that takes everything (tools/mail)."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from harness import ROOT, TARGET, Comparison, do, execute, printed_by

# SMALL=yes: to see whether all runs.
MESSAGES, MOST, FAR_AWAY = (500, 2_000, 200) if os.environ.get("SMALL") else (10_000, 100_000, 1_000)
# What ours have with text, HTML and headers.
BYTES = 6_000
# As a mail server in the same region answers.
LATENCY = 10
PENDING = "SELECT EXISTS (SELECT FROM assignment_reminders.reminders WHERE status = 'pending')"
LINK = "https://your.host/unsubscribe"


@dataclass
class Worker:
    """A program that sends, and the environment that it is told the rest by."""

    command: list
    environment: dict[str, str]


def ours(port: str) -> Worker:
    database = f"host={os.environ['PGHOST']} port={os.environ['PGPORT']} user=bench_sender dbname={os.environ['PGDATABASE']}"
    links = f'{{unsubscribe="{LINK}/{{token}}?type={{type}}",assignment="https://app.example.org/assignments/{{assignment_id}}"}}'
    return Worker([TARGET / "remindersd", "deliver"], {
        "REMINDERSD_LOG": "error", "REMINDERSD_DATABASE__URL": database, "REMINDERSD_DELIVER__SMTP": f"smtp://127.0.0.1:{port}",
        "REMINDERSD_DELIVER__FROM": "reminders@example.org", "REMINDERSD_TEXTS__LINKS": links})


def example(port: str) -> Worker:
    return Worker(["/usr/bin/python3", ROOT / "examples" / "worker" / "worker.py", "127.0.0.1", port, "reminders@example.org", LINK], {"PGUSER": "bench_sender"})


@contextmanager
def sink(latency: int = 0) -> Iterator[str]:
    """Its port."""
    with subprocess.Popen([TARGET / "mail", "sink", str(latency)], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def bare(port: str, messages: int) -> float:
    """Messages a second over four connections, as many as one of ours has."""
    return messages / float(printed_by(TARGET / "mail", "send", port, 4, messages, BYTES))


def fill(messages: int) -> None:
    """As many messages that are due, each to somebody else."""
    do("people.sql", organizations=1, mentors=messages)
    do("assignments.sql", assignments=messages, one_due_of=1)


def peak(process: subprocess.Popen) -> float:
    """How many MiB of memory it has had at most, so far; 0 when it has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        if found := re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text()):
            return int(found.group(1)) / 1024
    return 0.0


def sent_by(worker: Worker, workers: int, messages: int) -> tuple[float, float]:
    """Messages a second, from the start of the processes until the last is answered for, and the most memory of one of them."""
    do("outbox.sql", reminders=messages, sent=0)
    execute("TRUNCATE assignment_reminders.claim_rates", "VACUUM ANALYZE", "CHECKPOINT")
    started, memory = time.perf_counter(), 0.0
    processes = [subprocess.Popen(worker.command, env=os.environ | worker.environment) for _ in range(workers)]
    try:
        while execute(PENDING) == [(True,)]:
            memory = max(memory, *map(peak, processes))
            time.sleep(0.02)
        took = time.perf_counter() - started
    finally:
        for process in processes:
            process.terminate()
            process.wait()
    (sent,), = execute("SELECT count(*) FROM assignment_reminders.send_logs WHERE status = 'queued'")
    assert sent == messages, sent
    return messages / took, memory


def measure() -> list[Comparison]:
    execute("DROP ROLE IF EXISTS bench_sender, bench_worker", "CREATE ROLE bench_worker", "CREATE ROLE bench_sender LOGIN IN ROLE bench_worker",
            "SELECT assignment_reminders.enable_row_security('bench_member', 'bench_worker')")
    found = []
    fill(MESSAGES)
    with sink() as port:
        found.append(Comparison(f"{MESSAGES:,} messages, answered at once", "/s", more_is_better=True).run({
            "ours, 1 worker": lambda: sent_by(ours(port), 1, MESSAGES)[0],
            "ours, 4 workers": lambda: sent_by(ours(port), 4, MESSAGES)[0],
            "the example in Python, 1 worker": lambda: sent_by(example(port), 1, MESSAGES)[0],
            "the example in Python, 4 workers": lambda: sent_by(example(port), 4, MESSAGES)[0],
            "SMTP alone, 4 connections (limit)": lambda: bare(port, MESSAGES),
        }, takes=3))
    fill(FAR_AWAY)
    with sink(LATENCY) as port:
        found.append(Comparison(f"{FAR_AWAY:,} messages, each answer after {LATENCY} ms", "/s", more_is_better=True).run({
            "ours, 1 worker": lambda: sent_by(ours(port), 1, FAR_AWAY)[0],
            "the example in Python, 1 worker": lambda: sent_by(example(port), 1, FAR_AWAY)[0],
            "SMTP alone, 4 connections (limit)": lambda: bare(port, FAR_AWAY),
        }, takes=3))
    memory = Comparison("the most memory of the process", "MiB")
    with sink() as port:
        for messages in (MESSAGES, MOST):
            fill(messages)
            memory.run({f"ours, {messages:,} messages": lambda messages=messages, port=port: sent_by(ours(port), 1, messages)[1]}, takes=1)
    execute("SELECT assignment_reminders.disable_row_security()", "DROP OWNED BY bench_worker", "DROP ROLE bench_sender, bench_worker")
    return [*found, memory]
