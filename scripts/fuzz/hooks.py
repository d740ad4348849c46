"""Keeps the run from locking itself out: a list of instances names the API key, too, and a restart of that makes a new one."""

from urllib.parse import unquote

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.method.upper() == "PATCH" and unquote(str((case.path_parameters or {}).get("id"))) == "********":
        case.path_parameters["id"] = "00000000"
