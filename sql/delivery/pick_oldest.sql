              -- What a claim picks of each organization, after pick.sql: the oldest. Index: reminders_pending_idx, once per organization.
              AND greatest(r.scheduled_for, r.retry_at) <= $1
              AND (greatest(r.scheduled_for, r.retry_at), r.number) > (o.after_available_at, o.after_number)
            ORDER BY greatest(r.scheduled_for, r.retry_at), r.number
            LIMIT o.size
