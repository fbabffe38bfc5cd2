-- What days of an organization ($1) are, from $2 (NULL: the first that may be closed) to $3: when they begin and end, in its time zone. Days
-- that were closed keep the bounds that they were closed with, and the next begins where they ended, whatever the zone is now. The day on
-- which the history begins, begins with it. Indexes: closed_periods_organization_number_key, closed_periods_organization_last_day_key.
WITH known AS (
    SELECT k.since, assignment_reminders.organization_timezone($1) AS timezone
      FROM (SELECT assignment_reminders.history_known_since() AS since) AS k
), last AS (
    SELECT p.number, p.last_day, p.ended_at, p.checksum
      FROM assignment_reminders.closed_periods p WHERE p.organization_id = $1 ORDER BY p.number DESC LIMIT 1
), asked AS (
    SELECT k.since, k.timezone, (k.since AT TIME ZONE k.timezone)::date AS history_day, last.number, last.last_day, last.ended_at, last.checksum,
           coalesce($2, last.last_day + 1, (k.since AT TIME ZONE k.timezone)::date) AS first_day
      FROM known k LEFT JOIN last ON true
), bound AS (
    SELECT asked.*,
           CASE WHEN asked.first_day = asked.history_day THEN greatest(asked.since + interval '1 microsecond', own.begins_at) ELSE own.begins_at END AS begins_at,
           coalesce((SELECT p.ended_at FROM assignment_reminders.closed_periods p WHERE p.organization_id = $1 AND p.last_day = $3),
                    ($3 + 1)::timestamp AT TIME ZONE asked.timezone) AS ends_at
      FROM asked
     CROSS JOIN LATERAL (
           SELECT coalesce((SELECT p.ended_at FROM assignment_reminders.closed_periods p WHERE p.organization_id = $1 AND p.last_day = asked.first_day - 1),
                           (SELECT p.began_at FROM assignment_reminders.closed_periods p WHERE p.organization_id = $1 AND p.first_day = asked.first_day),
                           asked.first_day::timestamp AT TIME ZONE asked.timezone) AS begins_at
           ) AS own
)
SELECT b.timezone, b.history_day, b.number, b.last_day AS closed_until, b.checksum, b.first_day, b.begins_at,
       greatest(b.begins_at, b.ends_at) AS ends_at,
       -- The last moment before it, of which the count at the beginning is.
       b.begins_at - interval '1 microsecond' AS eve,
       b.begins_at <= now() AS has_begun, greatest(b.begins_at, b.ends_at) <= now() AS has_ended,
       coalesce(b.ended_at <= b.begins_at, false) AS is_after_closed,
       -- What was between is not known.
       coalesce(b.ended_at < b.begins_at, false) AS leaves_a_gap
  FROM bound b
