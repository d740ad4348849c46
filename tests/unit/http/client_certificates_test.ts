import https from "node:https";
import { serveHttp } from "../../../src/http/serve.ts";
import { silentLogger } from "../../../src/log/silent.ts";
import { detectRuntime } from "../../../src/runtime/detect.ts";
import type { ServerCertificate } from "../../../src/runtime/types.ts";
import { createAuthority } from "../../conformance/runtime_certificates.ts";
import { equal, rejects, test } from "../../harness.ts";

/** The status of one request on a connection of its own. */
function status(port: number, ca: string, caller?: ServerCertificate): Promise<number> {
  const shown = caller === undefined ? {} : { cert: caller.chainPem, key: caller.keyPem };
  return new Promise((resolve, reject) => {
    https.get({ host: "127.0.0.1", port, ca, ...shown, agent: false }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode ?? 0));
    }).once("error", reject);
  });
}

test("serve: with an authority for callers, only its certificates are let in, also after a reload", async () => {
  const runtime = await detectRuntime();
  const [servers, callers, strangers] = await Promise.all(["servers", "callers", "strangers"].map(createAuthority));
  if (servers === undefined || callers === undefined || strangers === undefined) throw new Error("no authority");
  const server = await serveHttp({
    listen: { host: "127.0.0.1", port: 0 },
    certificate: await servers.issue(["127.0.0.1"]),
    clientCaPem: callers.caPem,
    fetch: () => new Response("in"),
    runtime,
    logger: silentLogger,
  });
  const { port } = server.addr;
  try {
    for (const round of ["start", "reload"]) {
      equal(await status(port, servers.caPem, await callers.issue(["node.test"])), 200, round);
      await rejects(status(port, servers.caPem), round);
      await rejects(status(port, servers.caPem, await strangers.issue(["node.test"])), round);
      server.setCertificate(await servers.issue(["127.0.0.1"]));
    }
  } finally {
    await server.close();
  }
});
