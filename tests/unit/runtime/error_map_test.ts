import { NodePassError } from "../../../src/errors.ts";
import { toNodePassError } from "../../../src/runtime/error_map.ts";
import { equal, test } from "../../harness.ts";

function thrown(
  fields: { code?: string; name?: string; syscall?: string },
  message = "as the platform words it",
): Error {
  return Object.assign(new Error(message), fields);
}

test("toNodePassError() gives each platform error its code and one wording", () => {
  const cases: [Error, string, string][] = [
    [thrown({ code: "ECONNREFUSED", name: "ConnectionRefused" }), "connection_refused", "connection refused"],
    [thrown({ code: "EACCES" }), "permission_denied", "permission denied"],
    [
      thrown({ name: "NotCapable" }),
      "permission_denied",
      'Deno was not given the permission, see "nodepass permissions"',
    ],
    [thrown({ name: "UnexpectedEof" }), "connection_reset", "the other side ended the connection too early"],
    [thrown({ code: "EADDRINUSE" }), "address_in_use", "address already in use"],
    [thrown({ code: "EINVAL", syscall: "bind" }), "address_not_available", "address not available on this machine"],
    [thrown({ code: "EINVAL", syscall: "read" }), "io", "as the platform words it"],
    [thrown({ code: "EMFILE" }), "limit", "too many open files"],
    [thrown({ code: "ENOSPC" }), "no_space", "no space left on device"],
    [thrown({ code: "EDQUOT" }), "no_space", "no space left on device"],
    [thrown({ code: "EROFS" }), "permission_denied", "read-only file system"],
    [thrown({}, "failed to lookup address information: Name or service not known"), "name_not_found", "name not found"],
    [thrown({ name: "Interrupted", code: "EINTR" }), "closed", "closed"],
    [thrown({ code: "CERT_HAS_EXPIRED" }, "certificate has expired"), "certificate", "certificate has expired"],
    [
      thrown({ name: "InvalidData" }, "invalid peer certificate: UnknownIssuer"),
      "certificate",
      "invalid peer certificate: UnknownIssuer",
    ],
    [
      thrown({ name: "InvalidData" }, "received fatal alert: UnknownCA"),
      "certificate",
      "received fatal alert: UnknownCA",
    ],
    [
      thrown(
        { code: "ERR_SSL_HTTP_REQUEST" },
        "C0B:error:0A00009C:SSL routines:tls_validate:http request:../a.c:68:\n",
      ),
      "protocol",
      "http request",
    ],
    [
      thrown({ name: "InvalidData" }, "received corrupt message of type InvalidContentType"),
      "protocol",
      "received corrupt message of type InvalidContentType",
    ],
    [
      thrown({ code: "HPE_INVALID_CONSTANT" }, "Parse Error: Expected HTTP/"),
      "protocol",
      "Parse Error: Expected HTTP/",
    ],
  ];
  for (const [error, code, reason] of cases) {
    const mapped = toNodePassError(error, "Cannot try 192.0.2.1:80");
    equal(mapped.code, code, `${error.name} ${error.message}`);
    equal(mapped.message, `Cannot try 192.0.2.1:80: ${reason}`);
    equal(mapped.cause, error);
  }
});

test("toNodePassError() looks at the cause, keeps its own errors and takes anything", () => {
  const wrapped = new Error("outer", { cause: thrown({ code: "EPIPE" }) });
  equal(toNodePassError(wrapped).code, "connection_reset");
  const own = new NodePassError("limit", "Cannot go on: too many");
  equal(toNodePassError(own, "Cannot try"), own);
  equal(toNodePassError("just text").message, "Just text");
  equal(toNodePassError(undefined, "Cannot try").code, "io");
});
