#!/usr/bin/env python3
"""A local SMTP sink: takes mail and writes a line of JSON for each message, instead of delivering it.

With --refuse and --reject it refuses a part of the messages for now (451) or for good (550), and with --drop it closes
the connection (421), as mail servers do. --answer-mail and --answer-rcpt say what it answers to every sender or recipient. With --certificate, --key and --login it
takes nothing without STARTTLS and that login. Prints the port that it listens on. For the demonstration and the tests.
"""

import argparse
import email
import email.policy
import json
import logging
import random
import signal
import socket
import ssl
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class Sink:
    def __init__(self, path, refuse, reject, drop, seed, answer_mail, answer_rcpt):
        self.out = open(path, "a", buffering=1, encoding="utf-8")
        self.refuse, self.reject, self.drop = refuse, reject, drop
        self.random = random.Random(seed)
        self.answer_mail, self.answer_rcpt = answer_mail, answer_rcpt

    async def handle_MAIL(self, _server, _session, envelope, address, options):
        if self.answer_mail:
            return self.answer_mail
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, _server, _session, envelope, address, options):
        if self.answer_rcpt:
            return self.answer_rcpt
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):
        luck = self.random.random()
        if luck < self.refuse:
            return "451 4.3.0 Try again later"
        if luck < self.refuse + self.reject:
            return "550 5.1.1 No such user here"
        if luck < self.refuse + self.reject + self.drop:
            return "421 4.3.2 Closing the connection"
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        # As it came, not as it is meant.
        raw = email.message_from_bytes(envelope.content)
        self.out.write(json.dumps({
            "to": envelope.rcpt_tos,
            "subject": message["Subject"],
            "message_id": message["Message-ID"],
            "idempotency_key": message["Idempotency-Key"],
            "reminder_type": message["Reminder-Type"],
            "list_unsubscribe": raw["List-Unsubscribe"],
            "list_unsubscribe_post": raw["List-Unsubscribe-Post"],
            "body": message.get_body(("plain",)).get_content(),
        }) + "\n")
        return "250 2.0.0 Taken"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("path", help="the file of what arrived")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--refuse", type=float, default=0, help="part of the messages refused for now")
    parser.add_argument("--reject", type=float, default=0, help="part of the messages refused for good")
    parser.add_argument("--drop", type=float, default=0, help="part of the messages answered by closing the connection")
    parser.add_argument("--answer-mail", help="to each sender, such as '550 5.7.1 Not allowed'")
    parser.add_argument("--answer-rcpt", help="to each recipient")
    parser.add_argument("--certificate", help="with its --key, for STARTTLS")
    parser.add_argument("--key")
    parser.add_argument("--login", help="user:password")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if options.port == 0:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            options.port = probe.getsockname()[1]
    sink = Sink(options.path, options.refuse, options.reject, options.drop, options.seed, options.answer_mail, options.answer_rcpt)
    guard = {}
    if options.certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.certificate, options.key)
        guard |= {"tls_context": context, "require_starttls": True}
    if options.login:
        def authenticate(_server, _session, _envelope, _mechanism, data):
            return AuthResult(success=b":".join((data.login, data.password)) == options.login.encode())
        # aiosmtpd warns of itself at each login.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        guard |= {"authenticator": authenticate, "auth_required": True}
    controller = Controller(sink, hostname="127.0.0.1", port=options.port, **guard)
    controller.start()
    print(controller.port, flush=True)
    stop.wait()
    controller.stop()


if __name__ == "__main__":
    main()
