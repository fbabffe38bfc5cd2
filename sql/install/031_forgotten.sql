-- How many assignments nobody will hear of, as runs find it.

ALTER TABLE assignment_reminders.evaluation_runs ADD COLUMN forgotten integer;
COMMENT ON COLUMN assignment_reminders.evaluation_runs.forgotten IS
    'How many assignments nobody would hear of when the run had ended (forgotten_assignments()), but for those of which somebody decided that. NULL: not counted; it is once a day, and by every run while there are any.';
