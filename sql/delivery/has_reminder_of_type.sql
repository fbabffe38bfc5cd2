-- Whether a person ($1) has a reminder of this type ($2), whatever became of it. Index: reminders_recipient_idx,
-- assignments_student_due_at_idx, reminders_assignment_type_key.
SELECT EXISTS (SELECT FROM assignment_reminders.reminders r WHERE r.recipient_id = $1 AND r.reminder_type = $2)
       OR EXISTS (SELECT FROM assignment_reminders.assignments a
                    JOIN assignment_reminders.reminders r ON r.assignment_id = a.id AND r.reminder_type = $2
                   WHERE a.student_id = $1) AS has_one
