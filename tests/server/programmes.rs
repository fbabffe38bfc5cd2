//! Organizations with the same people in each: what tests of rights are about.

use postgres::Client;

use crate::support::run;

/// The people of one organization, by the last digits of their ids. The second one's begin with b.
const PEOPLE: &str = "
    INSERT INTO organizations (id, name) VALUES ('{o}0000000-0000-4000-8000-000000000000', '{o}');
    SET assignment_reminders.organization_id = '{o}0000000-0000-4000-8000-000000000000';
    INSERT INTO users (id, email, name, auth_user_id, role)
    SELECT format('{o}0000000-0000-4000-8000-0000000000%s', number)::uuid, name || '@example.org', name,
           format('{o}f000000-0000-4000-8000-0000000000%s', number)::uuid, role
      FROM (VALUES ('01', 'student', 'member'), ('02', 'student-2', 'member'), ('03', 'mentor', 'member'), ('04', 'mentor-2', 'member'),
                   ('05', 'coordinator', 'coordinator'), ('06', 'admin', 'admin')) AS person (number, name, role);
    INSERT INTO user_preferences (user_id) SELECT id FROM users WHERE organization_id = default_organization();
    INSERT INTO peer_mentors (id, user_id) SELECT overlay(id::text placing 'aa' FROM 33)::uuid, id FROM users
      WHERE name LIKE 'mentor%' AND organization_id = default_organization();
    INSERT INTO assignments (id, title, student_id, peer_mentor_id, coordinator_id, assigned_on)
    SELECT format('{o}0000000-0000-4000-8000-00000000110%s', n)::uuid, 'Essay', format('{o}0000000-0000-4000-8000-00000000000%s', n)::uuid,
           format('{o}0000000-0000-4000-8000-00000000aa0%s', n + 2)::uuid, '{o}0000000-0000-4000-8000-000000000005', '2026-01-01'
      FROM generate_series(1, 2) AS n;
    INSERT INTO activities (assignment_id, occurred_at, recorded_by)
    SELECT a.id, '2026-01-05 12:00+00', m.user_id FROM assignments a JOIN peer_mentors m ON m.id = a.peer_mentor_id
     WHERE a.organization_id = default_organization();
    SELECT correct_last_contact_date('{o}0000000-0000-4000-8000-000000001101', '2026-01-02', 'a mistake');
    INSERT INTO reminders (assignment_id, reminder_type, anchor, recipient_id)
    SELECT a.id, type, '2026-01-05 00:00+00', CASE type WHEN '24h' THEN NULL ELSE m.user_id END
      FROM assignments a JOIN peer_mentors m ON m.id = a.peer_mentor_id, unnest('{24h,contact-reminder}'::text[]) AS type
     WHERE a.organization_id = default_organization();
    INSERT INTO send_logs (to_email, message_id) VALUES ('student@example.org', '{o}');
    INSERT INTO claim_rates (organization_id) VALUES (default_organization());
    RESET assignment_reminders.organization_id;
";

/// Makes the organization of this letter, a or b.
pub fn programme_of(owner: &mut Client, organization: &str) {
    run(owner, &PEOPLE.replace("{o}", organization));
}
