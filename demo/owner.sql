-- What a superuser does once: a role that owns the database and is no superuser, and pg_cron, which it may use.
SET client_min_messages = warning;
CREATE ROLE programme LOGIN;
ALTER DATABASE reminders OWNER TO programme;
SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_cron') AS has_pg_cron \gset
\if :has_pg_cron
CREATE EXTENSION pg_cron WITH SCHEMA pg_catalog;
GRANT USAGE ON SCHEMA cron TO programme;
\endif
