/** Core under the permissions that `nodepass permissions core` prints, with --no-prompt: nothing is refused, nothing is spare. */
import { Buffer } from "node:buffer";
import * as grpc from "@grpc/grpc-js";
import { corePermissions } from "../../src/core/permissions.ts";
import { readCoreSettings } from "../../src/core/settings.ts";
import { certificateFolder, SERVER_NAME } from "../e2e/certificates.ts";
import { CoreProcess, type CoreProcessOptions } from "../e2e/core_process.ts";
import { startCommand } from "../e2e/process.ts";
import { deepEqual, equal, ok, rejects } from "../harness.ts";

const REFUSAL = /NotCapable|Requires \w+ access|--allow-|permission/i;
const files = await certificateFolder();
const TLS = { TLS_CERT: files.chain, TLS_KEY: files.key };

const printed = (env: Readonly<Record<string, string>>): readonly string[] => [
  "--no-prompt",
  ...corePermissions(readCoreSettings((name) => env[name])).flags,
];

/** Opens an HTTP/2 connection, inside TLS where asked for, and calls a method that needs a key. */
function callGrpc(port: number, tls: boolean): Promise<grpc.status> {
  const credentials = tls
    ? grpc.credentials.createSsl(Buffer.from(Deno.readTextFileSync(files.ca)))
    : grpc.credentials.createInsecure();
  const client = new grpc.Client(`127.0.0.1:${port}`, credentials, { "grpc.ssl_target_name_override": SERVER_NAME });
  const same = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve) => {
    client.makeUnaryRequest("/nodeservice.NodeService/Heartbeat", same, same, Buffer.alloc(0), (error) => {
      client.close();
      resolve(error?.code ?? grpc.status.OK);
    });
  });
}

for (const [name, env] of [["plain", {}], ["inside TLS", TLS]] as const) {
  Deno.test(`Core ${name} under its printed permissions`, async () => {
    await using core = await CoreProcess.start({ env, permissions: printed });
    const tls = name !== "plain";
    if (!tls) {
      const body = { code: "a", name: "A", ip: "203.0.113.7", port: 8080, region: "eu" };
      const answer = await fetch(`${core.base}/node/register`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      equal(answer.status, 201);
      await answer.body?.cancel();
    }
    equal(await callGrpc(core.grpcPort, tls), grpc.status.UNAUTHENTICATED);
    equal(await core.process.stop(), 0);
    deepEqual(core.process.lines.filter((line) => REFUSAL.test(line)), []);
    await core.again();
    equal(await core.process.stop(), 0);
  });
}

Deno.test("Core: without any one of its permissions it does not start", async () => {
  const options = (spare: string): CoreProcessOptions => ({
    permissions: (env) => printed(env).filter((flag) => !flag.startsWith(spare)),
  });
  for (const spare of ["--allow-net", "--allow-read", "--allow-write", "--allow-env"]) {
    await rejects(CoreProcess.start(options(spare)), /the process ended/, spare);
  }
});

Deno.test("Core: folders, files and variables of the permissions are those of its settings", async () => {
  const env = {
    DATABASE_URL: "postgres://core@db/core",
    CORE_SECRET: "x".repeat(32),
    REDIS_URL: "redis://cache",
    ...{ TLS_CERT: "/c,1.pem", TLS_KEY: "/k.pem", IP_INFO_PROVIDER: "mmdb", MMDB_PATH: "/ip.mmdb" },
  };
  await using shown = startCommand(["permissions", "core", "--json"], { env });
  equal(await shown.exited, 0);
  deepEqual(JSON.parse(shown.output).flags, [
    "--allow-net",
    "--allow-read=/c,,1.pem,/k.pem,/ip.mmdb",
    "--allow-env",
  ]);
  await using wrong = startCommand(["permissions", "core"], { env: { PORT: "x", ONLINE_TTL_S: "0" } });
  equal(await wrong.exited, 2);
  ok(wrong.output.includes("PORT") && wrong.output.includes("ONLINE_TTL_S"));
});
