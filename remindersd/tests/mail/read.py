"""Reads what arrived, and what preview wrote, as a mail program would, and says what is not as it should be.

usage: read.py <directory of .eml> <file of what was sent> <directory of preview's .eml>
"""

import datetime
import email
import email.header
import email.policy
import email.utils
import html
import json
import re
import sys
from pathlib import Path

# What is put around names so that their direction changes nothing else, and what is invisible.
MARKS = dict.fromkeys(map(ord, "\u2066\u2067\u2068\u2069\u202a\u202b\u202c\u202d\u202e"))
complaints = []


def plain(text):
    """Without line breaks, as names are written."""
    return " ".join("".join(" " if ord(c) < 32 or 127 <= ord(c) < 160 else c for c in text).split())


def shortened(text, most):
    text = plain(text)
    return text if len(text) <= most else text[: most - 1] + "…"


def expect(name, holds, what):
    if not holds:
        complaints.append(f"{name}: {what}")


def read(path):
    """The message, which must be one without any defect, and its two parts as text."""
    raw = path.read_bytes()
    message = email.message_from_bytes(raw, policy=email.policy.default)
    for part in message.walk():
        expect(path.name, not part.defects, f"defects: {part.defects}")
        for header, value in part.items():
            expect(path.name, not value.defects, f"defects of {header}: {value.defects}")
            expect(path.name, "\ufffd" not in value, f"{header} does not decode: {value}")
    expect(path.name, message.get_content_type() == "multipart/alternative", message.get_content_type())
    parts = list(message.iter_parts())
    expect(path.name, [part.get_content_type() for part in parts] == ["text/plain", "text/html"], f"its parts: {parts}")
    text, marked_up = (part.get_content() for part in parts)
    expect(path.name, "\ufffd" not in text + marked_up, "it does not decode")
    expect(path.name, len(message.get_all("Message-ID")) == 1 and re.search(rb"^Message-ID: <[\x21-\x7e]+@[a-z.]+>\r$", raw, re.MULTILINE), "Message-ID is not on one line")
    expect(path.name, re.search(rb"^List-Unsubscribe: <https://[\x21-\x7e]+>\r$", raw, re.MULTILINE), "List-Unsubscribe is not on one line")
    expect(path.name, message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click", "List-Unsubscribe-Post")
    expect(path.name, message["Auto-Submitted"] == "auto-generated", "Auto-Submitted")
    expect(path.name, re.fullmatch(r"<[-0-9a-f]{36}\.reminders\.example\.(org|invalid)>", message["List-Id"] or ""), f"List-Id: {message['List-Id']}")
    expect(path.name, not message["Bcc"] and len(message["To"].addresses) == 1 and len(message["From"].addresses) == 1, f"its addresses: {message['To']}")
    age = datetime.datetime.now(datetime.timezone.utc) - message["Date"].datetime
    expect(path.name, abs(age) < datetime.timedelta(hours=1), f"Date: {message['Date']}")
    return message, text, html.unescape(re.sub(r"<[^>]*>", " ", marked_up))


def address(path, header):
    """Name and address, by the package's older decoder: in names, the newer one leaves spaces between encoded words before Python 3.13 (bpo-35547)."""
    name, found = email.utils.parseaddr(re.sub(r"\r?\n", "", str(email.message_from_bytes(path.read_bytes())[header])))
    return str(email.header.make_header(email.header.decode_header(name))), found


def compare(path, sent):
    """What arrived with what was sent; returns its id."""
    message, *texts = read(path)
    expected = sent.get(str(message["Message-ID"]))
    if expected is None:
        complaints.append(f"{path.name}: nobody knows {message['Message-ID']}")
        return None
    key = message["Idempotency-Key"]
    sender, to = address(path, "From"), address(path, "To")
    expect(path.name, message["Message-ID"] == f"<{key}@example.org>", f"Message-ID {message['Message-ID']}, key {key}")
    expect(path.name, sender == (shortened(expected["organization"], 120), "reminders@example.org"), f"From: {sender}")
    expect(path.name, message["Reply-To"] == "office@example.org", f"Reply-To: {message['Reply-To']}")
    local, _, domain = expected["email"].partition("@")
    expect(path.name, to == (shortened(expected["name"], 120), f"{local}@{domain.encode('idna').decode()}"), f"To: {to}, not {expected['name']!r}")
    expect(path.name, message["List-Id"].startswith(f"<{expected['organization_id']}."), f"List-Id: {message['List-Id']}")
    expect(path.name, message["List-Unsubscribe"] == f"<https://your.host/unsubscribe/{expected['token']}>", f"List-Unsubscribe: {message['List-Unsubscribe']}")
    for written in texts:
        found = plain(written).translate(MARKS)
        for name in (*expected["titles"], expected["name"]):
            # Of a long one, the texts show 200 characters.
            start = plain(name).translate(MARKS)[:190].strip()
            expect(path.name, start in found, f"{start!r} is not in {found[:300]!r}")
    expect(path.name, message["Subject"] and len(message["Subject"]) <= 240, f"Subject: {message['Subject']}")
    return str(message["Message-ID"])


arrived, sent, preview = map(Path, sys.argv[1:])
sent = {f"<{line['message_id'].strip('<>')}>": line for line in map(json.loads, sent.read_text().splitlines())}
ids = [compare(path, sent) for path in sorted(arrived.iterdir())]
expect("all", sorted(map(str, ids)) == sorted(sent), f"{len(sent)} were sent, {len(ids)} arrived, {len(set(ids))} different ones")
types = {kind for line in sent.values() for kind in line["types"]}
expect("all", types >= {"contact-reminder", "contact-escalation", "daily-summary", "24h"}, f"only {types} were sent")
expect("all", any(len(line["types"]) > 1 for line in sent.values()), "no digest was sent")
previewed = sorted(preview.glob("*.eml"))
expect("preview", len(previewed) >= 14, f"{len(previewed)} messages")
for path in previewed:
    message, *_ = read(path)
    expect(path.name, message["From"].addresses[0].display_name, "From has no name")

if complaints:
    print(*complaints[:40], f"{len(complaints)} complaints", sep="\n")
    sys.exit(1)
print(f"mail: Python reads the {len(ids)} messages that Haraka took and the {len(previewed)} of the preview, without a defect")
