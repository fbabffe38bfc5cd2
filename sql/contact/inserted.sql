-- The assignments that inserted activities belong to.
SELECT DISTINCT n.assignment_id FROM new_rows n
