-- The result of an evaluation. A named composite, because building one costs a tenth of what a set-returning function
-- or an enum does, and works whatever the search_path.
CREATE TYPE assignment_reminders.evaluation AS (
    action text,
    days_since integer
);
