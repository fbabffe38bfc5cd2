-- Changes what $2 names of the assignment $1, where it still is one of the versions $3 (NULL: whichever it is).
-- A row where the caller sees the assignment: its version as seen, and the row as written; NULL where it was not.
WITH seen AS MATERIALIZED (
    SELECT a.xmin::text AS version FROM assignment_reminders.assignments a WHERE a.id = $1
), written AS (
    UPDATE assignment_reminders.assignments a
       SET (title, description, student_id, peer_mentor_id, coordinator_id, due_at, status, assigned_on, metadata)
           = (SELECT n.title, n.description, n.student_id, n.peer_mentor_id, n.coordinator_id, n.due_at, n.status,
                     n.assigned_on, n.metadata
                FROM jsonb_populate_record(a, $2::text::jsonb) AS n)
     WHERE a.id = $1 AND ($3::text[] IS NULL OR a.xmin::text = ANY ($3))
    RETURNING a.xmin::text AS version, to_jsonb(a) AS row
)
SELECT seen.version AS seen, written.version, written.row FROM seen LEFT JOIN written ON true
