-- The hours of an organization's ($1) days from $2 to $3, by the time zone that held, with the moments of its evaluation hour (NULL: none) that decide whether
-- it is its turn. Runs come at the full hour. Index: those of row_versions.
WITH zone AS MATERIALIZED (
    SELECT o.valid_from, o.valid_to, o.row_version ->> 'timezone' AS timezone
      FROM assignment_reminders.row_versions('organizations', assignment_reminders.history_known_since(), 'infinity', $1) AS o
), settings AS MATERIALIZED (
    SELECT s.valid_from, s.valid_to, (s.row_version ->> 'evaluation_hour')::integer AS evaluation_hour
      FROM assignment_reminders.row_versions('reminder_settings', assignment_reminders.history_known_since(), 'infinity', $1) AS s
)
SELECT hour.at, local.day, zone.timezone, settings.valid_from IS NOT NULL AS has_settings,
       (local.day + turn.of_day) AT TIME ZONE zone.timezone AS hour_today,
       (local.day - 1 + turn.of_day) AT TIME ZONE zone.timezone AS hour_yesterday
  FROM generate_series(($2 - 2)::timestamp AT TIME ZONE 'UTC', ($3 + 3)::timestamp AT TIME ZONE 'UTC', interval '1 hour') AS hour (at)
  JOIN zone ON zone.valid_from <= hour.at AND (hour.at < zone.valid_to OR zone.valid_to IS NULL)
  LEFT JOIN settings ON settings.valid_from <= hour.at AND (hour.at < settings.valid_to OR settings.valid_to IS NULL)
 CROSS JOIN LATERAL (SELECT (hour.at AT TIME ZONE zone.timezone)::date AS day) AS local
 CROSS JOIN LATERAL (SELECT make_time(settings.evaluation_hour, 0, 0) AS of_day) AS turn
 WHERE local.day BETWEEN $2 AND $3
 ORDER BY hour.at
