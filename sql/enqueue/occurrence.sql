-- What follows an occurrence and is due at $1, in organizations $2 (NULL: all): a notice of each alert, to every admin of its organization, once.
-- Index: users_admin_idx for each alert, of which there are few; reminders_recipient_summary_key, user_preferences_pkey, reminder_settings_pkey.
SELECT a.organization_id, NULL::uuid AS assignment_id, u.id AS recipient_id, a.cause AS reminder_type, a.began_at AS anchor,
       $1 AS scheduled_for, NULL::text AS skip_reason, r.id AS reminder_id
  FROM assignment_reminders.alerts a
  JOIN assignment_reminders.users u ON u.organization_id = a.organization_id AND u.role = 'admin'
  LEFT JOIN assignment_reminders.reminder_settings s ON s.organization_id = a.organization_id
  LEFT JOIN assignment_reminders.user_preferences p ON p.user_id = u.id
  LEFT JOIN assignment_reminders.reminders r
    ON r.recipient_id = u.id AND r.reminder_type = a.cause AND r.assignment_id IS NULL
 WHERE ($2::uuid[] IS NULL OR a.organization_id = ANY ($2))
   AND assignment_reminders.is_reachable(u.contact_opt_out, assignment_reminders.address_of(u.email, s.address_required), assignment_reminders.is_muted(p.muted_types, a.cause))
   AND (r.id IS NULL
        OR assignment_reminders.is_rearmed(r.reminder_type, r.anchor, r.status, r.skip_reason, a.began_at, NULL))
