#!/usr/bin/env python3
"""An example worker: claims reminders, sends them by SMTP, and answers. Run as many as you like.

It owns the text of the messages and the talk with the mail server. Who gets what, when, how often and whether at all
is the database's: assignment_reminders.claim_reminders, mark_reminder_sent and record_delivery_failure.

The connection is libpq's: PGHOST, PGDATABASE and the like, or --database 'postgresql://...'. Ctrl-C (SIGINT, SIGTERM)
finishes the message at hand, gives back what else was claimed, and ends. It also ends when the database goes away: let a supervisor, such as systemd, start it
again; what it had claimed comes back when the lease has run out.
"""

import argparse
import collections
import email.errors
import email.headerregistry
import email.message
import email.policy
import email.utils
import logging
import select
import signal
import smtplib
import socket
import time
import urllib.parse

import psycopg
from psycopg.rows import dict_row, namedtuple_row

log = logging.getLogger("worker")

CLAIM = "SELECT * FROM assignment_reminders.claim_reminders(%s, %s::interval)"
SENT = "SELECT assignment_reminders.mark_reminder_sent(%s, %s, %s, %s)"
FAILED = "SELECT assignment_reminders.record_delivery_failure(%s, %s, %s, %s, %s)"
RETURN = "SELECT count(*) FROM assignment_reminders.return_reminders(%s, %s)"
TOKENS = "SELECT * FROM unnest(%(users)s::uuid[], assignment_reminders.unsubscribe_tokens_of(%(users)s::uuid[]))"
EXTEND = "SELECT assignment_reminders.extend_reminder_lease(%s, %s, %s::interval)"
SUMMARY = "SELECT * FROM assignment_reminders.daily_summary(%s)"


class Stop:
    """Set by a signal; asked between messages, so that the message at hand is finished."""

    def __init__(self):
        self.asked = False
        # A signal also writes here, and so ends a wait for notifications.
        self.wakes, woken_by = socket.socketpair()
        woken_by.setblocking(False)
        signal.set_wakeup_fd(woken_by.fileno())
        self._woken_by = woken_by
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, _number, _frame):
        self.asked = True


class Unwritable(Exception):
    """An address that no mail can be written to, such as "a,b@example.org"."""


class Verbatim(email.headerregistry.UnstructuredHeader):
    """A header of ASCII that is not folded: email would encode a long URL, and mail programs would not read it."""

    def fold(self, *, policy):
        return f"{self.name}: {self}{policy.linesep}"


HEADERS = email.headerregistry.HeaderRegistry()
HEADERS.map_to_type("list-unsubscribe", Verbatim)
POLICY = email.policy.EmailPolicy(header_factory=HEADERS)


def one_line(text):
    """A line break in a title or a name must not start another header."""
    return " ".join(text.split())


def address_of(reminder):
    try:
        return email.headerregistry.Address(one_line(reminder.recipient_name), addr_spec=reminder.recipient_email)
    except (email.errors.MessageError, ValueError) as error:
        raise Unwritable(f"no address: {reminder.recipient_email}: {error}") from error


class Connection(smtplib.SMTP):
    """Knows whether a message was handed over, or may have been."""

    handed_over = False

    def mail(self, *arguments, **options):
        self.handed_over = False
        return super().mail(*arguments, **options)

    def data(self, message):
        self.handed_over = True
        return super().data(message)


class Mailer:
    """One SMTP connection, opened before anything is claimed: a mail server that is down costs nobody an attempt."""

    def __init__(self, host, port, sender):
        self.host, self.port, self.sender = host, port, sender
        self.smtp = None

    def connect(self):
        """Makes sure that the mail server answers. Raises OSError or smtplib's exceptions."""
        if self.smtp is not None:
            try:
                if self.smtp.noop()[0] == 250:
                    return
            except (OSError, smtplib.SMTPException):
                pass
            self.close()
        self.smtp = Connection(self.host, self.port, timeout=30)

    def close(self):
        if self.smtp is not None:
            self.smtp.close()
            self.smtp = None

    def send(self, reminder, subject, body, link):
        """Returns the message's id. Raises smtplib's exceptions, and Unwritable."""
        message = email.message.EmailMessage(POLICY)
        message["From"] = self.sender
        message["To"] = address_of(reminder)
        message["Subject"] = one_line(subject)
        message["Date"] = email.utils.localtime()
        # The same for every attempt, so that a provider, or the recipient's client, can drop a double.
        message["Message-ID"] = f"<{reminder.idempotency_key}@{self.sender.rpartition('@')[2]}>"
        message["Idempotency-Key"] = reminder.idempotency_key
        message["Reminder-Type"] = reminder.reminder_type
        message["Auto-Submitted"] = "auto-generated"
        if link:
            # RFC 8058: one click of a mail program, which posts to the first and adds nothing. Sign both by DKIM, or they count for nothing.
            message["List-Unsubscribe"] = f"<{link}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
            body += f"\n-- \nNo more of these: {link}?type={urllib.parse.quote(reminder.reminder_type, safe='')}\n"
        message.set_content(body)
        if self.smtp is None:
            self.connect()
        self.smtp.send_message(message, self.sender, [reminder.recipient_email])
        return message["Message-ID"]


def render(reminder, summary_of):
    """Subject and plain text, in the recipient's local time.

    A worker chooses its words by reminder_type. Types not named here fall through: due offsets ("24h"), which have a due
    date, and rows of your own, which get a general text.
    """
    hello = f"Hello {reminder.recipient_name or 'there'},\n\n"
    title, student = reminder.assignment_title, reminder.student_name or "your student"
    days = f"{reminder.days_since} day{'' if reminder.days_since == 1 else 's'}"
    if reminder.reminder_type == "contact-reminder":
        return (
            f"{days} without contact: {title}",
            f"{hello}there has been no contact with {student} about \"{title}\" for {days}. Please get in touch, and "
            "register it.\n",
        )
    if reminder.reminder_type == "contact-escalation":
        mentor = reminder.peer_mentor_name or "nobody"
        return (
            f"No contact for {days}: {title}",
            f"{hello}there has been no contact with {student} about \"{title}\" for {days}, although the mentor "
            f"({mentor}) was reminded. Please look into it.\n",
        )
    if reminder.reminder_type == "daily-summary":
        summary, lines = summary_of(reminder.recipient_id), []
        for heading, items in (("Overdue", summary["overdue"]), ("Coming up", summary["current"]), ("Done", summary["completed"])):
            if items:
                lines.append(f"{heading}:")
                lines += [f"  {item['title']}" + (f" (due {local(item['due_at_local'])})" if item["due_at_local"] else "") for item in items]
                lines.append("")
        return "Your day", hello + "\n".join(lines)
    if reminder.reminder_type in NOTICES:
        return NOTICES[reminder.reminder_type], f"{hello}{NOTICES[reminder.reminder_type]}, since {local(reminder.anchor.isoformat())} UTC.\n"
    if reminder.due_at_local is not None:
        due = f"{local(reminder.due_at_local.isoformat())} ({reminder.recipient_timezone})"
        return f"Due {due}: {title}", f"{hello}\"{title}\" is due {due}.\n"
    return f"Reminder: {title}", f"{hello}this is a reminder of \"{title}\".\n"


# What admins are told of.
NOTICES = {
    "held-run": "Follow-ups are held: more than the limit should have gone out earlier. Please look, and release them",
    "failed-run": "The daily evaluation failed",
    "slow-run": "The daily evaluation takes over 30 minutes",
    "missing-run": "The daily evaluation was not made",
    "nothing-sent": "Nothing has been sent for six hours, although something is due",
}


def local(moment):
    return moment[:16].replace("T", " ")


def deliver(reminder, mailer, database, link):
    """Sends one reminder and answers for it. Returns whether it was sent, and whether the others of the batch may be."""
    def summary_of(student):
        with database.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(SUMMARY, [student]).fetchone()

    fault = None
    try:
        message_id = mailer.send(reminder, *render(reminder, summary_of), link)
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        # What is said of an address, the database judges.
        fault = "transport" if code == 421 else "recipient"
        answered, sent = failed(database, reminder, fault, code, text), False
    except smtplib.SMTPResponseException as error:
        code, text = error.smtp_code, error.smtp_error
        if not isinstance(error, smtplib.SMTPDataError) and code != 552:
            # Refused before the message was seen (552 is about its size). Of what is refused after that, nobody can tell whose fault it is.
            fault = "sender" if 500 <= code < 600 and not isinstance(error, smtplib.SMTPConnectError) else "transport"
        if code == 421 or fault == "transport":  # the mail server is closing the connection
            mailer.close()
        answered, sent = failed(database, reminder, fault, code, text, permanent=500 <= code < 600), False
    except (Unwritable, smtplib.SMTPNotSupportedError) as error:  # the latter: beyond ASCII, and the mail server is not
        answered, sent = failed(database, reminder, None, 0, str(error), permanent=True), False
    except (OSError, smtplib.SMTPException) as error:
        # What may have been handed over is an attempt: it must not be sent without end.
        fault = None if mailer.smtp is not None and mailer.smtp.handed_over else "transport"
        mailer.close()
        answered, sent = failed(database, reminder, fault, 0, str(error) or type(error).__name__), False
    else:
        answered, sent = database.execute(SENT, [reminder.reminder_id, reminder.claim_id, message_id, mailer.sender]).fetchone()[0], True
    if not answered:
        log.warning("the claim on reminder %s was lost; the answer changed nothing", reminder.reminder_id)
    return answered and sent, fault not in ("sender", "transport")


def failed(database, reminder, fault, code, text, permanent=False):
    text = text.decode(errors="replace") if isinstance(text, bytes) else text
    error = f"{code} {text}" if code else text
    log.info("reminder %s was not sent: %s", reminder.reminder_id, error)
    # 5xx: the mail server will never take it. 4xx, or no answer: it may, later.
    permanent = None if fault else permanent
    return database.execute(FAILED, [reminder.reminder_id, reminder.claim_id, fault, error, permanent]).fetchone()[0]


def links_of(batch, database, options):
    """By person, the link by which they unsubscribe; none where nobody serves it."""
    if not options.unsubscribe_url:
        return {}
    tokens = database.execute(TOKENS, {"users": list({reminder.recipient_id for reminder in batch})}).fetchall()
    return {user: f"{options.unsubscribe_url.rstrip('/')}/{token}" for user, token in tokens if token}


def work_off(database, mailer, options, stop):
    """Claims and delivers one batch. Returns how many were claimed."""
    mailer.connect()
    with database.cursor(row_factory=namedtuple_row) as cursor:
        batch = cursor.execute(CLAIM, [options.batch, f"{options.lease} seconds"]).fetchall()
    lease_ends = time.monotonic() + options.lease
    links = links_of(batch, database, options) if batch else {}
    sent, goes_on, rest = 0, True, collections.deque(batch)
    while rest and goes_on and not stop.asked:
        reminder = rest.popleft()
        if time.monotonic() > lease_ends - options.lease / 2:
            # Half of the lease has passed: from here on, ask for each whether it is still ours and still wanted.
            if not database.execute(EXTEND, [reminder.reminder_id, reminder.claim_id, f"{options.lease} seconds"]).fetchone()[0]:
                continue
        was_sent, goes_on = deliver(reminder, mailer, database, links.get(reminder.recipient_id))
        sent += was_sent
    if rest:
        # Whoever is to blame is paused by now; the others may be claimed again, and have lost no attempt.
        database.execute(RETURN, [[reminder.reminder_id for reminder in rest], rest[0].claim_id])
    if batch:
        log.info("%d claimed, %d sent, %d given back", len(batch), sent, len(rest))
    return len(batch)


def run(options, stop):
    mailer = Mailer(options.smtp_host, options.smtp_port, options.sender)
    # One connection works, the other one listens.
    with psycopg.connect(options.database, autocommit=True) as database, \
            psycopg.connect(options.database, autocommit=True) as listener:
        listener.execute("LISTEN assignment_reminders")
        while not stop.asked:
            try:
                claimed = work_off(database, mailer, options, stop)
            except (OSError, smtplib.SMTPException) as error:
                log.warning("the mail server does not answer: %s", error)
                mailer.close()
                claimed = 0
            if claimed:
                continue
            if options.drain:
                break
            # Until somebody enqueues, a reminder's own time may have come, or a signal asks to stop.
            select.select([listener.fileno(), stop.wakes], [], [], options.poll)
            listener.execute("SELECT 1")  # takes in what has arrived
    mailer.close()
    log.info("finished")


def arguments():
    parser = argparse.ArgumentParser(description="Sends the reminders that assignment_reminders hands out.")
    parser.add_argument("--database", default="", help="libpq connection string; default: PGHOST and the like")
    parser.add_argument("--smtp-host", default="localhost")
    parser.add_argument("--smtp-port", type=int, default=25)
    parser.add_argument("--sender", default="reminders@example.org")
    parser.add_argument("--unsubscribe-url", default="", help="where remindersd serves it, such as https://your.host/unsubscribe")
    parser.add_argument("--batch", type=int, default=100, help="reminders claimed at once")
    parser.add_argument("--lease", type=float, default=300, help="seconds after which others may take over what is not answered")
    parser.add_argument("--poll", type=float, default=10, help="seconds to wait when nothing is due and nobody notifies")
    parser.add_argument("--drain", action="store_true", help="end when nothing is due")
    parser.add_argument("--quiet", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    options = arguments()
    logging.basicConfig(level=logging.WARNING if options.quiet else logging.INFO, format="%(asctime)s %(name)s %(process)d: %(message)s")
    run(options, Stop())
