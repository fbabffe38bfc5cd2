-- Somebody ($1) whose row of users was deleted, by the addresses that they had when it was: no row where the history knows of none.
-- Where an address is somebody else's now, it is theirs. Index: row_history_pkey. Reads users whole, which has no index by address.
SELECT coalesce((SELECT array_agg(DISTINCT lower(h.old_values ->> 'email'))
                   FROM assignment_reminders.row_history h
                  WHERE h.row_id = $1 AND h.table_name = 'users' AND h.old_values ->> 'email' LIKE '%@%'
                    AND NOT EXISTS (SELECT FROM assignment_reminders.users u
                                     WHERE u.organization_id = h.organization_id AND lower(u.email) = lower(h.old_values ->> 'email'))),
                '{}') AS addresses
 WHERE EXISTS (SELECT FROM assignment_reminders.row_history h
                WHERE h.row_id = $1 AND h.table_name = 'users' AND h.operation = 'delete')
