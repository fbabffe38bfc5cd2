-- Of locked reminders ($5): skips those that wait for a person ($1), for the reason $6, and takes out of the errors of those addressed to
-- them all but the codes, and of others' the addresses ($2; $3 and $4 as in lock_quotes.sql); and those that claims handed out, of which nothing remains but that there was one: an answer is logged without. A claim stays: a worker who had sent one
-- already can still say so. Returns what forget_user.sql does, and which were skipped. Index: primary keys.
WITH told AS MATERIALIZED (
    SELECT r.id, waits.for_them AS is_skipped, texts.last_error, addresses.is_theirs
      FROM assignment_reminders.reminders r
      LEFT JOIN assignment_reminders.assignments a ON a.id = r.assignment_id
      LEFT JOIN assignment_reminders.peer_mentors m ON m.id = a.peer_mentor_id
     CROSS JOIN LATERAL assignment_reminders.reminder_kind(r.reminder_type) AS kind
     CROSS JOIN LATERAL (
           SELECT r.status = 'pending'
                  AND coalesce(assignment_reminders.addressee_id(
                          kind.addressee, m.user_id, a.coordinator_id, r.recipient_id, a.student_id) = $1, false) AS for_them
           ) AS waits
     CROSS JOIN LATERAL (
           SELECT CASE WHEN coalesce(r.recipient_id, a.student_id) = $1
                       THEN assignment_reminders.without_text(r.last_error)
                       ELSE assignment_reminders.without_addresses(r.last_error, $2, ARRAY(
                                SELECT s.address FROM unnest($3::uuid[], $4::text[]) AS s (organization_id, address)
                                 WHERE s.organization_id = r.organization_id)) END AS last_error
           ) AS texts
     CROSS JOIN LATERAL (
           SELECT coalesce(lower(r.claimed_email) = ANY ($2)
                           AND (coalesce(r.recipient_id, a.student_id) = $1
                                OR lower(r.claimed_email) <> ALL (ARRAY(
                                       SELECT s.address FROM unnest($3::uuid[], $4::text[]) AS s (organization_id, address)
                                        WHERE s.organization_id = r.organization_id))), false) AS is_theirs
           ) AS addresses
     WHERE r.id = ANY ($5) AND (waits.for_them OR texts.last_error IS DISTINCT FROM r.last_error OR addresses.is_theirs)
), written AS (
    UPDATE assignment_reminders.reminders r
       SET status = CASE WHEN told.is_skipped THEN 'skipped' ELSE r.status END,
           skip_reason = CASE WHEN told.is_skipped THEN $6 ELSE r.skip_reason END,
           last_error = told.last_error, claimed_email = CASE WHEN told.is_theirs THEN '' ELSE r.claimed_email END, updated_at = now()
      FROM told
     WHERE r.id = told.id
    RETURNING r.id, r.last_error IS NOT DISTINCT FROM told.last_error AND NOT (told.is_theirs AND r.claimed_email <> '')
                    AND NOT (told.is_skipped AND r.status = 'pending') AS is_as_told
)
SELECT coalesce(w.is_as_told, false) AS is_as_told, told.is_skipped FROM told LEFT JOIN written w ON w.id = told.id
