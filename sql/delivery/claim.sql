-- One claim: picks what is due, judges whether it should still be sent, leases it or skips it with its reason. One that was
-- claimed before and never answered for has lost that attempt (after_loss says what follows).
-- $1: batch_size, $2: as_of, $3: lease, $4: the only organization (NULL: all), $5 and $6: organizations with a rate limit
-- and what they may still send, $7 to $9: where this session's last claim ended, per organization, $10: the types that follow
-- something else than a due date.
--
-- Index: reminders_pending_idx, once per organization to find who has something due and once to lock; primary keys for the rest.
-- Beginning where the last claim ended spares the index entries of rows sent since, which stay for as long as any old
-- transaction might see them (src/delivery/progress.rs says when to begin at the start).
WITH organization AS MATERIALIZED (
    SELECT o.id, o.timezone, least($1, coalesce(limited.allowance, $1)) AS most,
           coalesce(ended.available_at, '-infinity') AS after_available_at,
           coalesce(ended.number, 0) AS after_number, s.max_attempts, s.fallback_coordinator_id
      FROM assignment_reminders.organizations o
      -- LIMIT 1, of a unique row: a look-up by key, where joining the tables whole would be planned for any number of organizations.
      LEFT JOIN LATERAL (
           SELECT s.max_attempts, s.fallback_coordinator_id FROM assignment_reminders.reminder_settings s WHERE s.organization_id = o.id LIMIT 1
           ) AS s ON true
      LEFT JOIN unnest($5::uuid[], $6::integer[]) AS limited (organization_id, allowance) ON limited.organization_id = o.id
      LEFT JOIN unnest($7::uuid[], $8::timestamptz[], $9::bigint[]) AS ended (organization_id, available_at, number)
        ON ended.organization_id = o.id
), ready AS MATERIALIZED (
    SELECT o.*, row_number() OVER (ORDER BY oldest.available_at) AS turn, count(*) OVER () AS organizations
      FROM organization o
     CROSS JOIN LATERAL (
           SELECT greatest(r.scheduled_for, r.retry_at) AS available_at
             FROM assignment_reminders.reminders r
            WHERE r.organization_id = o.id AND r.status = 'pending'
              AND greatest(r.scheduled_for, r.retry_at) <= $2
              AND (greatest(r.scheduled_for, r.retry_at), r.number) > (o.after_available_at, o.after_number)
              AND (r.claimed_until IS NULL OR r.claimed_until <= $2)
            ORDER BY greatest(r.scheduled_for, r.retry_at), r.number
            LIMIT 1
           ) AS oldest
     WHERE o.most > 0 AND ($4::uuid IS NULL OR o.id = $4)
), share AS MATERIALIZED (
    -- Fair: an equal part of the batch for every organization with something due; what is left over, to the oldest.
    SELECT r.*, least(r.most, $1 / r.organizations + CASE WHEN r.turn <= $1 % r.organizations THEN 1 ELSE 0 END) AS size
      FROM ready r
), locked AS MATERIALIZED (
    SELECT o.timezone AS organization_timezone, o.fallback_coordinator_id,
           CASE WHEN r.is_lost THEN assignment_reminders.after_loss(r.attempts, coalesce(o.max_attempts, 5)) END AS after_loss, r.*
      FROM share o
     CROSS JOIN LATERAL (
           SELECT greatest(r.scheduled_for, r.retry_at) AS available_at, r.number, r.ctid AS row_ctid, r.organization_id, r.assignment_id,
                  r.recipient_id, r.peer_mentor_id, r.reminder_type, r.anchor, r.scheduled_for, r.claimed_email,
                  -- Unless its worker was told not to send it.
                  r.claim_id IS NOT NULL AND r.claimed_until <> '-infinity' AS is_lost,
                  -- Whatever number somebody has put there, it must not stop the claims of others.
                  least(r.attempts, 2147483646) + CASE WHEN r.claim_id IS NULL OR r.claimed_until = '-infinity' THEN 0 ELSE 1 END AS attempts
             FROM assignment_reminders.reminders r
            WHERE r.organization_id = o.id AND r.status = 'pending'
              AND greatest(r.scheduled_for, r.retry_at) <= $2
              AND (greatest(r.scheduled_for, r.retry_at), r.number) > (o.after_available_at, o.after_number)
              AND (r.claimed_until IS NULL OR r.claimed_until <= $2)
            ORDER BY greatest(r.scheduled_for, r.retry_at), r.number
            LIMIT o.size
              FOR NO KEY UPDATE SKIP LOCKED
           ) AS r
     -- As many as a batch may hold: for the planner, which knows nothing of shares.
     LIMIT 10000
), paused AS MATERIALIZED (
    -- With the rights of the tables' owner: roles that were made for workers of 0.1.0 have none on pauses.
    SELECT assignment_reminders.paused_among(
               (SELECT array_agg(l.assignment_id) FROM locked l WHERE l.reminder_type = ANY ($10)), $2) AS assignments
), judged AS MATERIALIZED (
    SELECT r.row_ctid, r.organization_timezone, r.available_at, r.number, r.attempts, r.is_lost, r.after_loss, r.claimed_email,
           kind.follows, a.peer_mentor_id,
           a.title AS assignment_title, a.last_contact_date, a.due_at, silence.since AS silent_since,
           student.name AS student_name,
           CASE kind.addressee WHEN 'mentor' THEN recipient.name ELSE mentor.name END AS peer_mentor_name,
           recipient.id AS recipient_id, recipient.email AS recipient_email, recipient.name AS recipient_name,
           coalesce(recipient.timezone, 'UTC') AS recipient_timezone,
           assignment_reminders.skip_reason(ROW(
               r.reminder_type, r.anchor, r.scheduled_for,
               CASE WHEN kind.follows = 'due date' THEN (
                    -- Those of the same due date that are due as well.
                    SELECT max(beside.scheduled_for)
                      FROM assignment_reminders.reminders beside
                     WHERE beside.assignment_id = r.assignment_id AND beside.anchor = r.anchor
                       AND beside.reminder_type <> ALL ($10)
                       AND beside.scheduled_for <= $2 AND beside.status <> 'skipped') END,
               a.status, silence.since, a.due_at,
               preference.daily_summary,
               ($2 AT TIME ZONE coalesce(recipient.timezone, 'UTC'))::date = (r.anchor AT TIME ZONE 'UTC')::date,
               CASE WHEN kind.follows = 'day'
                    THEN assignment_reminders.has_something_to_say(recipient.id, $2, coalesce(recipient.timezone, 'UTC')) END,
               recipient.contact_opt_out, recipient.email IS NOT NULL, $2,
               r.assignment_id = ANY (paused.assignments),
               r.peer_mentor_id <> a.peer_mentor_id, a.follow_up,
               recipient.role = 'admin', assignment_reminders.is_muted(preference.muted_types, r.reminder_type))::assignment_reminders.reminder_facts) AS skip_reason
      FROM locked r
     CROSS JOIN paused
     CROSS JOIN LATERAL assignment_reminders.reminder_kind(r.reminder_type) AS kind
      -- LIMIT 1, of unique rows, keeps each of these a look-up by key: never a join that reads a whole table.
      LEFT JOIN LATERAL (
           SELECT * FROM assignment_reminders.assignments a
            WHERE a.id = r.assignment_id AND a.organization_id = r.organization_id LIMIT 1
           ) AS a ON true
     CROSS JOIN LATERAL (SELECT assignment_reminders.silent_since(a.last_contact_date, a.assigned_on) AS since) AS silence
      LEFT JOIN LATERAL (
           SELECT m.user_id FROM assignment_reminders.peer_mentors m
            WHERE m.id = a.peer_mentor_id AND m.organization_id = r.organization_id LIMIT 1
           ) AS m ON true
      -- Follow-ups go to whoever is mentor or coordinator now.
     CROSS JOIN LATERAL (
           SELECT assignment_reminders.addressee_id(
                  kind.addressee, m.user_id,
                  CASE WHEN kind.addressee = 'coordinator' THEN assignment_reminders.coordinator_to_tell(
                           r.organization_id, a.coordinator_id, r.fallback_coordinator_id, r.reminder_type) END,
                  r.recipient_id, a.student_id) AS id
           ) AS addressee
      LEFT JOIN LATERAL (
           SELECT * FROM assignment_reminders.users u
            WHERE u.id = addressee.id AND u.organization_id = r.organization_id LIMIT 1
           ) AS recipient ON true
      LEFT JOIN LATERAL (
           SELECT u.name FROM assignment_reminders.users u
            WHERE u.id = a.student_id AND u.organization_id = r.organization_id LIMIT 1
           ) AS student ON true
      LEFT JOIN LATERAL (
           SELECT u.name FROM assignment_reminders.users u
            WHERE u.id = CASE WHEN kind.addressee <> 'mentor' THEN m.user_id END
              AND u.organization_id = r.organization_id LIMIT 1
           ) AS mentor ON true
      LEFT JOIN LATERAL (
           SELECT p.daily_summary, p.muted_types FROM assignment_reminders.user_preferences p WHERE p.user_id = recipient.id LIMIT 1
           ) AS preference ON true
), outcome AS MATERIALIZED (
    SELECT judged.*, CASE WHEN judged.skip_reason IS NOT NULL THEN 'skipped'
                          WHEN judged.after_loss = 'give_up' THEN 'failed' ELSE 'pending' END AS status
      FROM judged
), claim AS MATERIALIZED (
    -- One to be tried alone has this claim for itself; the others stay for the next one.
    SELECT gen_random_uuid() AS id,
           (SELECT o.row_ctid FROM outcome o WHERE o.after_loss = 'retry_alone' AND o.status = 'pending'
             ORDER BY o.available_at, o.number LIMIT 1) AS alone
)
UPDATE assignment_reminders.reminders r
   SET status = outcome.status,
       skip_reason = outcome.skip_reason,
       attempts = outcome.attempts,
       last_error = CASE WHEN outcome.is_lost THEN 'no answer before the lease ended' ELSE r.last_error END,
       claim_id = CASE WHEN outcome.status = 'pending' THEN claim.id END,
       claimed_until = CASE WHEN outcome.status = 'pending' THEN $2 + $3 END,
       claimed_email = CASE WHEN outcome.status = 'pending' THEN outcome.recipient_email END,
       recipient_id = CASE WHEN outcome.follows = 'silence' THEN coalesce(outcome.recipient_id, r.recipient_id) ELSE r.recipient_id END,
       peer_mentor_id = CASE WHEN outcome.follows = 'silence'
                             THEN coalesce(outcome.peer_mentor_id, r.peer_mentor_id) ELSE r.peer_mentor_id END,
       updated_at = now()
  FROM outcome, claim
 -- A row that somebody changed since this statement began has another ctid now: it was locked, but not evaluated as it is,
 -- and stays for the next claim.
 WHERE r.ctid = outcome.row_ctid AND (outcome.row_ctid = claim.alone) IS NOT FALSE
RETURNING r.id AS reminder_id, r.claim_id, r.claimed_until,
          -- The same for every attempt of the same anchor and episode, and for no other. Without the episode in the first: as 0.1.0 made them.
          r.id || '-' || coalesce((extract(epoch FROM r.anchor) * 1000000)::numeric(30, 0)::text, 'once')
              || CASE WHEN r.episode > 0 THEN '-' || r.episode ELSE '' END AS idempotency_key,
          r.organization_id, r.reminder_type, outcome.recipient_id, outcome.recipient_email, outcome.recipient_name,
          outcome.recipient_timezone, r.assignment_id, outcome.assignment_title, outcome.student_name, outcome.peer_mentor_name,
          outcome.last_contact_date,
          assignment_reminders.days_since_last_contact(
              outcome.silent_since, ($2 AT TIME ZONE outcome.organization_timezone)::date) AS days_since,
          outcome.due_at, outcome.due_at AT TIME ZONE outcome.recipient_timezone AS due_at_local,
          r.anchor, r.scheduled_for, r.attempts, outcome.available_at, outcome.number, outcome.is_lost,
          coalesce(outcome.claimed_email, outcome.recipient_email) AS lost_email, r.status = 'failed' AS is_given_up
