"""The daily run as a program outside of the database would do it: read the open assignments, decide, write back."""

from __future__ import annotations

import datetime
import time
from zoneinfo import ZoneInfo

import psycopg

READ = """
SELECT a.id, a.organization_id, a.coordinator_id, a.last_contact_date, a.assigned_on, m.user_id,
       s.reminder_after_days, s.escalate_after_days, o.timezone, r.anchor, r.status
  FROM assignment_reminders.assignments a
  JOIN assignment_reminders.organizations o ON o.id = a.organization_id
  JOIN assignment_reminders.reminder_settings s ON s.organization_id = a.organization_id
  JOIN assignment_reminders.peer_mentors m ON m.id = a.peer_mentor_id
  JOIN assignment_reminders.users u ON u.id = m.user_id AND u.email IS NOT NULL AND NOT u.contact_opt_out
  LEFT JOIN assignment_reminders.reminders r ON r.assignment_id = a.id AND r.reminder_type = 'contact-reminder'
 WHERE a.status = 'open'
"""

WRITE = """
INSERT INTO assignment_reminders.reminders AS r
       (id, organization_id, assignment_id, recipient_id, reminder_type, anchor, scheduled_for)
VALUES (assignment_reminders.time_ordered_id(), %s, %s, %s, %s, %s, %s)
    ON CONFLICT (assignment_id, reminder_type) DO UPDATE
   SET recipient_id = excluded.recipient_id, anchor = excluded.anchor, scheduled_for = excluded.scheduled_for,
       status = 'pending', sent_at = NULL, attempts = 0
 WHERE r.anchor IS DISTINCT FROM excluded.anchor
"""


def run(as_of: str) -> float:
    """Milliseconds of one run in a new session, the connecting left out."""
    moment = datetime.datetime.fromisoformat(as_of)
    with psycopg.connect() as connection:
        connection.execute("SELECT 1")
        connection.commit()
        started = time.perf_counter()
        today: dict[str, datetime.date] = {}
        due = []
        with connection.cursor("open_assignments", binary=True) as cursor:
            cursor.itersize = 10_000
            cursor.execute(READ)
            for (assignment, organization, coordinator, contact, assigned, mentor, remind, escalate, zone, anchor, status) in cursor:
                if zone not in today:
                    today[zone] = moment.astimezone(ZoneInfo(zone)).date()
                since = contact or assigned
                silent = datetime.datetime(since.year, since.month, since.day, tzinfo=datetime.timezone.utc)
                days = (today[zone] - since).days
                if days >= escalate and anchor == silent and status == "sent":
                    due.append((organization, assignment, coordinator, "contact-escalation", silent, moment))
                elif days >= remind and anchor != silent:
                    due.append((organization, assignment, mentor, "contact-reminder", silent, moment))
        with connection.cursor() as cursor:
            cursor.executemany(WRITE, due)
        connection.commit()
        return (time.perf_counter() - started) * 1000
