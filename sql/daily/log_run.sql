-- Logs a run that ended. $1: as_of, $2: started_at, $3: status, $4: reminders, $5: escalations, $6: undeliverable,
-- $7: error, $8: sqlstate, $9: its id.
INSERT INTO assignment_reminders.evaluation_runs
       (id, as_of, started_at, finished_at, status, reminders, escalations, undeliverable, error, sqlstate)
VALUES ($9, $1, $2, clock_timestamp(), $3, $4, $5, $6, $7, $8)
