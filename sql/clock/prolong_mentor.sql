-- Lets a mentor ($1) who is away on $2 be away until $3 instead; for the reason $4, if there is one. Index: mentor_pauses_peer_mentor_idx.
UPDATE assignment_reminders.mentor_pauses p
   SET paused_until = $3, reason = coalesce($4, p.reason), updated_at = now()
 WHERE p.peer_mentor_id = $1 AND $2 BETWEEN p.paused_from AND coalesce(p.paused_until, 'infinity')
RETURNING p.id
