-- A programme whose names are as odd as the tables take them, with messages of every kind due.
SET client_min_messages = warning;
CREATE EXTENSION assignment_reminders;
SET search_path = assignment_reminders;
\o /dev/null
SELECT install();
CREATE ROLE mail_member;
CREATE ROLE mail_worker;
CREATE ROLE mail_sender LOGIN IN ROLE mail_worker;
SELECT enable_row_security('mail_member', 'mail_worker');

CREATE TEMPORARY TABLE odd (n serial, name text);
INSERT INTO odd (name) VALUES
    ('Åse Bjørg Næss-Ødegård'),
    ('👩‍👩‍👧 Kari 🎉'),
    ('مريم بنت عبد الله'),
    ('שרה ' || U&'\202E' || 'gro.elpmaxe'),
    (repeat('Blåbærsyltetøy ', 80)),
    (repeat('å', 1200)),
    ('Ann' || E'\r\n' || 'Bcc: all@example.org'),
    ('"Sam", the <best>; (Jr.) \ of @all'),
    ('=?utf-8?q?Bcc=3A?= & <b>&amp;</b>'),
    ('...' || E'\n' || '.' || E'\n' || 'From here');

INSERT INTO organizations (id, name, locale, timezone) VALUES
    ('00000000-0000-0000-0000-00000000000a', 'Lærlinger på Østlandet 🎓', 'nb', 'Europe/Oslo'),
    ('00000000-0000-0000-0000-00000000000b', 'مرشدون، "Mentors" <of> the East', 'en', 'UTC');
UPDATE reminder_settings SET follow_up_limit = NULL;
INSERT INTO users (organization_id, email, name, role)
SELECT o.id, role.name || odd.n || '@' || CASE WHEN odd.n = 1 THEN 'blåbær.example.org' ELSE 'example.org' END, odd.name,
       CASE role.name WHEN 'coordinator' THEN 'coordinator' ELSE 'member' END
  FROM odd, organizations o, (VALUES ('student'), ('mentor'), ('coordinator')) AS role (name)
 WHERE o.id <> default_organization();
INSERT INTO peer_mentors (organization_id, user_id) SELECT organization_id, id FROM users WHERE email LIKE 'mentor%';
-- Everybody has something to do with who is named alike: their mentor is reminded; without one, their coordinator is told; something is due tomorrow.
INSERT INTO assignments (organization_id, title, student_id, peer_mentor_id, coordinator_id, assigned_on, due_at, created_at)
SELECT s.organization_id, odd.name, s.id, m.id, c.id, current_date - 60, kind.due_at, now() - interval '60 days'
  FROM odd
  JOIN users s ON s.name = odd.name AND s.email LIKE 'student%'
  JOIN users c ON c.name = odd.name AND c.email LIKE 'coordinator%' AND c.organization_id = s.organization_id
  JOIN users u ON u.name = odd.name AND u.email LIKE 'mentor%' AND u.organization_id = s.organization_id
 CROSS JOIN (VALUES (true, NULL), (false, NULL), (true, now() + interval '20 hours')) AS kind (has_mentor, due_at)
  LEFT JOIN peer_mentors m ON m.user_id = u.id AND kind.has_mentor;
-- Nearly all in ASCII, and so quoted-printable, whose lines are broken anywhere: full stops begin some.
WITH people AS (
    INSERT INTO users (email, name) VALUES ('student@example.org', 'Dot'), ('mentor@example.org', 'Dot') RETURNING id, email
), mentor AS (
    INSERT INTO peer_mentors (user_id) SELECT id FROM people WHERE email LIKE 'mentor%' RETURNING id
)
INSERT INTO assignments (title, student_id, peer_mentor_id, assigned_on)
SELECT 'é' || (SELECT string_agg('..' || n, '') FROM generate_series(1, 400) AS n), p.id, m.id, current_date - 60 FROM people p, mentor m WHERE p.email LIKE 'student%';
-- One message for each reminder, of every other mentor; of the others, digests.
INSERT INTO user_preferences (organization_id, user_id, digest)
SELECT u.organization_id, u.id, false FROM users u JOIN odd ON odd.name = u.name WHERE u.email LIKE 'mentor%' AND odd.n % 2 = 0;
INSERT INTO user_preferences (organization_id, user_id, daily_summary, summary_hour, created_at, updated_at)
SELECT organization_id, id, true, 0, '2020-01-01', '2020-01-01' FROM users WHERE email LIKE 'student%';
SELECT count(*) FROM run_daily_evaluation();
SELECT count(*) FROM enqueue_due_reminders();
SELECT count(*) FROM enqueue_daily_summaries();
