-- Activities that were moved to another assignment while a correction overruled them. Index: activities_overruled_by_idx,
-- contact_corrections_pkey.
SELECT t.id
  FROM assignment_reminders.activities t
  JOIN assignment_reminders.contact_corrections c ON c.id = t.overruled_by
 WHERE c.assignment_id <> t.assignment_id
