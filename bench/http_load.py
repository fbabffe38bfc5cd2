"""The service under load, beside the same transactions by pgbench."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from harness import BIN, HERE, TARGET, Comparison, execute, printed_by

SECRET = "a secret of at least thirty-two bytes, of the bench"
CLAIMS = {"sub": f"00000000-0000-0000-0099-{0:012}", "organization_id": "00000000-0000-0000-0001-000000000001",
          "role": "bench_member", "aud": "authenticated", "exp": int(time.time()) + 7200}


def token() -> str:
    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    signed = part(b'{"alg":"HS256"}') + "." + part(json.dumps(CLAIMS).encode())
    return signed + "." + part(hmac.digest(SECRET.encode(), signed.encode(), hashlib.sha256))


@contextmanager
def service() -> Iterator[str]:
    """The service, on a port of its own, and its URL."""
    environment = os.environ | {
        "REMINDERSD_LOG": "error",
        "REMINDERSD_DATABASE__URL": f"host={os.environ['PGHOST']} port={os.environ['PGPORT']} user=bench_gateway dbname={os.environ['PGDATABASE']}",
        "REMINDERSD_HTTP__LISTEN": "127.0.0.1:0", "REMINDERSD_HTTP__REQUESTS_PER_MINUTE": "0",
        "REMINDERSD_JWT__SECRET": SECRET, "REMINDERSD_JWT__AUDIENCE": "authenticated", "REMINDERSD_JWT__ROLES": '["bench_member"]',
    }
    with subprocess.Popen([TARGET / "remindersd", "serve"], env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().strip().removeprefix("listening on ")
        finally:
            process.terminate()


def wrk(url: str, script: str, connections: int) -> tuple[float, float]:
    """Requests a second, and the milliseconds that 99 of 100 took at most."""
    report = printed_by("wrk", "--threads=2", f"--connections={connections}", "--duration=8s", "--latency", "--timeout=10s",
                        f"--script={HERE / 'http' / script}", url, TOKEN=token())
    assert "Non-2xx" not in report and "Socket errors" not in report, report
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", report).groups()
    return float(re.search(r"Requests/sec:\s+([\d.]+)", report).group(1)), float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def pgbench(script: str, clients: int) -> float:
    report = printed_by(BIN / "pgbench", "--no-vacuum", f"--client={clients}", "--jobs=2", "--time=8", "--protocol=extended",
                        f"--file={HERE / 'http' / script}", "--define", f"claims={json.dumps(CLAIMS)}", PGUSER="bench_gateway")
    return float(re.search(r"^tps = ([\d.]+)", report, re.MULTILINE).group(1))


def measure() -> list[Comparison]:
    execute("SELECT assignment_reminders.enable_row_security('bench_member')", "DROP ROLE IF EXISTS bench_gateway",
            "CREATE ROLE bench_gateway LOGIN NOINHERIT", "GRANT bench_member TO bench_gateway",
            "UPDATE assignment_reminders.users SET auth_user_id = bench.id(99, 0), role = 'coordinator' WHERE id = bench.id(3, 1)",
            "VACUUM ANALYZE")
    found = []
    with service() as url:
        for title, script in (("GET an assignment by id", "get"), ("POST an activity", "post")):
            late = Comparison(f"{title}: 99 of 100 answered within", "ms")

            def over_http(connections: int, script: str = script, late: Comparison = late) -> float:
                rate, slowest = wrk(url, f"{script}.lua", connections)
                late.add(f"{connections} connections", slowest)
                return rate

            found.append(Comparison(title, "/s", more_is_better=True).run({
                "ours, 32 connections": lambda: over_http(32),
                "ours, 200 connections": lambda: over_http(200),
                "pgbench, the same transaction, 10 clients (limit)": lambda script=script: pgbench(f"{script}.pgbench", 10),
            }, takes=3))
            found.append(late)
    execute("SELECT assignment_reminders.disable_row_security()", "DROP ROLE bench_gateway")
    return found
