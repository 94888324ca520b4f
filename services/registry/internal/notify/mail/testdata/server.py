"""A mail server of another make (aiosmtpd), with STARTTLS and a password. Prints its port, then each message it took as one
line of JSON, read with Python's own parser.

    server.py CERT KEY [plain|notls|noauth]
"""
import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        local = address.split("@")[0]
        if local == "nobody":
            return "550 5.1.1 no such mailbox: " + address
        if local == "later":
            return "451 4.7.1 greylisted, come back"
        if local == "relay":
            return "554 5.7.1 relay access denied"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if envelope.rcpt_tos[0].startswith("full@"):
            return "552 5.2.2 mailbox full"
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        print(json.dumps({
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None, "user": session.authenticated,
            "headers": [[k, str(v)] for k, v in message.items()], "body": message.get_content(),
            "defects": [str(d) for d in message.defects], "raw": envelope.content.decode("ascii"), "helo": session.host_name,
        }), flush=True)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(success=data.login == b"hub" and data.password == b"hunter2", handled=False)


async def main():
    mode = sys.argv[3] if len(sys.argv) > 3 else ""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    options = {"hostname": "mail.test", "enable_SMTPUTF8": True}
    if mode != "plain":
        options |= {"tls_context": context, "require_starttls": True}
    if mode == "":
        options |= {"auth_required": True, "authenticator": authenticate}
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(Handler(), **options), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
