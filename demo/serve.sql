-- What `make serve` adds to the demo: row security, the roles in which requests arrive, and two people who sign in. As a superuser.
CREATE EXTENSION pgcrypto WITH SCHEMA public;
CREATE ROLE demo_member NOLOGIN;
CREATE ROLE demo_gateway LOGIN NOINHERIT;
GRANT demo_member TO demo_gateway;
SET ROLE programme;
SELECT assignment_reminders.enable_row_security('demo_member');
UPDATE assignment_reminders.users SET auth_user_id = gen_random_uuid()
 WHERE organization_id = '00000000-0000-0000-0000-00000000000a' AND name IN ('Coordinator 1', 'Mentor 1');
