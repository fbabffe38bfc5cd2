-- What claim.sql decided on is leased, skipped or given up. $3: lease, $9: the claim, $11: whom it may be handed out for (NULL: anybody).
UPDATE assignment_reminders.reminders r
   SET status = outcome.status,
       skip_reason = outcome.skip_reason,
       attempts = outcome.attempts,
       last_error = CASE WHEN outcome.is_lost THEN 'no answer before the lease ended' ELSE r.last_error END,
       claim_id = CASE WHEN outcome.status = 'pending' THEN $9 END,
       claimed_until = CASE WHEN outcome.status = 'pending' THEN $1 + $3 END,
       -- Who may have got it is known for as long as nobody else gets it.
       claimed_email = CASE WHEN outcome.status = 'pending' THEN coalesce(outcome.recipient_email, '') ELSE r.claimed_email END,
       claimed_for = CASE WHEN outcome.status = 'pending' THEN outcome.recipient_id ELSE r.claimed_for END,
       -- What somebody else may have got, or another address, is another message to whoever gets it now, with a key of its own.
       episode = r.episode + ((outcome.status = 'pending' AND r.claimed_email IS NOT NULL
                               AND (r.claimed_for <> outcome.recipient_id OR lower(r.claimed_email) <> lower(coalesce(outcome.recipient_email, ''))))
                              IS TRUE)::integer,
       recipient_id = coalesce(outcome.new_recipient_id, r.recipient_id),
       peer_mentor_id = CASE WHEN outcome.follows = 'silence'
                             THEN coalesce(outcome.peer_mentor_id, r.peer_mentor_id) ELSE r.peer_mentor_id END,
       updated_at = now()
  FROM outcome
 -- A row that somebody changed since this statement began has another ctid now: it was locked, but not evaluated as it is,
 -- and stays for the next claim.
 WHERE r.ctid = outcome.row_ctid
   -- Of one who is another than when it was enqueued: whoever is being deleted, or is locked otherwise, waits for the next claim, and is waited
   -- for by none. So does whoever has another address than this statement saw: it may be that they were forgotten since.
   AND (outcome.new_recipient_id IS NULL
        OR cardinality(assignment_reminders.lock_for_reminders('users', ARRAY[outcome.new_recipient_id], ARRAY[outcome.recipient_email])) = 1)
   AND ($11::uuid[] IS NULL OR outcome.status <> 'pending' OR outcome.recipient_id = ANY ($11))
RETURNING r.id AS reminder_id, r.claim_id, r.claimed_until,
          -- The same for every attempt of the same anchor and episode, and so to the same address, and for no other. Without the episode in the first: as 0.1.0 made them.
          r.id || '-' || coalesce((extract(epoch FROM r.anchor) * 1000000)::numeric(30, 0)::text, 'once')
              || CASE WHEN r.episode > 0 THEN '-' || r.episode ELSE '' END AS idempotency_key,
          r.organization_id, r.reminder_type, outcome.recipient_id, outcome.recipient_email, outcome.recipient_name,
          outcome.recipient_timezone, r.assignment_id, outcome.assignment_title, outcome.student_name, outcome.peer_mentor_name,
          outcome.last_contact_date,
          assignment_reminders.days_since_last_contact(
              outcome.silent_since, ($1 AT TIME ZONE outcome.organization_timezone)::date) AS days_since,
          outcome.due_at, outcome.due_at AT TIME ZONE outcome.recipient_timezone AS due_at_local,
          r.anchor, r.scheduled_for, r.attempts, outcome.available_at, outcome.number, outcome.is_lost,
          nullif(coalesce(outcome.claimed_email, outcome.recipient_email), '') AS lost_email, r.status = 'failed' AS is_given_up
