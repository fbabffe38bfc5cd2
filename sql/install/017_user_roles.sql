-- Who a person is to the programme, and to the service that signs them in: what policies go by (enable_row_security).

ALTER TABLE assignment_reminders.users
    ADD COLUMN role text NOT NULL DEFAULT 'member',
    ADD COLUMN auth_user_id uuid,
    ADD CONSTRAINT users_role_known CHECK (role IN ('member', 'coordinator', 'admin')),
    ADD CONSTRAINT users_auth_user_key UNIQUE (organization_id, auth_user_id);

COMMENT ON COLUMN assignment_reminders.users.role IS
    'member, coordinator (sees and does all in the organization) or admin (settings, too; notices go to them). What policies go by.';
COMMENT ON COLUMN assignment_reminders.users.auth_user_id IS
    'Who this person is to the service that signs them in: sub of their JWT (Supabase: auth.users.id). NULL: they do not sign in.';
