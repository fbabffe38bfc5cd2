-- Answers that a message was not sent ($1: its reminders, $2: the claim, $3: whose fault it was, $4: why, $5: whether for good). Returns the reminders
-- whose answer came too late.
SELECT late.id FROM assignment_reminders.record_digest_failure($1, $2, $3, $4, $5) AS late (id)
