"""A receiver of the hub's notifications as a municipality could write it: Python with the cryptography package, nothing of
the hub's code. It allows one origin to send, checks digest, signature and age of every message, and takes each event once.

    receiver.py CERT KEY JWKS PUBLIC_URL ORIGIN

Prints its port, then one line of JSON for each request.
"""
import base64
import datetime
import hashlib
import http.server
import json
import re
import ssl
import sys
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

cert, key, jwks_file, public_url, origin = sys.argv[1:6]
seen = set()


def number(text):
    return int.from_bytes(base64.urlsafe_b64decode(text + "=="), "big")


def public_key(kid):
    with open(jwks_file) as f:  # a receiver fetches it from the hub, and again when it meets an unknown kid
        for k in json.load(f)["keys"]:
            if k["kid"] == kid and k["kty"] == "EC" and k["crv"] == "P-256":
                return ec.EllipticCurvePublicNumbers(number(k["x"]), number(k["y"]), ec.SECP256R1()).public_key()
    raise ValueError("unknown key")


def check(method, path, headers, body):
    """RFC 9530 digest, RFC 9421 signature. Raises ValueError or InvalidSignature."""
    digest = "sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()).decode() + ":"
    if headers["Content-Digest"] != digest:
        raise ValueError("the body is not the one of the digest")
    label, params = headers["Signature-Input"].split("=", 1)
    components = re.match(r'\(([^)]*)\)', params).group(1).replace('"', "").split()
    if not {"@method", "@target-uri", "content-type", "content-digest"} <= set(components):
        raise ValueError("not enough is signed")
    given = dict(re.findall(r';([a-z]+)="?([^";]*)"?', params))
    if given["alg"] != "ecdsa-p256-sha256" or given["tag"] != "noorderhub-melding":
        raise ValueError("another kind of signature")
    if not int(given["created"]) - 60 <= time.time() <= int(given["expires"]):
        raise ValueError("too old, or from the future")
    derived = {"@method": method, "@target-uri": public_url + path}
    lines = [f'"{c}": {derived[c] if c.startswith("@") else headers[c].strip()}' for c in components]
    lines.append(f'"@signature-params": {params}')
    raw = base64.b64decode(re.fullmatch(label + "=:(.*):", headers["Signature"]).group(1))
    if len(raw) != 64:
        raise ValueError("signature of the wrong length")
    der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    public_key(given["keyid"]).verify(der, "\n".join(lines).encode(), ec.ECDSA(hashes.SHA256()))


class Receiver(http.server.BaseHTTPRequestHandler):
    def answer(self, status, told, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()
        print(json.dumps(told), flush=True)

    def do_OPTIONS(self):
        asked = self.headers["WebHook-Request-Origin"]
        told = {"asked": asked, "rate": self.headers["WebHook-Request-Rate"]}
        if asked != origin:
            return self.answer(403, told)
        self.answer(200, told, WebHook_Allowed_Origin=asked, WebHook_Allowed_Rate="120", Allow="POST")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            check("POST", self.path, self.headers, body)
        except (ValueError, InvalidSignature, KeyError, AttributeError, TypeError) as e:
            return self.answer(401, {"refused": type(e).__name__ + " " + str(e)})
        if not self.headers["Content-Type"].startswith("application/cloudevents+json"):
            return self.answer(415, {"refused": "media type"})
        event = json.loads(body)
        datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
        known = (event["source"], event["id"]) in seen
        seen.add((event["source"], event["id"]))
        self.answer(204, {"event": event, "known": known})

    def log_message(self, *args):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
port = server.server_address[1]
public_url = public_url.replace("PORT", str(port))
print(port, flush=True)
server.serve_forever()
