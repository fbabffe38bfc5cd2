-- What `make serve` adds to the demo: row security, the roles in which requests arrive, and two people who sign in. As a superuser.
CREATE EXTENSION pgcrypto WITH SCHEMA public;
CREATE ROLE demo_member NOLOGIN;
CREATE ROLE demo_gateway LOGIN NOINHERIT;
CREATE ROLE demo_unsubscribe NOLOGIN;
GRANT demo_member, demo_unsubscribe TO demo_gateway;
SET ROLE programme;
SELECT assignment_reminders.enable_row_security('demo_member');
GRANT USAGE ON SCHEMA assignment_reminders TO demo_unsubscribe;
GRANT EXECUTE ON FUNCTION assignment_reminders.unsubscribe TO demo_unsubscribe;
UPDATE assignment_reminders.users SET auth_user_id = gen_random_uuid()
 WHERE organization_id = '00000000-0000-0000-0000-00000000000a' AND name IN ('Coordinator 1', 'Mentor 1');
