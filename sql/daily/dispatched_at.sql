-- When the mentor's reminder of this silence was dispatched: sent, or given up because it could not reach them. Silence
-- must not fall through because a mail bounced or nobody can be written to. NULL: not dispatched, or still waiting for
-- a worker, who will find out.
--
-- mentor_unreachable: why the mentor cannot be written to at as_of, if so; in_this_silence: whether the reminder's anchor
-- is where the silence began. scheduled_for counts where it is later, so that a simulated as_of agrees with itself.
CREATE FUNCTION assignment_reminders.dispatched_at(
    mentor_unreachable text, in_this_silence boolean, status text, skip_reason text,
    sent_at timestamptz, scheduled_for timestamptz, as_of timestamptz
) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN in_this_silence AND status = 'pending'
                THEN NULL
                WHEN in_this_silence
                 AND (status IN ('sent', 'failed')
                      OR (status = 'skipped' AND skip_reason IN ('no_mentor', 'no_address', 'opted_out')))
                THEN greatest(sent_at, scheduled_for)
                WHEN mentor_unreachable IS NOT NULL THEN as_of
           END
$$;
