"""Measures the extension beside what a team would use instead. Run by bench/run, in a throwaway cluster.

usage: bench.py [<experiment> ...]      (all of them when none is named; each replaces its section of bench/RESULTS.md)
"""

from __future__ import annotations

import json
import re
import statistics
import sys
import time
from collections.abc import Callable

import daily_client
import growth
import http_load
import sending
from harness import AS_OF, BIN, HERE, RUN, TARGET, Comparison, Report, connect, do, execute, milliseconds, printed_by

EXPERIMENTS: dict[str, tuple[str, Callable[[], list[Comparison]], str]] = {}


def experiment(name: str, title: str, remarks: str = "") -> Callable:
    def register(measure: Callable[[], list[Comparison]]) -> Callable[[], list[Comparison]]:
        EXPERIMENTS[name] = (title, measure, remarks)
        return measure
    return register


# -- one call -------------------------------------------------------------------------------------------------------------

CALLS = 500_000
ARGUMENTS = "date '2026-10-20' + (n % 40), date '2026-09-01', timestamptz '2026-11-05 08:00+00', 14, 28, date '2026-11-22'"
INLINED = """CASE WHEN date '2026-11-22' - coalesce(date '2026-10-20' + (n % 40), date '2026-09-01') >= 28
                   AND (timestamptz '2026-11-05 08:00+00' AT TIME ZONE 'UTC')::date >= coalesce(date '2026-10-20' + (n % 40), date '2026-09-01')
                  THEN 'escalate'
                  WHEN date '2026-11-22' - coalesce(date '2026-10-20' + (n % 40), date '2026-09-01') >= 14 THEN 'remind' ELSE 'none' END"""


@experiment("call", "evaluate_assignment, one call, by values",
            "Per row, with the loop over generate_series that makes the calls; what that costs alone is the last line. In FROM, a "
            "function that is not inlined is a scan of its own for every row.")
def call() -> list[Comparison]:
    loop = f"generate_series(1, {CALLS}) AS n"

    def side(statement: str) -> Callable[[], float]:
        return lambda: milliseconds(statement) * 1000 / CALLS

    found = []
    for shape, template, nothing, inlined in (
        ("in FROM", "SELECT count(e.action) FROM {loop}, LATERAL {function}({arguments}) AS e",
         f"SELECT count(e.e) FROM {loop}, LATERAL int4abs(n) AS e",
         f"SELECT count(e.action) FROM {loop}, LATERAL (SELECT {INLINED} AS action, int4abs(n) AS days_since OFFSET 0) AS e"),
        ("in SELECT", "SELECT count({function}({arguments})) FROM {loop}",
         f"SELECT count(ROW(date '2026-10-20' + (n % 40), n)) FROM {loop}",
         f"SELECT count(ROW({INLINED}, n)) FROM {loop}"),
    ):
        def of(function: str, template: str = template) -> str:
            return template.format(loop=loop, function=function, arguments=ARGUMENTS)
        found.append(Comparison(f"one call, {shape}", "µs").run({
            "ours": side(of("assignment_reminders.evaluate_assignment")),
            "PL/pgSQL": side(of("bench.evaluate_assignment")),
            "SQL, inlined (limit)": side(inlined),
            "the loop alone": side(nothing),
        }, takes=7))
    return found


# -- triggers -------------------------------------------------------------------------------------------------------------

def own_triggers(state: str = "ENABLE") -> None:
    """Our triggers, on or (DISABLE) off, and no other."""
    for name in ("assignments", "activities", "peer_mentors", "reminders"):
        execute(f"ALTER TABLE assignment_reminders.{name} {state} TRIGGER USER",
                f"DROP TRIGGER IF EXISTS bench ON assignment_reminders.{name}")


def other_trigger(table: str, level: str, function: str) -> None:
    """One in PL/pgSQL in the place of ours."""
    own_triggers("DISABLE")
    execute(f"CREATE TRIGGER bench AFTER INSERT ON assignment_reminders.{table} {level} EXECUTE FUNCTION bench.{function}()")


def trigger_sides(table: str, row: str, statement: str) -> dict[str, Callable[[], None]]:
    return {
        "ours": own_triggers,
        "no trigger (limit)": lambda: own_triggers("DISABLE"),
        "PL/pgSQL, row by row": lambda: other_trigger(table, "FOR EACH ROW", row),
        "PL/pgSQL, by statement, ordered locks": lambda: other_trigger(
            table, "REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT", statement),
    }


COUNTS = trigger_sides("assignments", "count_row", "count_statement")
CONTACT = trigger_sides("activities", "contact_row", "contact_statement")


def wrong_counts() -> int:
    (wrong,), = execute("SELECT count(*) FROM assignment_reminders.verify_assignment_counts()")
    return wrong


def no_assignments() -> None:
    execute("SET session_replication_role = replica", "TRUNCATE assignment_reminders.assignments, assignment_reminders.row_history CASCADE")
    execute("SET session_replication_role = replica", "UPDATE assignment_reminders.peer_mentors SET assignment_count = 0",
            "VACUUM ANALYZE assignment_reminders.peer_mentors")


@experiment("assignments", "Insert 100,000 assignments in one statement",
            "Ours has every trigger of assignments in place, not only the one that counts.")
def assignments() -> list[Comparison]:
    do("people.sql", organizations=1, mentors=1000)

    def side(prepare: Callable[[], None], mentors: int, counts: bool) -> float:
        prepare()
        no_assignments()
        took = milliseconds(
            """INSERT INTO assignment_reminders.assignments (organization_id, title, student_id, peer_mentor_id, assigned_on)
               SELECT bench.id(1, 1), 'Assignment', bench.id(2, 1), bench.id(5, 1 + n %% %(mentors)s), date '2026-11-22'
                 FROM generate_series(1, 100000) AS n""", mentors=mentors)
        assert not counts or wrong_counts() == 0
        return took

    return [
        Comparison(f"100,000 assignments, {mentors:,} mentor{'s'[:mentors - 1]}", "ms").run({
            name: lambda prepare=prepare, mentors=mentors, name=name: side(prepare, mentors, "limit" not in name)
            for name, prepare in COUNTS.items()
        }, takes=5)
        for mentors in (1000, 1)
    ]


@experiment("assignments-concurrent", "Assignments by 8 clients at once",
            "pgbench, 5 seconds a take. A deadlock is counted, and its transaction not repeated. Ours also runs the triggers that keep clients "
            "from writing the count, which the others do without. With one mentor all wait for its row.")
def assignments_concurrent() -> list[Comparison]:
    do("people.sql", organizations=1, mentors=1000)

    def side(prepare: Callable[[], None], script: str, mentors: int, counts: bool) -> tuple[float, str]:
        prepare()
        no_assignments()
        report = printed_by(BIN / "pgbench", "--no-vacuum", "--client=8", "--jobs=2", "--time=5", "--protocol=prepared",
                            "--failures-detailed", f"--define=mentors={mentors}", f"--file={HERE / 'sql' / script}")
        assert not counts or wrong_counts() == 0
        rate = float(re.search(r"^tps = ([\d.]+)", report, re.MULTILINE).group(1))
        deadlocks = re.search(r"number of deadlock failures: (\d+)", report)
        return rate, f"{deadlocks.group(1)} deadlocks" if deadlocks and deadlocks.group(1) != "0" else ""

    return [
        Comparison(title, "tps", more_is_better=True).run({
            name: lambda prepare=prepare, script=script, mentors=mentors, name=name:
                side(prepare, script, mentors, "limit" not in name)
            for name, prepare in COUNTS.items()
        }, takes=3)
        for title, script, mentors in (
            ("single rows, 1,000 mentors", "insert_one.pgbench", 1000),
            ("single rows, 1 mentor", "insert_one.pgbench", 1),
            ("20 rows in random order, 1,000 mentors", "insert_twenty.pgbench", 1000),
            ("20 rows in random order, 50 mentors", "insert_twenty.pgbench", 50),
        )
    ]


@experiment("activities", "Insert 100,000 activities of 10,000 assignments in one statement",
            "Every contact date moves forward, and a tenth of the assignments has a reminder to withdraw. Both PL/pgSQL sides do that too.")
def activities() -> list[Comparison]:
    do("people.sql", organizations=1, mentors=1000)
    do("assignments.sql", assignments=10_000, one_due_of=10)

    def side(prepare: Callable[[], None]) -> float:
        own_triggers()
        execute("TRUNCATE assignment_reminders.activities, assignment_reminders.reminders, assignment_reminders.send_logs",
                "SET session_replication_role = replica", "UPDATE assignment_reminders.assignments SET last_contact_date = NULL")
        execute(RUN, as_of=AS_OF)
        execute("VACUUM FULL ANALYZE assignment_reminders.assignments")
        prepare()
        return milliseconds(
            """INSERT INTO assignment_reminders.activities (organization_id, assignment_id, occurred_at)
               SELECT bench.id(1, 1), bench.id(6, 1 + n % 10000), timestamptz '2026-11-21 12:00+00' + n * interval '1 second'
                 FROM generate_series(1, 100000) AS n""")

    return [Comparison("100,000 activities, 10,000 assignments", "ms").run(
        {name: lambda prepare=prepare: side(prepare) for name, prepare in CONTACT.items()}, takes=5)]


# -- the daily run --------------------------------------------------------------------------------------------------------

@experiment("daily", "The daily run",
            "Each take begins with an empty outbox. The statement by hand knows fewer cases than the run does (bench/sql/daily_by_hand.sql "
            "says which) and returns no rows. The client is Python with psycopg: a server-side cursor, the decision in Python, executemany; Debian's psycopg, which has no C part.")
def daily() -> list[Comparison]:
    by_hand = (HERE / "sql" / "daily_by_hand.sql").read_text()
    sides = {
        "ours": lambda: milliseconds(RUN, as_of=AS_OF),
        "one SQL statement by hand (limit)": lambda: milliseconds(by_hand, as_of=AS_OF),
        "PL/pgSQL loop": lambda: milliseconds("SELECT bench.run_daily_evaluation(%(as_of)s)", as_of=AS_OF),
        "client program (psycopg)": lambda: daily_client.run(AS_OF),
    }

    found = []
    for open_assignments, one_due_of, takes in ((10_000, 100, 5), (10_000, 5, 5), (1_000_000, 100, 3), (1_000_000, 5, 3)):
        do("people.sql", organizations=50, mentors=20)
        do("assignments.sql", assignments=open_assignments, one_due_of=one_due_of)
        execute("VACUUM ANALYZE")
        title = f"{open_assignments:,} open, {100 // one_due_of} % due"
        first, repeat = (Comparison(f"{title}: {which} run", "ms") for which in ("first", "repeat"))
        for _ in range(takes):
            for name, side in sides.items():
                execute("TRUNCATE assignment_reminders.reminders, assignment_reminders.send_logs")
                for comparison in (first, repeat):
                    comparison.add(name, side())
                    (enqueued,), = execute("SELECT count(*) FROM assignment_reminders.reminders")
                    assert enqueued == open_assignments // one_due_of, (name, enqueued)
                    # What autovacuum would do between two days.
                    execute("VACUUM ANALYZE assignment_reminders.reminders")
        found += [first, repeat]
    return found


@experiment("calendar", "The daily run with days off and pauses: 1,000 due among 1,000,000 assignments",
            "With: two weekly days off, 20 holidays in each of 50 organisations, and pauses of 1 % of the assignments, one in ten of which "
            "goes on; as many are due. \"Against ours\" is against without.")
def calendar() -> list[Comparison]:
    do("people.sql", organizations=50, mentors=20)
    do("assignments.sql", assignments=1_000_000, one_due_of=1_000)
    do("calendar.sql")
    execute("VACUUM ANALYZE", "CHECKPOINT")
    first, repeat = (Comparison(f"daily run: {which}", "ms") for which in ("first", "repeat, nothing due"))
    for _ in range(7):
        for side, days_off in (("without", "'{}'"), ("with days off and pauses", "'{3,4}'")):
            execute("TRUNCATE assignment_reminders.reminders, assignment_reminders.send_logs",
                    f"UPDATE assignment_reminders.reminder_settings SET weekly_days_off = {days_off}",
                    "TRUNCATE assignment_reminders.days_off, assignment_reminders.assignment_pauses")
            if side != "without":
                execute("INSERT INTO assignment_reminders.days_off SELECT * FROM bench.days_off",
                        "INSERT INTO assignment_reminders.assignment_pauses SELECT * FROM bench.assignment_pauses")
            execute("VACUUM ANALYZE assignment_reminders.days_off", "VACUUM ANALYZE assignment_reminders.assignment_pauses",
                    "VACUUM ANALYZE assignment_reminders.reminder_settings")
            for comparison in (first, repeat):
                comparison.add(side, milliseconds(RUN, as_of=AS_OF))
                (enqueued,), = execute("SELECT count(*) FROM assignment_reminders.reminders")
                assert enqueued == 1_000, (side, enqueued)
    execute("TRUNCATE assignment_reminders.organizations CASCADE", "DROP TABLE bench.days_off, bench.assignment_pauses")
    return [first, repeat]


# -- the queue ------------------------------------------------------------------------------------------------------------

# Of each take of a queue: so many jobs are there, and so long it lasts.
JOBS, SECONDS = 100_000, 10


def delivered(reminders: int, workers: int, batch: int, seconds: int, side: str = "ours") -> float:
    return per_second(delivery(reminders, workers, batch, seconds, side))


def delivery(reminders: int, workers: int, batch: int, seconds: int, side: str = "ours") -> str:
    """What deliver prints for an outbox of ours, which is made anew."""
    do("outbox.sql", reminders=reminders, sent=0)
    execute("VACUUM ANALYZE assignment_reminders.reminders", "CHECKPOINT")
    printed = printed_by(TARGET / "deliver", side, workers, batch, seconds)
    (sent, logged), = execute("""SELECT (SELECT count(*) FROM assignment_reminders.reminders WHERE status = 'sent'),
                                        (SELECT count(*) FROM assignment_reminders.send_logs WHERE status = 'queued')""")
    assert sent == logged == count_of(printed), (side, sent, logged, printed)
    return printed


def count_of(printed: str) -> int:
    return int(printed.split()[0])


def per_second(printed: str) -> float:
    count, seconds, *_ = printed.split()
    return int(count) / float(seconds)


def cpu_of(printed: str) -> float:
    """The microseconds of CPU that the server spent on each, as deliver prints them."""
    return float(printed.split()[2])


PEERS = HERE / "peers"
NODE = PEERS / "node_modules" / ".bin" / "node"
VENV = TARGET / "bench-venv"


def by_pgmq(jobs: int, workers: int, batch: int, seconds: int, side: str, payloads: str) -> str:
    """What deliver prints for a queue of pgmq, which is made anew, with these payloads."""
    if execute("SELECT to_regclass('pgmq.meta')") == [(None,)]:
        source, = VENV.glob("lib/python3*/site-packages/pgmq/sql/pgmq.sql")
        execute(source.read_text())
    execute("SELECT pgmq.drop_queue('deliver') FROM pgmq.list_queues() WHERE queue_name = 'deliver'", "SELECT pgmq.create('deliver')")
    execute(f"SELECT count(*) FROM pgmq.send_batch('deliver', ARRAY({payloads}))", jobs=jobs)
    execute("VACUUM ANALYZE pgmq.q_deliver", "CHECKPOINT")
    return printed_by(TARGET / "deliver", side, workers, batch, seconds)


FLOOR = "the floor: by hand, no check (limit)"
NAMED = "the floor, with address and names (limit)"


def title_of(reminders: int, workers: int, batch: int) -> str:
    return f"{reminders:,} reminders, {workers} worker{'s'[:workers - 1]}, " + (f"batches of {batch}" if batch > 1 else "one by one")


@experiment("queue", "Claim and mark",
            "Ours judges every reminder as it hands it out (contact, settings, preferences, opt-out, addresses: rows of five tables), hands out "
            "names and addresses with it, keeps it after it was sent and writes a log row; a job of the others is a number, and "
            "graphile-worker and pgmq delete it when it is done. A worker of theirs would have to do all this "
            "itself, in further statements: what that makes of the comparison is measured under \"The same work\". The floor claims, marks and logs "
            "by hand on our tables (bench/sql/floor_claim.sql and floor_mark.sql), planned once as ours is, and checks nothing: what these "
            "tables cost, whoever writes them; with address and names (floor_named_claim.sql), it also looks up and hands out what a message is made of, and "
            "keeps and logs where it went. "
            "Ours, the floor and pgmq, all of them SQL, have one client (tools/deliver). "
            "Of a claim of one, a third of the time goes into starting and ending its plan: claim batches. "
            "procrastinate has no batches: there it is the concurrency of a worker.")
def queue() -> list[Comparison]:
    do("people.sql", organizations=10, mentors=20)
    do("assignments.sql", assignments=JOBS, one_due_of=1)
    execute("VACUUM ANALYZE")
    numbers = "SELECT jsonb_build_object('reminder', n) FROM generate_series(1, %(jobs)s) AS n"
    found = []
    for workers, batch in ((4, 100), (1, 100), (4, 1), (1, 1)):
        peers = {
            "graphile-worker": (NODE, PEERS / "graphile.mjs"),
            "pg-boss": (NODE, PEERS / "pgboss.mjs"),
            "procrastinate": (VENV / "bin" / "python", PEERS / "procrastinate_peer.py"),
        }
        sides = {
            "ours": lambda workers=workers, batch=batch: delivered(JOBS, workers, batch, SECONDS),
            FLOOR: lambda workers=workers, batch=batch: delivered(JOBS, workers, batch, SECONDS, "floor"),
            NAMED: lambda workers=workers, batch=batch: delivered(JOBS, workers, batch, SECONDS, "floor-named"),
            "pgmq": lambda workers=workers, batch=batch: per_second(by_pgmq(JOBS, workers, batch, SECONDS, "pgmq", numbers)),
        }
        for name, program in peers.items():
            sides[name] = lambda program=program, workers=workers, batch=batch: per_second(
                printed_by(*program, workers, batch, SECONDS, JOBS))
        found.append(Comparison(title_of(JOBS, workers, batch), "/s", more_is_better=True).run(
            sides, takes=5 if (workers, batch) == (4, 100) else 3))
    return found


def jobs_of_a_team() -> str:
    """JOBS reminders, as ours and as jobs around which a team keeps its own tables; what selects their payloads."""
    do("people.sql", organizations=10, mentors=20)
    do("assignments.sql", assignments=JOBS, one_due_of=1)
    execute("DROP TABLE IF EXISTS bench.sent_reminders, bench.mail_log", "DROP VIEW IF EXISTS bench.jobs")
    do("team.sql")
    execute("VACUUM ANALYZE")
    return "SELECT payload FROM bench.jobs WHERE number <= %(jobs)s"


@experiment("same-work", "The same work",
            "What \"Claim and mark\" measures, with the work of a reminder in every side, as a team would write it around these queues: "
            "the task checks that the assignment is open, that there was no contact and no other due date since the job was queued, and that "
            "nobody opted out; looks "
            "up address and names; then keeps what was sent and writes a log row, in lean tables of the team's own (bench/sql/team.sql). Ours does "
            "that, and checks settings, preferences, pauses and limits besides. After each take the rows are counted. Statements are prepared. "
            "pg-boss: a batch is one statement to check and one to keep and log, in one transaction with complete(). pgmq, with our client: a read, "
            "one statement to check and one to keep and log, in one transaction with the delete; or, since pgmq is SQL, read and check in one "
            "statement, and keep, log and delete in another. graphile-worker hands each job to a task of its own, and completes it in "
            "another transaction, 24 tasks at once per worker in batches; with jobs of 100 the team queues arrays of 100 reminders instead, which "
            "fail and come again together.")
def same_work() -> list[Comparison]:
    payloads = jobs_of_a_team()

    def worked(side: Callable[[], str]) -> float:
        execute("TRUNCATE bench.sent_reminders, bench.mail_log", "CHECKPOINT")
        printed = side()
        (sent, logged, told), = execute("""SELECT count(*), count(l.id), count(DISTINCT (s.assignment_id, l.to_email))
                                             FROM bench.sent_reminders s FULL JOIN bench.mail_log l ON l.sent_reminder_id = s.id""")
        assert sent == logged == told == count_of(printed), (sent, logged, told, printed)
        return per_second(printed)

    found = []
    for workers, batch in ((4, 100), (4, 1), (1, 1)):
        def by_node(program: str, task: str, workers: int = workers, batch: int = batch) -> Callable[[], float]:
            return lambda: worked(lambda: printed_by(NODE, PEERS / program, workers, batch, SECONDS, JOBS, task))

        def by_sql(side: str, workers: int = workers, batch: int = batch) -> Callable[[], float]:
            return lambda: worked(lambda: by_pgmq(JOBS, workers, batch, SECONDS, side, payloads))

        sides = {
            "ours": lambda workers=workers, batch=batch: delivered(JOBS, workers, batch, SECONDS),
            "graphile-worker": by_node("graphile.mjs", "work"),
            "graphile-worker, jobs of 100": by_node("graphile.mjs", "work-of-100"),
            "pg-boss": by_node("pgboss.mjs", "work"),
            "pgmq": by_sql("pgmq-work"),
            "pgmq, merged into two statements (limit)": by_sql("pgmq-merged"),
        }
        if batch == 1:
            del sides["graphile-worker, jobs of 100"]
        found.append(Comparison(title_of(JOBS, workers, batch), "/s", more_is_better=True).run(sides, takes=5 if batch > 1 else 3))
    execute("DROP TABLE bench.sent_reminders, bench.mail_log", "DROP VIEW bench.jobs")
    return found


@experiment("cpu", "CPU of the server for claim and mark",
            "What \"Claim and mark\" and \"The same work\" do, of the sides that are SQL: the CPU time that the server's process spends on each reminder, "
            "after the first batch, which plans. Whatever else the machine does, it counts little; the least is the cleanest.")
def cpu() -> list[Comparison]:
    payloads = jobs_of_a_team()

    def by_team(side: str, jobs: int, batch: int) -> float:
        execute("TRUNCATE bench.sent_reminders, bench.mail_log")
        return cpu_of(by_pgmq(jobs, 1, batch, 60, side, payloads))

    found = [
        Comparison(title_of(jobs, 1, batch), "µs").run({
            "ours": lambda jobs=jobs, batch=batch: cpu_of(delivery(jobs, 1, batch, 60)),
            FLOOR: lambda jobs=jobs, batch=batch: cpu_of(delivery(jobs, 1, batch, 60, "floor")),
            NAMED: lambda jobs=jobs, batch=batch: cpu_of(delivery(jobs, 1, batch, 60, "floor-named")),
            "pgmq, the same work": lambda jobs=jobs, batch=batch: by_team("pgmq-work", jobs, batch),
            "pgmq, the same work, merged into two statements (limit)": lambda jobs=jobs, batch=batch: by_team("pgmq-merged", jobs, batch),
        }, takes=7)
        for jobs, batch in ((20_000, 100), (5_000, 1))
    ]
    execute("DROP TABLE bench.sent_reminders, bench.mail_log", "DROP VIEW bench.jobs")
    return found


@experiment("queue-large", "Claim and mark among 1,000,000 assignments of 50 organisations",
            "An old transaction keeps VACUUM, and everything else that removes dead rows, from what was sent since it began.")
def queue_large() -> list[Comparison]:
    do("people.sql", organizations=50, mentors=20)
    do("assignments.sql", assignments=1_000_000, one_due_of=1)
    execute("VACUUM ANALYZE")

    def held() -> float:
        do("outbox.sql", reminders=1_000_000, sent=0)
        execute("VACUUM ANALYZE assignment_reminders.reminders", "CHECKPOINT")
        with connect() as old:
            old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM assignment_reminders.organizations")
            return per_second(printed_by(TARGET / "deliver", "ours", 4, 100, 60))

    def claim_beside(sent: int) -> float:
        do("outbox.sql", reminders=sent + 1000, sent=sent)
        execute("VACUUM ANALYZE assignment_reminders.reminders")
        return milliseconds("SELECT count(*) FROM assignment_reminders.claim_reminders(100)")

    return [
        Comparison("4 workers, batches of 100", "/s", more_is_better=True).run({
            "10 s of 300,000 reminders": lambda: delivered(300_000, 4, 100, 10),
            "60 s of 1,000,000, an old transaction holding the xmin horizon": held,
        }, takes=3),
        Comparison("one claim of 100 in a new session, 1,000 pending", "ms").run({
            "nothing else in the outbox": lambda: claim_beside(0),
            "999,000 sent rows beside them": lambda: claim_beside(999_000),
        }, takes=5),
    ]


# -- history --------------------------------------------------------------------------------------------------------------

KEPT = ("organizations", "reminder_settings", "days_off", "users", "user_preferences", "peer_mentors", "assignments",
        "assignment_pauses", "mentor_pauses", "contact_corrections", "activities")
NOTED = {"reminders": ("reminders_note_enqueued", "reminders_keep_changed", "reminders_note_changed"), "evaluation_runs": ("evaluation_runs_note_held",)}


def history_triggers(state: str) -> None:
    """What keeps the history, on (ENABLE) or off (DISABLE); all other triggers stay."""
    tied = [(table, f"{table}_{name}") for table in KEPT for name in ("keep_updated", "keep_deleted", "keep_truncated", "note_insert")]
    tied += [(table, name) for table, names in NOTED.items() for name in names]
    execute(*(f"ALTER TABLE assignment_reminders.{table} {state} TRIGGER {name}" for table, name in tied))


@experiment("history", "What the history costs",
            "The same with and without the triggers that keep it. `rows_as_of()` is beside what reads the present rows as JSON.")
def history() -> list[Comparison]:
    do("people.sql", organizations=10, mentors=100)
    do("assignments.sql", assignments=100_000, one_due_of=5)
    execute("DROP TABLE IF EXISTS bench.deleted", "CREATE TABLE bench.deleted AS SELECT * FROM assignment_reminders.assignments WHERE id <= bench.id(6, 10000)", "VACUUM ANALYZE")

    def side(state: str, statement: str, *before: str) -> Callable[[], float]:
        def take() -> float:
            history_triggers(state)
            execute("SET session_replication_role = replica", "TRUNCATE assignment_reminders.row_history, assignment_reminders.reminder_events",
                    *before, "VACUUM ANALYZE assignment_reminders.assignments, assignment_reminders.reminders", "CHECKPOINT")
            return milliseconds(statement, as_of=AS_OF)
        return take

    def both(work: str, statement: str, *before: str) -> Comparison:
        return Comparison(work, "ms").run({
            "ours": side("ENABLE", statement, *before), "no history": side("DISABLE", statement, *before)}, takes=5)

    daily_run = both("the daily run, 20,000 due", RUN, "TRUNCATE assignment_reminders.reminders CASCADE")
    (enqueued,), = execute("SELECT count(*) FROM assignment_reminders.reminders")
    assert enqueued == 20_000, enqueued
    found = [
        daily_run,
        both("UPDATE of 100,000 assignments: title", "UPDATE assignment_reminders.assignments SET title = title || 'x'"),
        both("UPDATE of 100,000 assignments: status",
             "UPDATE assignment_reminders.assignments SET status = 'paused'",
             "UPDATE assignment_reminders.assignments SET status = 'open'", "TRUNCATE assignment_reminders.assignment_pauses"),
        both("INSERT of 100,000 activities of 10,000 assignments",
             """INSERT INTO assignment_reminders.activities (organization_id, assignment_id)
                SELECT a.organization_id, a.id FROM assignment_reminders.assignments a, generate_series(1, 10) WHERE a.id <= bench.id(6, 10000)""",
             "TRUNCATE assignment_reminders.activities", "UPDATE assignment_reminders.assignments SET last_contact_date = NULL"),
        both("DELETE of 10,000 assignments",
             "DELETE FROM assignment_reminders.assignments WHERE id BETWEEN bench.id(6, 1) AND bench.id(6, 10000)",
             "TRUNCATE assignment_reminders.reminders CASCADE",
             "INSERT INTO assignment_reminders.assignments SELECT * FROM bench.deleted ON CONFLICT DO NOTHING"),
    ]
    return [*found, as_of()]


def as_of() -> Comparison:
    do("people.sql", organizations=10, mentors=100)
    do("assignments.sql", assignments=1_000_000, one_due_of=5)
    history_triggers("ENABLE")
    execute("VACUUM ANALYZE")
    (moment,), = execute("SELECT clock_timestamp()::text")
    execute("UPDATE assignment_reminders.assignments SET title = title || 'x' WHERE id <= bench.id(6, 100000)", "VACUUM ANALYZE")
    return Comparison("1,000,000 assignments, 100,000 changed since", "ms").run({
        "rows_as_of()": lambda: milliseconds(f"SELECT count(row_version) FROM assignment_reminders.rows_as_of('assignments', '{moment}')"),
        "the present, as JSON": lambda: milliseconds("SELECT count(to_jsonb(a)) FROM assignment_reminders.assignments a"),
        "rows_as_of(), of one organization of ten": lambda: milliseconds(
            f"SELECT count(row_version) FROM assignment_reminders.rows_as_of('assignments', '{moment}', bench.id(1, 1))"),
        "rows_as_of(), of one row": lambda: milliseconds(
            f"SELECT count(row_version) FROM assignment_reminders.rows_as_of('assignments', '{moment}', NULL, ARRAY[bench.id(6, 1)])"),
        "contact_dates_as_of()": lambda: milliseconds(f"SELECT count(*) FROM assignment_reminders.contact_dates_as_of('{moment}')"),
    }, takes=3)


# -- why ------------------------------------------------------------------------------------------------------------------

CALLS_OF_WHY = 200


def each(statement: str) -> float:
    """How long one call for one of many assignments takes a session that is warm, the median of many."""
    with connect() as connection:
        times = []
        for n in range(CALLS_OF_WHY):
            call = statement.replace("$1", f"bench.id(6, {1 + n * 4_999})")
            started = time.perf_counter()
            connection.execute(call).fetchall()
            times.append((time.perf_counter() - started) * 1000)
        return statistics.median(times)


@experiment("why", "Why, what comes next, and what else would have been",
            "1,000,000 assignments of 10 organizations, a fifth of them due and reminded; of the 200 that are asked for, one by one, the median. The simulation has 10,000 "
            "assignments of one organization, with a year of contacts (bench/sql/year.sql). A side beside ours is what it cannot do without.")
def why() -> list[Comparison]:
    do("people.sql", organizations=10, mentors=100)
    do("assignments.sql", assignments=1_000_000, one_due_of=5)
    execute("SET session_replication_role = replica", "UPDATE assignment_reminders.history_horizon SET known_since = now() - interval '90 days'",
            "UPDATE assignment_reminders.assignments SET created_at = now() - (1 + hashtext(id::text) & 63) * interval '1 day'")
    execute(RUN, "VACUUM ANALYZE", as_of=AS_OF)
    (moment,), = execute("SELECT clock_timestamp()::text")
    (forgotten,), = execute("SELECT count(*) FROM assignment_reminders.forgotten_assignments()")
    assert forgotten == 0, forgotten
    found = [
        Comparison("nobody forgotten: forgotten_assignments(), 1,000,000 assignments", "ms").run({
            "ours": lambda: milliseconds("SELECT count(*) FROM assignment_reminders.forgotten_assignments()"),
            "the assignments, read once (limit)": lambda: milliseconds("SELECT count(*) FROM assignment_reminders.assignments WHERE status = 'open' AND follow_up"),
        }, takes=3),
        Comparison("one of 1,000,000 assignments", "ms").run({
            "explain_assignment(), now": lambda: each("SELECT * FROM assignment_reminders.explain_assignment($1)"),
            "explain_assignment(), of a past moment": lambda: each(f"SELECT * FROM assignment_reminders.explain_assignment($1, '{moment}')"),
            "assignment_timeline()": lambda: each("SELECT * FROM assignment_reminders.assignment_timeline($1)"),
            "evaluate_assignment()": lambda: each("SELECT * FROM assignment_reminders.evaluate_assignment($1)"),
        }, takes=3),
        Comparison("an organization's 100,000 assignments of 1,000,000", "ms").run({
            "its list: assignment_outlooks()": lambda: milliseconds("SELECT count(*) FROM assignment_reminders.assignment_outlooks(now(), bench.id(1, 1))"),
            "its statement of a month: mentor_statement()": lambda: milliseconds(
                "SELECT count(*) FROM assignment_reminders.mentor_statement(current_date - 40, current_date - 10, bench.id(1, 1))"),
        }, takes=3),
    ]
    do("people.sql", organizations=1, mentors=1_000)
    do("assignments.sql", assignments=10_000, one_due_of=5)
    do("year.sql", assignments=10_000)
    execute("VACUUM ANALYZE")
    year = "SELECT sum(reminders) FROM assignment_reminders.simulate_follow_ups(bench.id(1, 1), current_date - 365, current_date"
    return [*found, Comparison("simulate_follow_ups(), a year of 10,000 assignments", "ms").run({
        "the settings that held": lambda: milliseconds(f"{year})"),
        "others": lambda: milliseconds(year + """, '{"reminder_after_days": 10, "weekly_days_off": [6, 7]}')"""),
    }, takes=3)]


# -- row security ---------------------------------------------------------------------------------------------------------

PAGES = 500


def page(statement: str, user: int) -> float:
    """How long one page takes a member's session, planning included."""
    claims = json.dumps({"sub": f"00000000-0000-0000-0099-{user:012}", "organization_id": "00000000-0000-0000-0001-000000000001"})
    with connect() as connection:
        connection.execute("SET ROLE bench_member")
        connection.execute("SELECT set_config('request.jwt.claims', %s, false)", [claims])
        assert len(connection.execute(statement).fetchall()) == 50
        started = time.perf_counter()
        for _ in range(PAGES):
            connection.execute(statement).fetchall()
        return (time.perf_counter() - started) * 1000 / PAGES


@experiment("row-security", "Pages under enable_row_security(), among 100,000 assignments",
            "One organization, 1,000 mentors. Each statement is planned each time, as PostgREST's are at first. Both ask for what they want, "
            "and the policies check it.")
def row_security() -> list[Comparison]:
    do("people.sql", organizations=1, mentors=1000)
    do("assignments.sql", assignments=100_000, one_due_of=10)
    execute("UPDATE assignment_reminders.users SET auth_user_id = bench.id(99, 0), role = 'coordinator' WHERE id = bench.id(3, 1)",
            "UPDATE assignment_reminders.users SET auth_user_id = bench.id(99, 1) WHERE id = bench.id(4, 1)", "VACUUM ANALYZE")

    def with_policies() -> None:
        execute("SELECT assignment_reminders.enable_row_security('bench_member')")

    def without() -> None:
        execute("SELECT assignment_reminders.disable_row_security()", "GRANT USAGE ON SCHEMA assignment_reminders TO bench_member",
                "GRANT SELECT ON ALL TABLES IN SCHEMA assignment_reminders TO bench_member")

    def side(prepare: Callable[[], None], statement: str, user: int) -> float:
        prepare()
        return page(statement, user)

    return [
        Comparison(title, "ms").run({
            "ours": lambda statement=statement, user=user: side(with_policies, statement, user),
            "no row security": lambda statement=statement, user=user: side(without, statement, user),
        }, takes=7)
        for title, statement, user in (
            ("a mentor's page: their assignments with the students", (HERE / "sql" / "page_of_mentor.sql").read_text(), 1),
            ("a coordinator's list: the longest silent, with everybody", (HERE / "sql" / "list_of_coordinator.sql").read_text(), 0),
        )
    ]


# -- over HTTP ------------------------------------------------------------------------------------------------------------

@experiment("http", "remindersd serve, with row security, among 100,000 assignments",
            "wrk on the same two cores. Each request is a transaction of its own in the caller's role, with its claims; its statements are planned each "
            "time. pgbench sends the same ones, without HTTP and JWT. The service keeps 10 connections to the database.")
def over_http() -> list[Comparison]:
    do("people.sql", organizations=1, mentors=1000)
    do("assignments.sql", assignments=100_000, one_due_of=10)
    return http_load.measure()


# -- sending --------------------------------------------------------------------------------------------------------------

experiment("deliver", "remindersd deliver, to a mail server that takes everything",
           "The mail server and what sends SMTP alone are tools/mail: neither does anything with a message; both give and take the commands one by one, as ours does. Ours has 4 "
           "connections and batches of 100, its defaults, and row security on; the example has one connection, claims batches of 100, and sends text alone. Each message is "
           "answered for in a transaction of its own, before its connection takes the next: where the mail server takes no time, that is what takes it. Memory is VmHWM; the startup of the processes is in the time.")(sending.measure)


# -- growth ---------------------------------------------------------------------------------------------------------------

experiment("growth", "Growth: 1,000 due, ever more assignments",
           "![Time of a run and of an insert by number of assignments](growth.png)\n\n"
           "\"Against ours\" is against 10,000 assignments here.")(growth.measure)


def main() -> None:
    names = sys.argv[1:] or list(EXPERIMENTS)
    unknown = [name for name in names if name not in EXPERIMENTS]
    if unknown:
        sys.exit(f"bench: no experiment {', '.join(unknown)}; there are {', '.join(EXPERIMENTS)}")
    do("setup.sql")
    report = Report(list(EXPERIMENTS))
    for name in names:
        title, measure, remarks = EXPERIMENTS[name]
        print(f"\n== {title}  (make bench ONLY={name})", flush=True)
        own_triggers()
        started = time.perf_counter()
        comparisons = measure()
        for comparison in comparisons:
            comparison.print()
        report.add(name, title, comparisons, remarks, time.perf_counter() - started)


if __name__ == "__main__":
    main()
