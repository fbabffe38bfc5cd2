-- The assignments that deleted activities belonged to.
SELECT DISTINCT o.assignment_id FROM old_rows o
