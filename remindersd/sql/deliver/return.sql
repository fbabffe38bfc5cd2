-- Gives back what was not sent ($1: reminders, $2: the claim). Returns those that were not ours any more.
SELECT late.id FROM assignment_reminders.return_reminders($1, $2) AS late (id)
