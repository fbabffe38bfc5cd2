-- The assignments that deleted activities belonged to, of those that counted: contacts that no correction overruled.
SELECT DISTINCT o.assignment_id FROM old_rows o WHERE o.is_contact AND o.overruled_by IS NULL
