-- Holds people whom digests are for until the transaction ends, against other claims of digests and nobody's foreign keys, by what is due to them: of each
-- organization ($1), of its reminders ($4, to $5, pairwise, the oldest first) between two places ($2, $3), the first so many ($6) of which nobody else has locked
-- the person or the reminder. What others hold is left out, and waited for by none: it takes no place of those whom a message can be made for. Indexes: primary keys.
SELECT held.reminder_id, held.person_id
  FROM unnest($1::uuid[], $2::integer[], $3::integer[], $6::integer[]) AS share (organization_id, first, last, size)
 CROSS JOIN LATERAL (
       SELECT r.id AS reminder_id, u.id AS person_id
         FROM unnest(($4::uuid[])[share.first:share.last], ($5::uuid[])[share.first:share.last])
              WITH ORDINALITY AS seed (reminder_id, person_id, place)
         JOIN assignment_reminders.users u ON u.id = seed.person_id
         JOIN assignment_reminders.reminders r ON r.id = seed.reminder_id
        ORDER BY seed.place
        LIMIT share.size
          FOR NO KEY UPDATE OF u, r SKIP LOCKED
       ) AS held
