-- Of what claim.sql decided on, no more than $8 are handed out, the oldest; the others stay. What is not to be sent is written, by lease.sql.
), outcome AS MATERIALIZED (
    SELECT in_turn.*
      FROM (SELECT decided.*, row_number() OVER (PARTITION BY decided.status = 'pending' ORDER BY decided.available_at, decided.number) AS turn
              FROM decided) AS in_turn
     WHERE in_turn.status <> 'pending' OR in_turn.turn <= $8
