import { parseMasterUrl } from "../../../src/config/master_url.ts";
import { NodePassError } from "../../../src/errors.ts";
import { deepEqual, equal, ok, test } from "../../harness.ts";

test("parseMasterUrl() fills in defaults and reads what is given", () => {
  deepEqual(parseMasterUrl("master://:9090").config, {
    role: "master",
    listen: { host: "", port: 9090 },
    prefix: "/api",
    log: "info",
    tls: { kind: "plain" },
    wire: null,
    isolation: "shared",
  });
  equal(parseMasterUrl("master://:9090/").config.prefix, "/api");
  equal(parseMasterUrl("master://:9090/admin/x/").config.prefix, "/admin/x");
  const { config } = parseMasterUrl("master://[::1]:1?tls=2&crt=/c&key=/k&wire=1.14&isolation=process&log=error");
  deepEqual(config.tls, { kind: "files", files: { chain: "/c", key: "/k" } });
  equal(config.wire, "1.14");
  equal(config.isolation, "process");
});

test("parseMasterUrl() names every finding at once and shows no key", () => {
  try {
    parseMasterUrl("master://hunter2@nope/a%20b/..?tls=2&slot=1&isolation=x");
    ok(false);
  } catch (error) {
    ok(error instanceof NodePassError && error.code === "usage");
    equal(error.message.split("\n").length, 6, error.message);
    ok(!error.message.includes("hunter2"));
  }
});
