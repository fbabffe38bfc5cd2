              -- What a claim picks of each organization with a rate limit first, after pick.sql: what goes to students about due dates, which comes too
              -- late when it waits. Follow-ups, summaries and notices name whom they go to. Index: reminders_students_idx, once per organization.
              AND r.recipient_id IS NULL
              AND greatest(r.scheduled_for, r.retry_at, r.scheduled_for) <= $1
              AND (greatest(r.scheduled_for, r.retry_at, r.scheduled_for), r.number) > (o.after_available_at, o.after_number)
            ORDER BY greatest(r.scheduled_for, r.retry_at, r.scheduled_for), r.number
            LIMIT o.size
