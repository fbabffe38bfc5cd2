"""How the daily run and an insert grow with the number of assignments, when as many are due as before."""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from harness import AS_OF, HERE, RUN, Comparison, do, execute, milliseconds

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
DUE = 1_000
TAKES = 5
INSERT = """
INSERT INTO assignment_reminders.assignments (organization_id, title, student_id, peer_mentor_id, coordinator_id, assigned_on)
SELECT bench.id(1, organization), 'One more', bench.id(2, organization), bench.id(5, n), bench.id(3, organization), date '2026-11-20'
  FROM generate_series(1, 1000) AS n, LATERAL (SELECT 1 + (n - 1) / 20 AS organization) AS place
"""


def measure() -> list[Comparison]:
    found = {what: Comparison(what, "ms") for what in
             ("daily run, 1,000 due: first", "daily run: repeat, nothing due", "insert of 1,000 assignments, one statement")}
    first, repeat, insert = found.values()
    for size in SIZES:
        do("people.sql", organizations=50, mentors=20)
        do("assignments.sql", assignments=size, one_due_of=size // DUE)
        execute("VACUUM ANALYZE")
        execute("CHECKPOINT")
        side = f"{size:,} assignments"
        for _ in range(TAKES):
            execute("TRUNCATE assignment_reminders.reminders, assignment_reminders.send_logs")
            for comparison in (first, repeat):
                comparison.add(side, milliseconds(RUN, as_of=AS_OF))
                assert execute("SELECT count(*) FROM assignment_reminders.reminders") == [(DUE,)]
            insert.add(side, milliseconds(INSERT))
    plot(list(found.values()))
    execute("TRUNCATE assignment_reminders.organizations CASCADE")
    return list(found.values())


def plot(comparisons: list[Comparison]) -> None:
    figure, axes = plt.subplots(figsize=(7, 4.5))
    for comparison in comparisons:
        medians = [comparison.median(side) for side in comparison.takes]
        errors = ([median - min(takes) for median, takes in zip(medians, comparison.takes.values())],
                  [max(takes) - median for median, takes in zip(medians, comparison.takes.values())])
        axes.errorbar(SIZES, medians, yerr=errors, marker="o", capsize=3, label=comparison.work)
    axes.set(xscale="log", yscale="log", xlabel="assignments", ylabel="milliseconds (median, least and most)",
             title="1,000 due, ever more assignments")
    axes.grid(True, which="both", alpha=0.25)
    axes.legend()
    figure.tight_layout()
    figure.savefig(HERE / "growth.png", dpi=110, metadata={"Software": None})
