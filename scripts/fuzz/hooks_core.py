"""Keeps the run from locking itself out, and Core from calling addresses that were made up."""

import itertools
import re
from urllib.parse import unquote

import schemathesis

FREE = 999999999
# What lets the run in: token 1 and node 1.
SHUTTING_OUT = {
    ("PATCH", "/admin/tokens/{id}"),
    ("DELETE", "/admin/tokens/{id}"),
    ("DELETE", "/admin/nodes/{id}"),
    ("POST", "/admin/nodes/{id}/disable"),
    ("POST", "/admin/nodes/{id}/rotate-key"),
    ("POST", "/admin/nodes/{id}/reenrol"),
}
numbers = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    # A limit on failures of one address must not answer for all requests without a token.
    number = next(numbers)
    address = f"198.18.{number // 250 % 250}.{1 + number % 250}"
    # Not among the headers of the case: what it says about itself would be lost.
    kwargs["auth"] = lambda request: request.headers.update({"X-Forwarded-For": address}) or request
    operation = (case.method.upper(), case.operation.path)
    if operation in SHUTTING_OUT and unquote(str((case.path_parameters or {}).get("id"))).strip() == "1":
        case.path_parameters["id"] = FREE
    query = case.query or {}
    if query.get("fromNode") == "true":
        query["fromNode"] = "false"
    body = case.body
    if case.operation.path.startswith("/admin/webhooks") and isinstance(body, dict):
        url = body.get("url")
        if isinstance(url, str) and re.match(r"^https?://\[?[0-9a-fA-Fx.:]+\]?([:/?#]|$)", url):
            body["url"] = "https://fuzz.example/"
