import { readCoreSettings } from "../../../src/core/settings.ts";
import { NodePassError } from "../../../src/errors.ts";
import { deepEqual, equal, ok, test, throws } from "../../harness.ts";

const read = (env: Record<string, string>) => readCoreSettings((name) => env[name]);

function findings(env: Record<string, string>): string[] {
  try {
    read(env);
  } catch (error) {
    ok(error instanceof NodePassError && error.code === "usage");
    return error.message.split("\n");
  }
  return [];
}

test("core settings: every default", () => {
  const { trustedProxies, ...settings } = read({});
  deepEqual(settings, {
    host: "127.0.0.1",
    port: 3000,
    grpcPort: 3002,
    database: { kind: "sqlite", path: "./data/core.db" },
    redisUrl: null,
    registration: "open",
    joinToken: null,
    tls: null,
    insecure: false,
    onlineTtlMs: 20_000,
    userOnlineGapMs: 10_000,
    ipInfo: { provider: "none", ipinfoToken: null, ipApiKey: null, mmdbPath: null },
    allowPrivateNodes: false,
    secret: null,
  });
  deepEqual(trustedProxies, []);
  equal(Object.isFrozen(read({})), true);
});

test("core settings: an empty value is an unset one, except for HOST", () => {
  deepEqual(read({ PORT: "", DATABASE_URL: " ", REDIS_URL: "", CORE_INSECURE: "" }), read({}));
  equal(read({ HOST: "", CORE_INSECURE: "true" }).host, "");
});

test("core settings: beyond this machine nodes need a token, and connections TLS", () => {
  const tls = { TLS_CERT: "c.pem", TLS_KEY: "k.pem" };
  equal(read({ HOST: "0.0.0.0", ...tls }).registration, "token");
  equal(read({ HOST: "::1" }).registration, "open");
  equal(read({ HOST: "192.0.2.1", ...tls, NODE_REGISTRATION: "open" }).registration, "open");
  equal(findings({ HOST: "0.0.0.0" }).length, 1);
  equal(findings({ HOST: "" })[0]?.includes("CORE_INSECURE=true"), true);
  equal(read({ HOST: "::", CORE_INSECURE: "true" }).insecure, true);
});

test("core settings: databases", () => {
  const path = (url: string) => read({ DATABASE_URL: url }).database;
  deepEqual(path("sqlite:/var/lib/core.db"), { kind: "sqlite", path: "/var/lib/core.db" });
  deepEqual(path("sqlite:///var/lib/core.db"), { kind: "sqlite", path: "/var/lib/core.db" });
  deepEqual(path("sqlite://./core.db"), { kind: "sqlite", path: "./core.db" });
  deepEqual(path("sqlite:core.db"), { kind: "sqlite", path: "core.db" });
  deepEqual(path("sqlite::memory:"), { kind: "sqlite", path: "" });
  const url = "postgres://core:secret-word@db/core";
  deepEqual(read({ DATABASE_URL: url, CORE_SECRET: "x".repeat(32) }).database, { kind: "postgres", url });
  for (const bad of ["sqlite:", "mysql://x/y", "postgres", "core.db", "sqlite:a?mode=ro"]) {
    equal(findings({ DATABASE_URL: bad }).length, 1, bad);
  }
});

test("core settings: PostgreSQL needs the secret, which needs a length", () => {
  deepEqual(findings({ DATABASE_URL: "postgres://core@db/core" }), [
    "Environment variable CORE_SECRET is missing: PostgreSQL needs it, the same for every replica",
  ]);
  equal(findings({ CORE_SECRET: "short" }).length, 1);
});

test("core settings: everything that is wrong is said at once, and no secret with it", () => {
  const secrets = { CORE_SECRET: "hunter2", NODE_JOIN_TOKEN: "hunter2", REDIS_URL: "http://x:hunter2@y" };
  const all = findings({
    ...secrets,
    PORT: "70000",
    GRPC_PORT: "3.5",
    HOST: "localhost:1",
    DATABASE_URL: "mysql://root:hunter2@db",
    NODE_REGISTRATION: "maybe",
    CORE_INSECURE: "yes",
    ONLINE_TTL_S: "0",
    USER_ONLINE_GAP_MS: "-1",
    IP_INFO_PROVIDER: "mmdb",
    ALLOW_PRIVATE_NODES: "on",
    TRUSTED_PROXIES: "10.0.0.0/8, proxy",
    TLS_CERT: "c.pem",
  });
  const names = all.map((line) => /variable (\w+)/.exec(line)?.[1]).sort();
  deepEqual(names, [
    ...["ALLOW_PRIVATE_NODES", "CORE_INSECURE", "CORE_SECRET", "DATABASE_URL", "GRPC_PORT", "HOST", "MMDB_PATH"],
    ...["NODE_JOIN_TOKEN", "NODE_REGISTRATION", "ONLINE_TTL_S", "PORT", "REDIS_URL", "TLS_KEY", "TRUSTED_PROXIES"],
    "USER_ONLINE_GAP_MS",
  ]);
  equal(all.join().includes("hunter2"), false);
  throws(() => read({ PORT: "x" }), /Environment variable PORT is "x": expected an integer from 0 to 65535/);
});

test("core settings: proxies", () => {
  equal(read({ TRUSTED_PROXIES: "10.0.0.0/8,::1 , 192.0.2.1" }).trustedProxies.length, 3);
  equal(read({ TRUSTED_PROXIES: "none" }).trustedProxies.length, 0);
  equal(findings({ TLS_CLIENT_CA: "ca.pem" }).length, 1);
});
