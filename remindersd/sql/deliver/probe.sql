-- Whether our own session hears notifications ($1: by what it knows this one). Behind a pooler in transaction mode it hears none.
SELECT pg_notify('remindersd_probe', $1)
