-- When a reminder was dispatched, whether it reached its person or was given up: silence must not fall through because
-- a mail bounced or nobody could be written to. NULL: not dispatched. scheduled_for counts where it is later, so that a
-- simulated as_of agrees with itself. The caller compares the anchor.
CREATE FUNCTION assignment_reminders.dispatched_at(
    status text, skip_reason text, sent_at timestamptz, scheduled_for timestamptz
) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN status IN ('sent', 'failed')
                  OR (status = 'skipped' AND skip_reason IN ('no_mentor', 'no_address', 'opted_out'))
                THEN greatest(sent_at, scheduled_for)
           END
$$;
