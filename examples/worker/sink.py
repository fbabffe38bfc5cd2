#!/usr/bin/env python3
"""A local SMTP sink: takes mail and writes a line of JSON for each message, instead of delivering it.

With --refuse and --reject it refuses a part of the messages for now (451) or for good (550), as mail servers do. With --certificate, --key and --login it takes nothing
without STARTTLS and that login. Prints the port that it listens on. For `make worker-demo`.
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
    def __init__(self, path, refuse, reject):
        self.out = open(path, "a", buffering=1, encoding="utf-8")
        self.refuse, self.reject = refuse, reject
        self.random = random.Random(1)

    async def handle_DATA(self, _server, _session, envelope):
        luck = self.random.random()
        if luck < self.refuse:
            return "451 4.3.0 Try again later"
        if luck < self.refuse + self.reject:
            return "550 5.1.1 No such user here"
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        # As it came, not as it is meant.
        raw = email.message_from_bytes(envelope.content)
        self.out.write(json.dumps({
            "to": envelope.rcpt_tos,
            "subject": message["Subject"],
            "message_id": message["Message-ID"],
            "idempotency_key": message["Idempotency-Key"],
            "list_unsubscribe": raw["List-Unsubscribe"],
            "body": message.get_body(("plain",)).get_content(),
        }) + "\n")
        return "250 2.0.0 Taken"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("path", help="the file of what arrived")
    parser.add_argument("--refuse", type=float, default=0, help="part of the messages refused for now")
    parser.add_argument("--reject", type=float, default=0, help="part of the messages refused for good")
    parser.add_argument("--certificate", help="with its --key, for STARTTLS")
    parser.add_argument("--key")
    parser.add_argument("--login", help="user:password")
    options = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sink = Sink(options.path, options.refuse, options.reject)
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
    controller = Controller(sink, hostname="127.0.0.1", port=port, **guard)
    controller.start()
    print(controller.port, flush=True)
    stop.wait()
    controller.stop()


if __name__ == "__main__":
    main()
