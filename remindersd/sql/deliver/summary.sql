-- What a student's daily summary says ($1: the student).
SELECT s.current, s.overdue, s.completed FROM assignment_reminders.daily_summary($1) AS s
