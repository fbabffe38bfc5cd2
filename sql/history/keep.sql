-- Keeps what a statement changed of a table ($1): of each row ($2; its organization, $3, what it belongs to, $4) what was done ($5) and
-- the values that it had ($6, JSON). $7 and $8: who wrote, $9: when. Of one row, time does not go back where the clock did.
-- Index: row_history_organization_idx for the latest change of the table, once per organization; row_history_pkey for the row's where that is later.
WITH latest AS MATERIALIZED (
    SELECT o.organization_id,
           (SELECT h.changed_at FROM assignment_reminders.row_history h
             WHERE h.organization_id = o.organization_id AND h.table_name = $1 ORDER BY h.changed_at DESC LIMIT 1) AS changed_at
      FROM (SELECT DISTINCT organization_id FROM unnest($3::uuid[]) AS o (organization_id)) AS o
)
INSERT INTO assignment_reminders.row_history
       (organization_id, table_name, row_id, belongs_to, operation, old_values, changed_at, changed_by, changed_by_user)
SELECT change.organization_id, $1, change.row_id, change.belongs_to, change.operation, change.old_values::jsonb,
       CASE WHEN $9 < latest.changed_at
            THEN greatest($9, (SELECT max(h.changed_at) FROM assignment_reminders.row_history h
                                WHERE h.row_id = change.row_id AND h.table_name = $1))
            ELSE $9 END,
       $7, $8
  FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[]) WITH ORDINALITY
       AS change (row_id, organization_id, belongs_to, operation, old_values, place)
  JOIN latest USING (organization_id)
 -- A row that gets another's key ends, and begins, in this order: they are numbered by it.
 ORDER BY change.place
