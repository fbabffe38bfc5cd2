-- Of locked logs ($4): those of messages to an address ($1) lose it, and of their errors all but the codes stays; other texts lose the
-- addresses. $2 and $3 as $3 and $4 in lock_quotes.sql. Returns what forget_user.sql does. Index: send_logs_pkey.
WITH told AS MATERIALIZED (
    SELECT l.id, CASE WHEN is_to.them THEN NULL ELSE l.to_email END AS to_email,
           assignment_reminders.without_addresses(l.from_inbox, $1, spared.addresses) AS from_inbox,
           CASE WHEN is_to.them OR l.to_email IS NULL THEN assignment_reminders.without_text(l.error)
                ELSE assignment_reminders.without_addresses(l.error, $1, spared.addresses) END AS error
      FROM assignment_reminders.send_logs l
     CROSS JOIN LATERAL (
           SELECT ARRAY(SELECT s.address FROM unnest($2::uuid[], $3::text[]) AS s (organization_id, address)
                         WHERE s.organization_id = l.organization_id) AS addresses
           ) AS spared
     CROSS JOIN LATERAL (
           SELECT coalesce(lower(l.to_email) = ANY ($1) AND lower(l.to_email) <> ALL (spared.addresses)
                           OR assignment_reminders.without_addresses(l.to_email, $1, spared.addresses) <> l.to_email, false) AS them
           ) AS is_to
     WHERE l.id = ANY ($4)
), written AS (
    UPDATE assignment_reminders.send_logs l
       SET to_email = told.to_email, from_inbox = told.from_inbox, error = told.error
      FROM told
     WHERE l.id = told.id
    RETURNING l.id, (l.to_email, l.from_inbox, l.error)
                    IS NOT DISTINCT FROM (told.to_email, told.from_inbox, told.error) AS is_as_told
)
SELECT coalesce(w.is_as_told, false) AS is_as_told FROM told LEFT JOIN written w ON w.id = told.id
