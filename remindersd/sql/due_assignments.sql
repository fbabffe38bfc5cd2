-- $1: unit, $2: targets, $3: tolerance in minutes, $4: limit, $5 to $7: target, due date and id of the last row of the page before.
SELECT to_jsonb(d) AS row
  FROM assignment_reminders.due_assignments(
       unit => $1, targets => $2, tolerance => $3, after_target => $5, after_due_at => $6, after_assignment_id => $7, page_size => $4) AS d
