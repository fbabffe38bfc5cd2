-- Whether an assignment ($1) that the caller sees is this mentor's ($2). Index: assignments_pkey.
SELECT EXISTS (SELECT FROM assignment_reminders.assignments a WHERE a.id = $1 AND a.peer_mentor_id = $2) AS is_theirs
