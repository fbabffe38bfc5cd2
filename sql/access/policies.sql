-- The policies that enable_row_security() makes: one per table, role and command, so that each is asked once. They are made for nobody,
-- and given to the role at once (give_policy.sql). An organization's coordinators are asked for first: hidden_table.sql knows by that
-- that they see its rows whole. Functions in a SELECT are called once per statement.
--
-- A policy is a check, not a filter: a query that also names what it wants (peer_mentor_id = ...) finds it by its index.

-- Every member sees their organization; admins change it and its settings.

CREATE POLICY member_select ON assignment_reminders.organizations FOR SELECT
    USING (id = (SELECT assignment_reminders.coordinated_organization())
        OR id = (SELECT assignment_reminders.current_organization()) AND (SELECT assignment_reminders.current_user_id()) IS NOT NULL);

-- An upsert proposes the row that is there.
CREATE POLICY member_insert ON assignment_reminders.organizations FOR INSERT
    WITH CHECK (id = (SELECT assignment_reminders.administered_organization()));

CREATE POLICY member_update ON assignment_reminders.organizations FOR UPDATE
    USING (id = (SELECT assignment_reminders.administered_organization()))
    WITH CHECK (id = (SELECT assignment_reminders.administered_organization()));

CREATE POLICY member_select ON assignment_reminders.reminder_settings FOR SELECT
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_insert ON assignment_reminders.reminder_settings FOR INSERT
    WITH CHECK (organization_id = (SELECT assignment_reminders.administered_organization()));

CREATE POLICY member_update ON assignment_reminders.reminder_settings FOR UPDATE
    USING (organization_id = (SELECT assignment_reminders.administered_organization()))
    WITH CHECK (organization_id = (SELECT assignment_reminders.administered_organization()));

-- The words of messages are the coordinators'.

CREATE POLICY member_select ON assignment_reminders.message_templates FOR SELECT
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_insert ON assignment_reminders.message_templates FOR INSERT
    WITH CHECK (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_update ON assignment_reminders.message_templates FOR UPDATE
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()))
    WITH CHECK (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_delete ON assignment_reminders.message_templates FOR DELETE
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()));

-- People see themselves, and mentors their students. They change what is theirs, but for what they are known by (protect_identity);
-- coordinators change everybody but admins.

CREATE POLICY member_select ON assignment_reminders.users FOR SELECT
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization())
        OR id = (SELECT assignment_reminders.current_user_id())
        OR id IN (SELECT a.student_id FROM assignment_reminders.assignments a
                   WHERE a.peer_mentor_id = (SELECT assignment_reminders.current_peer_mentor_id())));

CREATE POLICY member_insert ON assignment_reminders.users FOR INSERT
    WITH CHECK (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_update ON assignment_reminders.users FOR UPDATE
    USING (organization_id = (SELECT assignment_reminders.administered_organization())
        OR organization_id = (SELECT assignment_reminders.coordinated_organization()) AND role <> 'admin'
        OR id = (SELECT assignment_reminders.current_user_id()))
    WITH CHECK (organization_id = (SELECT assignment_reminders.administered_organization())
        OR organization_id = (SELECT assignment_reminders.coordinated_organization()) AND role <> 'admin'
        OR id = (SELECT assignment_reminders.current_user_id()) AND organization_id = (SELECT assignment_reminders.current_organization()));

CREATE POLICY member_delete ON assignment_reminders.users FOR DELETE
    USING (organization_id = (SELECT assignment_reminders.administered_organization())
        OR organization_id = (SELECT assignment_reminders.coordinated_organization()) AND role <> 'admin');

CREATE POLICY member_select ON assignment_reminders.user_preferences FOR SELECT
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization())
        OR user_id = (SELECT assignment_reminders.current_user_id()));

CREATE POLICY member_insert ON assignment_reminders.user_preferences FOR INSERT
    WITH CHECK (organization_id = (SELECT assignment_reminders.coordinated_organization())
        OR user_id = (SELECT assignment_reminders.current_user_id()));

CREATE POLICY member_update ON assignment_reminders.user_preferences FOR UPDATE
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization())
        OR user_id = (SELECT assignment_reminders.current_user_id()))
    WITH CHECK (organization_id = (SELECT assignment_reminders.coordinated_organization())
        OR user_id = (SELECT assignment_reminders.current_user_id()));

CREATE POLICY member_delete ON assignment_reminders.user_preferences FOR DELETE
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization())
        OR user_id = (SELECT assignment_reminders.current_user_id()));

CREATE POLICY member_select ON assignment_reminders.peer_mentors FOR SELECT
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization())
        OR user_id = (SELECT assignment_reminders.current_user_id()));

CREATE POLICY member_insert ON assignment_reminders.peer_mentors FOR INSERT
    WITH CHECK (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_update ON assignment_reminders.peer_mentors FOR UPDATE
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()))
    WITH CHECK (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_delete ON assignment_reminders.peer_mentors FOR DELETE
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()));

-- Students see their assignments, mentors those that they mentor, and whoever coordinates one sees it.

CREATE POLICY member_select ON assignment_reminders.assignments FOR SELECT
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization())
        OR student_id = (SELECT assignment_reminders.current_user_id())
        OR coordinator_id = (SELECT assignment_reminders.current_user_id())
        OR peer_mentor_id = (SELECT assignment_reminders.current_peer_mentor_id()));

CREATE POLICY member_insert ON assignment_reminders.assignments FOR INSERT
    WITH CHECK (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_update ON assignment_reminders.assignments FOR UPDATE
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()))
    WITH CHECK (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_delete ON assignment_reminders.assignments FOR DELETE
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()));

-- Mentors see the contacts of those, and register them as themselves; what somebody registered, they see. Notes are not for students.

CREATE POLICY member_select ON assignment_reminders.activities FOR SELECT
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization())
        OR recorded_by = (SELECT assignment_reminders.current_user_id())
        OR assignment_id IN (
        SELECT a.id FROM assignment_reminders.assignments a WHERE a.peer_mentor_id = (SELECT assignment_reminders.current_peer_mentor_id())));

CREATE POLICY member_insert ON assignment_reminders.activities FOR INSERT
    WITH CHECK (organization_id = (SELECT assignment_reminders.coordinated_organization())
        OR assignment_id IN (
        SELECT a.id FROM assignment_reminders.assignments a WHERE a.peer_mentor_id = (SELECT assignment_reminders.current_peer_mentor_id()))
           AND coalesce(recorded_by = (SELECT assignment_reminders.current_user_id()), recorded_by IS NULL));

CREATE POLICY member_update ON assignment_reminders.activities FOR UPDATE
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()))
    WITH CHECK (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_delete ON assignment_reminders.activities FOR DELETE
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_select ON assignment_reminders.contact_corrections FOR SELECT
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_insert ON assignment_reminders.contact_corrections FOR INSERT
    WITH CHECK (organization_id = (SELECT assignment_reminders.coordinated_organization()));

-- Mentors see what pauses those, and when they are away themselves; everybody sees the organization's days off.

CREATE POLICY member_select ON assignment_reminders.assignment_pauses FOR SELECT
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization())
        OR assignment_id IN (
        SELECT a.id FROM assignment_reminders.assignments a WHERE a.peer_mentor_id = (SELECT assignment_reminders.current_peer_mentor_id())));

CREATE POLICY member_insert ON assignment_reminders.assignment_pauses FOR INSERT
    WITH CHECK (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_update ON assignment_reminders.assignment_pauses FOR UPDATE
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()))
    WITH CHECK (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_delete ON assignment_reminders.assignment_pauses FOR DELETE
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_select ON assignment_reminders.mentor_pauses FOR SELECT
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization())
        OR peer_mentor_id = (SELECT assignment_reminders.current_peer_mentor_id()));

CREATE POLICY member_insert ON assignment_reminders.mentor_pauses FOR INSERT
    WITH CHECK (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_update ON assignment_reminders.mentor_pauses FOR UPDATE
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()))
    WITH CHECK (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_delete ON assignment_reminders.mentor_pauses FOR DELETE
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_select ON assignment_reminders.days_off FOR SELECT
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization())
        OR organization_id = (SELECT assignment_reminders.current_organization()) AND (SELECT assignment_reminders.current_user_id()) IS NOT NULL);

CREATE POLICY member_insert ON assignment_reminders.days_off FOR INSERT
    WITH CHECK (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_update ON assignment_reminders.days_off FOR UPDATE
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()))
    WITH CHECK (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_delete ON assignment_reminders.days_off FOR DELETE
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()));

-- Coordinators see when theirs was evaluated, and what is held, and release it; and what admins are told of.

CREATE POLICY member_select ON assignment_reminders.alerts FOR SELECT
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_select ON assignment_reminders.evaluation_runs FOR SELECT
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()));

-- What was, and what became of reminders: what members may see now was not always theirs to see.

CREATE POLICY member_select ON assignment_reminders.row_history FOR SELECT
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_select ON assignment_reminders.reminder_events FOR SELECT
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()));

-- What was closed, coordinators see whole, and mentors their own lines. close_period() alone writes them, for admins.

CREATE POLICY member_select ON assignment_reminders.closed_periods FOR SELECT
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization())
        OR organization_id = (SELECT assignment_reminders.current_organization()) AND (SELECT assignment_reminders.current_peer_mentor_id()) IS NOT NULL);

CREATE POLICY member_select ON assignment_reminders.closed_statements FOR SELECT
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization())
        OR peer_mentor_id = (SELECT assignment_reminders.current_peer_mentor_id()));

CREATE POLICY member_select ON assignment_reminders.organization_evaluations FOR SELECT
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_update ON assignment_reminders.organization_evaluations FOR UPDATE
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()))
    WITH CHECK (organization_id = (SELECT assignment_reminders.coordinated_organization()));

-- People see what is sent to them.

CREATE POLICY member_select ON assignment_reminders.reminders FOR SELECT
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization())
        OR recipient_id = (SELECT assignment_reminders.current_user_id())
        OR recipient_id IS NULL AND assignment_id IN (
           SELECT a.id FROM assignment_reminders.assignments a WHERE a.student_id = (SELECT assignment_reminders.current_user_id())));

CREATE POLICY member_insert ON assignment_reminders.reminders FOR INSERT
    WITH CHECK (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_update ON assignment_reminders.reminders FOR UPDATE
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()))
    WITH CHECK (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_delete ON assignment_reminders.reminders FOR DELETE
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()));

CREATE POLICY member_select ON assignment_reminders.send_logs FOR SELECT
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()));

-- Whether sending is paused; to end that is the workers'.

CREATE POLICY member_select ON assignment_reminders.claim_rates FOR SELECT
    USING (organization_id = (SELECT assignment_reminders.coordinated_organization()));

-- Workers deliver for all organizations; their grants say what they may do.

CREATE POLICY worker_all ON assignment_reminders.organizations USING (true) WITH CHECK (true);
CREATE POLICY worker_all ON assignment_reminders.reminder_settings USING (true) WITH CHECK (true);
CREATE POLICY worker_all ON assignment_reminders.message_templates USING (true) WITH CHECK (true);
CREATE POLICY worker_all ON assignment_reminders.users USING (true) WITH CHECK (true);
CREATE POLICY worker_all ON assignment_reminders.user_preferences USING (true) WITH CHECK (true);
CREATE POLICY worker_all ON assignment_reminders.unsubscribe_tokens USING (true) WITH CHECK (true);
CREATE POLICY worker_all ON assignment_reminders.peer_mentors USING (true) WITH CHECK (true);
CREATE POLICY worker_all ON assignment_reminders.assignments USING (true) WITH CHECK (true);
CREATE POLICY worker_all ON assignment_reminders.mentor_pauses USING (true) WITH CHECK (true);
CREATE POLICY worker_all ON assignment_reminders.days_off USING (true) WITH CHECK (true);
CREATE POLICY worker_all ON assignment_reminders.organization_evaluations USING (true) WITH CHECK (true);
CREATE POLICY worker_all ON assignment_reminders.assignment_pauses USING (true) WITH CHECK (true);
CREATE POLICY worker_all ON assignment_reminders.reminders USING (true) WITH CHECK (true);
CREATE POLICY worker_all ON assignment_reminders.claim_rates USING (true) WITH CHECK (true);
CREATE POLICY worker_all ON assignment_reminders.send_logs USING (true) WITH CHECK (true);
