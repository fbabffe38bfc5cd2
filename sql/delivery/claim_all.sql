-- All that claim.sql decided on is written, by lease.sql: no more was picked than is to be handed out.
), outcome AS (
    SELECT decided.* FROM decided
