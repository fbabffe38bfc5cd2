-- The assignments that deleted corrections belonged to.
SELECT DISTINCT o.assignment_id FROM old_rows o
