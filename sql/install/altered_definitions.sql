-- Which of the definitions that install() makes ($1 to $4, pairwise: kind, relation, name, definition) are missing or others;
-- triggers that call a trigger function of ours once more, which would count twice (expected is NULL); and which of our views ($5)
-- are missing. Where one default asks for an organization (require_organization), all are to. Whether a view is another one is not told: Postgres versions write it in other words.
WITH installed AS (
    SELECT * FROM assignment_reminders.installed_definitions()
), required AS (
    SELECT max(i.definition) AS definition FROM installed i
     WHERE i.kind = 'default' AND i.definition = 'assignment_reminders.named_organization()'
), made AS (
    SELECT made.kind, made.relation, made.name,
           CASE WHEN made.kind = 'default' THEN coalesce(required.definition, made.definition) ELSE made.definition END AS definition
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS made (kind, relation, name, definition)
     CROSS JOIN required
)
SELECT m.kind, m.relation, m.name, m.definition AS expected, i.definition AS actual
  FROM made m
  LEFT JOIN installed i ON i.kind = m.kind AND i.relation = m.relation AND i.name = m.name
 WHERE i.definition IS DISTINCT FROM m.definition
UNION ALL
-- Those that keep counts and dates do it once.
SELECT i.kind, i.relation, i.name, NULL, i.definition
  FROM installed i
 WHERE i.kind = 'trigger'
   AND substring(i.definition FROM 'EXECUTE FUNCTION assignment_reminders[.]maintain_.*[)]')
       IN (SELECT substring(m.definition FROM 'EXECUTE FUNCTION .*[)]') FROM made m WHERE m.kind = 'trigger' AND m.relation = i.relation)
   AND NOT EXISTS (SELECT FROM made m WHERE m.kind = i.kind AND m.relation = i.relation AND m.name = i.name)
UNION ALL
SELECT 'view', v.name, v.name, 'as sql/install/views.sql makes it', NULL
  FROM unnest($5::text[]) AS v (name)
 WHERE NOT EXISTS (SELECT FROM installed i WHERE i.kind = 'view' AND i.name = v.name)
 ORDER BY kind DESC, relation, name
