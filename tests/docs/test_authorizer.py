"""The Lambda function of docs/authorizer.md, as it stands there."""
import base64
import contextlib
import fnmatch
import hashlib
import hmac
import io
import json
import os
import re
import time
import types
import unittest
from unittest import mock

import samples

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/authorizer.md")
CONTEXT = types.SimpleNamespace(invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:spa-authorizer")
KEY = "made up for this test"
FORBIDDEN = re.compile(r"eyJ|made up|c2VjcmV0|secret")


def load():
    """The page's one block of Python."""
    [text] = [text for language, _, text in samples.blocks(PAGE) if language == "python"]
    module = types.ModuleType("lambda_function")
    with mock.patch.dict(os.environ, {"SHARED_KEY": KEY, "TOKEN_KEY": "token"}):
        exec(compile(text, PAGE, "exec"), module.__dict__)  # pylint: disable=exec-used
    return module


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(key=KEY, **claims):
    head = base64url(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    body = base64url(json.dumps({"sub": "spa-42", "exp": int(time.time()) + 3600, **claims}).encode())
    mac = hmac.new(key.encode(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{base64url(mac)}"


def event(token, signed=None, client_id="spa-42", username="x-amz-customauthorizer-name=spa"):
    made = {
        "protocols": ["tls", "mqtt"],
        "protocolData": {
            "tls": {"serverName": "a1b2c3-ats.iot.eu-central-1.amazonaws.com"},
            "mqtt": {"username": f"?{username}", "password": "c2VjcmV0", "clientId": client_id},
        },
        "connectionMetadata": {"id": "a52192cb-1c65-4d1f-8b0a-6a7c8c5e1f10"},
    }
    if token is not None:
        made["token"] = token
    if signed is not None:
        made["signatureVerified"] = signed
    return made


class Authorizer(unittest.TestCase):
    def setUp(self):
        self.function = load()

    def answer(self, *arguments, **named):
        """What it answers, after a look at what it logs."""
        logged = io.StringIO()
        with contextlib.redirect_stdout(logged):
            answer = self.function.handler(event(*arguments, **named), CONTEXT)
        self.log = logged.getvalue()
        self.assertNotRegex(self.log, FORBIDDEN)
        json.dumps(answer)
        return answer

    def assert_refused(self, why, *arguments, **named):
        self.assertEqual(self.answer(*arguments, **named), {"isAuthenticated": False})
        self.assertIn(why, self.log)

    def test_lets_a_device_in(self):
        answer = self.answer(jwt())
        self.assertIs(answer["isAuthenticated"], True)
        self.assertRegex(answer["principalId"], r"^[a-zA-Z0-9]{1,128}$")
        self.assertTrue(3590 <= answer["disconnectAfterInSeconds"] <= 3600, answer)
        self.assertEqual(answer["refreshAfterInSeconds"], 300)
        self.assertEqual(self.log, "")

    def test_takes_the_token_from_the_user_name(self):
        self.assertTrue(self.answer(None, username=f"x-amz-customauthorizer-name=spa&token={jwt()}")["isAuthenticated"])
        self.assert_refused("no token", None)

    def test_refuses_an_expired_token(self):
        self.assert_refused("expired", jwt(exp=int(time.time()) - 1))
        self.assert_refused("expired", jwt(exp=int(time.time())))
        self.assert_refused("KeyError", base64url(json.dumps({"sub": "spa-42"}).encode()), signed=True)

    def test_refuses_what_nobody_has_signed(self):
        self.assert_refused("signature is wrong", jwt(key="another"))
        plain = base64url(json.dumps({"sub": "spa-42", "exp": int(time.time()) + 60}).encode())
        self.assert_refused("nobody has signed", plain)
        self.assert_refused("nobody has signed", plain, signed=False)
        head, body, _ = jwt().split(".")
        self.assert_refused("signature is wrong", f"{head}.{body}.")
        self.function.SHARED_KEY = b""
        self.assert_refused("nobody has signed", jwt(key=""))

    def test_believes_aws_that_has_verified_the_signature(self):
        plain = base64url(json.dumps({"sub": "spa-42", "exp": int(time.time()) + 400}).encode())
        answer = self.answer(plain, signed=True)
        self.assertTrue(answer["isAuthenticated"] and answer["disconnectAfterInSeconds"] <= 400)
        self.assertTrue(self.answer(jwt(key="that of the cloud"), signed=True)["isAuthenticated"])
        self.assert_refused("expired", jwt(exp=1), signed=True)

    def test_refuses_the_token_of_another_device(self):
        self.assert_refused("another device", jwt(sub="spa-43"))
        self.assert_refused("another device", jwt(), client_id="spa-43")

    def test_lets_nobody_write_into_the_policy(self):
        for client_id in ("*", "spa-4?", "${iot:ClientId}", "a/b", "", "x" * 129, "spa-42\n"):
            self.assert_refused("client identifier", jwt(sub=client_id), client_id=client_id)

    def test_refuses_rubbish_without_falling_over(self):
        for token in ("", ".", "..", "a.b.c", "....", "\u00e4", "%%%", base64url(b"[1]"), base64url(b"{"), base64url(b"\xff\xfe")):
            for signed in (True, False):
                self.assertEqual(self.answer(token, signed=signed), {"isAuthenticated": False}, token)
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(self.function.handler({}, CONTEXT), {"isAuthenticated": False})

    def test_keeps_times_within_what_aws_allows(self):
        for left, wanted in ((5, 300), (299, 300), (301, 301), (86_401, 86_400), (10**7, 86_400)):
            answer = self.function.decide(event(jwt(exp=10**9 + left)), "r", "a", now=10**9)
            self.assertEqual(answer["disconnectAfterInSeconds"], wanted)

    def test_the_policy_allows_what_is_the_device_s_and_no_more(self):
        [document] = self.answer(jwt())["policyDocuments"]
        self.assertEqual(document["Version"], "2012-10-17")
        self.assertLessEqual(len(json.dumps(document)), 2048)
        start = "arn:aws:iot:eu-central-1:123456789012:"
        wanted = {
            ("iot:Connect", "client/spa-42"): True,
            ("iot:Connect", "client/spa-43"): False,
            ("iot:Publish", "topic/spa/spa-42/state"): True,
            ("iot:Publish", "topic/spa/spa-43/state"): False,
            ("iot:Receive", "topic/$aws/things/spa-42/shadow/update/delta"): True,
            ("iot:Receive", "topicfilter/spa/spa-42/#"): False,
            ("iot:Subscribe", "topicfilter/spa/spa-42/#"): True,
            ("iot:Subscribe", "topicfilter/#"): False,
            ("iot:Subscribe", "topic/spa/spa-42/state"): False,
            ("iot:GetThingShadow", "thing/spa-42"): False,
        }
        for (action, resource), allowed in wanted.items():
            self.assertEqual(allows(document, action, start + resource), allowed, (action, resource))


def as_list(value):
    return value if isinstance(value, list) else [value]


def allows(document, action, resource):
    """As AWS matches a policy: * and ? are its wildcards."""
    return any(
        statement["Effect"] == "Allow"
        and action in as_list(statement["Action"])
        and any(fnmatch.fnmatchcase(resource, pattern) for pattern in as_list(statement["Resource"]))
        for statement in document["Statement"]
    )


if __name__ == "__main__":
    unittest.main()
