-- The days of contacts of an organization ($1) as they were known from $2 to $3, in the time zone $4. What has no history is read as it is: most of it
-- has none; of what was known before, the last one tells. Index: row_history_organization_idx, once; assignments_organization_id_key,
-- activities_assignment_idx: the activities of the organization, all.
WITH changed AS MATERIALIZED (
    SELECT DISTINCT h.row_id FROM assignment_reminders.row_history h WHERE h.table_name = 'activities' AND h.organization_id = $1
)
SELECT t.assignment_id AS id, greatest(t.created_at, $2) AS valid_from, NULL::timestamptz AS valid_to, (max(t.occurred_at AT TIME ZONE $4))::date AS contact_on
  FROM assignment_reminders.assignments a
  -- OFFSET 0: the planner would read what all organizations have.
 CROSS JOIN LATERAL (SELECT t.* FROM assignment_reminders.activities t WHERE t.assignment_id = a.id OFFSET 0) AS t
 WHERE a.organization_id = $1 AND t.is_contact AND t.overruled_by IS NULL AND t.created_at <= $3
   AND t.id NOT IN (SELECT c.row_id FROM changed c)
 GROUP BY t.assignment_id, greatest(t.created_at, $2)
 UNION ALL
SELECT t.assignment_id, v.valid_from, v.valid_to, (t.occurred_at AT TIME ZONE $4)::date
  FROM assignment_reminders.row_versions('activities', $2, $3, $1, ARRAY(SELECT c.row_id FROM changed c)) AS v
 CROSS JOIN LATERAL jsonb_populate_record(NULL::assignment_reminders.activities, v.row_version) AS t
 WHERE t.is_contact AND t.overruled_by IS NULL
