#!/usr/bin/env python3
"""The smallest worker that is correct, to be read beside docs/delivery.md, "Writing a worker". `remindersd deliver` is the one to run.

usage: PGDATABASE=programme worker.py <mail server> <port> <sender> <where people unsubscribe, such as https://your.host/unsubscribe>
"""
import signal, smtplib, sys, threading, time
from email import headerregistry, message, policy, utils
import psycopg, psycopg.rows

HOST, PORT, SENDER, LINK = sys.argv[1:]
LEASE, TIMEOUT, POLL = 300, 30, 10  # seconds; half of a lease is longer than all answers of a slow mail server
POLICY = policy.SMTP.clone(max_line_length=998)  # a link that was folded would be encoded, and mail programs would not read it

def line(item, database):  # your words by reminder_type stand here; a daily summary is asked for when it is sent
    if item["reminder_type"] == "daily-summary":
        open_tasks = "SELECT overdue || current FROM assignment_reminders.daily_summary(%s)"
        return "Open: " + ", ".join(task["title"] for task in database.execute(open_tasks, [item["recipient_id"]]).fetchone()[0])
    return f"{item['reminder_type']}: {item['assignment_title'] or ''} {item['due_at_local'] or ''}"

def letter(claimed, text):
    mail = message.EmailMessage(POLICY)
    mail["To"] = headerregistry.Address(addr_spec=claimed.recipient_email.encode("ascii").decode())  # raises where this worker cannot write to it
    mail["From"], mail["Subject"], mail["Date"], mail["Auto-Submitted"] = SENDER, "Your assignments", utils.localtime(), "auto-generated"
    # The same at every attempt, so that whoever gets a message twice, as after kill -9, can drop one.
    mail["Message-ID"] = f"<{claimed.idempotency_key}@{SENDER.rpartition('@')[2]}>"
    mail["List-Unsubscribe"], mail["List-Unsubscribe-Post"] = f"<{LINK}/{claimed.unsubscribe_token}>", "List-Unsubscribe=One-Click"
    mail.set_content(text)
    return mail.as_bytes()

def refusal(smtp, claimed, text):
    """Hands a message over. None: it was taken. Else: whose fault it was, what was said, and, where nobody is to blame, whether that is for good."""
    try:
        smtp.sendmail(SENDER, claimed.recipient_email, letter(claimed, text))
        return None
    except smtplib.SMTPRecipientsRefused as error:
        (code, said), fault = error.recipients[claimed.recipient_email], "recipient"
    except smtplib.SMTPResponseException as error:  # after DATA it may be anybody's
        code, said, fault = error.smtp_code, error.smtp_error, None if isinstance(error, smtplib.SMTPDataError) else "sender"
    except Exception as error:  # a connection that broke may have taken it: an attempt; whatever else a row holds, the others go on
        return None, repr(error), not isinstance(error, (OSError, smtplib.SMTPException))
    if fault == "sender" or code == 421:  # nobody else's would be taken
        smtp.close()
        fault = fault and ("sender" if code >= 500 else "transport")
    said = said.decode(errors="replace")
    return fault, f"{code} {said}", None if fault else code >= 500 and not said.startswith("5.7.")  # which may be the sender's: health warns, and it is tried again

def work_off(database, stop):
    """One batch. Whether there may be more at once."""
    half, done = time.monotonic() + LEASE / 2, 0
    with smtplib.SMTP(HOST, PORT, timeout=TIMEOUT) as smtp:  # before the claim: a mail server that is down costs nobody an attempt
        rest = database.execute("SELECT * FROM assignment_reminders.claim_digests(100, make_interval(secs => %s))", [LEASE]).fetchall()
        while rest and smtp.sock and not stop.is_set() and time.monotonic() < half:
            claimed, done = rest.pop(0), done + 1
            refused = refusal(smtp, claimed, "\n".join(line(item, database) for item in claimed.items))
            answer, what = ("record_digest_failure(%s, %s, %s, %s, %s)", refused) if refused else ("mark_digest_sent(%s, %s, %s)", [claimed.idempotency_key])
            database.execute(f"SELECT assignment_reminders.{answer}", [claimed.reminder_ids, claimed.claim_id, *what])  # too late, it changes nothing
        if rest:  # not tried, or not in time: it loses no attempt. Whoever is to blame was paused above, or it would be claimed at once
            ids = [reminder for claimed in rest for reminder in claimed.reminder_ids]
            database.execute("SELECT assignment_reminders.return_reminders(%s, %s)", [ids, rest[0].claim_id])
    return done and not rest

if __name__ == "__main__":
    stop = threading.Event()  # heeded between two messages. Without the database it ends, too: what it had claimed comes back when the lease ends
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    # Each statement is a transaction of its own, and none is prepared, so that PgBouncer may stand between.
    with psycopg.connect(autocommit=True, prepare_threshold=None, row_factory=psycopg.rows.namedtuple_row) as database:
        while not stop.is_set():
            try:
                goes_on = work_off(database, stop)
            except (OSError, smtplib.SMTPException) as error:
                goes_on = print(f"the mail server: {error!r}", file=sys.stderr)
            goes_on or stop.wait(POLL)
