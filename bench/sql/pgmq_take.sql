-- The team's task with pgmq, before it sends: pgmq is SQL, so one statement reads up to $1 messages, hides them for five minutes, and checks and
-- looks up what team_check.sql does. A message that holds no more comes without an address. LIMIT 1 keeps each a look-up by key, whatever
-- number of rows the planner expects of pgmq.read.
SELECT q.msg_id, still.*
  FROM pgmq.read('deliver', 300, $1) AS q
  LEFT JOIN LATERAL (
       SELECT a.id AS assignment, u.id AS recipient, (q.message ->> 'silent_since') AS silent_since, u.email, u.name, u.timezone,
              a.title, student.name AS student_name, a.due_at
         FROM assignment_reminders.assignments a
         JOIN assignment_reminders.users u
           ON u.id = (q.message ->> 'recipient')::uuid AND u.email IS NOT NULL AND NOT u.contact_opt_out
         JOIN assignment_reminders.users student ON student.id = a.student_id
        WHERE a.id = (q.message ->> 'assignment')::uuid AND a.status = 'open'
          AND coalesce(a.last_contact_date, a.assigned_on) = (q.message ->> 'silent_since')::date
          AND a.due_at IS NOT DISTINCT FROM (q.message ->> 'due_at')::timestamptz
        LIMIT 1
       ) AS still ON true
