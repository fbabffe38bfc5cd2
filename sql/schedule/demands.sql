-- What pg_hba.conf asks of the current role in this database: of each address in $1, or, where $2 is true, of a socket, the
-- first rule that fits. $3: the name of the host. (16 and later also know regular expressions, which are not looked at.)
SELECT rule.line_number, rule.auth_method
  FROM unnest(CASE WHEN $2 THEN ARRAY[NULL::text] ELSE $1 END) AS place (address)
 CROSS JOIN LATERAL (
       SELECT r.line_number, r.auth_method
         FROM pg_hba_file_rules() WITH ORDINALITY AS r
        WHERE r.error IS NULL
          AND CASE WHEN place.address IS NULL THEN r.type = 'local'
                   ELSE r.type IN ('host', CASE WHEN current_setting('ssl')::boolean THEN 'hostssl' ELSE 'hostnossl' END)
                    AND CASE WHEN r.netmask IS NULL THEN r.address IN ('all', 'samehost', 'samenet', $3)
                             ELSE family(r.address::inet) = family(place.address::inet)
                              AND r.address::inet & r.netmask::inet = place.address::inet & r.netmask::inet END END
          AND (r.database && ARRAY['all', current_database()::text]
               OR 'sameuser' = ANY (r.database) AND current_database() = current_user)
          AND EXISTS (
              SELECT FROM unnest(r.user_name) AS fits (name)
               WHERE fits.name IN ('all', current_user)
                  OR EXISTS (SELECT FROM pg_roles g
                              WHERE '+' || g.rolname = fits.name AND pg_has_role(current_user, g.oid, 'MEMBER')))
        ORDER BY r.ordinality
        LIMIT 1
       ) AS rule
