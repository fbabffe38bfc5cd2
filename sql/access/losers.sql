-- Those of these roles ($1) that do not have the rights of another one ($2; NULL: of none), as identifiers and as literals, and that other one.
SELECT quote_ident(r.rolname) AS role, quote_literal(r.rolname) AS literal, quote_ident(now.rolname) AS now
  FROM unnest($1::text[]) AS former (name)
  JOIN pg_roles r ON r.rolname = former.name
  LEFT JOIN pg_roles now ON now.rolname = $2
 WHERE pg_has_role(r.oid, now.oid, 'USAGE') IS NOT TRUE
 ORDER BY 1
