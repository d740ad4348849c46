/**
 * The Core under test: a database in memory with one record of each kind, and no name that leads anywhere.
 *
 * @module
 */
import { NodePassError } from "../../src/errors.ts";
import { createLogger } from "../../src/log/logger.ts";
import { denoRuntime } from "../../src/runtime/deno/runtime.ts";
import { readCoreSettings, startCore } from "../../src/start/core.ts";
import type { Fuzzed } from "./fuzzed.ts";

const ENV: Readonly<Record<string, string>> = {
  ...{ PORT: "0", GRPC_PORT: "0", DATABASE_URL: "sqlite::memory:" },
  // An open door closes with the first join token.
  NODE_REGISTRATION: "approval",
  // Each request has an address of its own.
  TRUSTED_PROXIES: "127.0.0.0/8",
};

/** Starts it. */
export async function startFuzzedCore(): Promise<Fuzzed> {
  const failures: string[] = [];
  const logger = createLogger({
    level: "error",
    format: "text",
    color: false,
    write: (line) => {
      if (line.includes("A request failed")) failures.push(line);
    },
    wall: () => Date.now(),
  });
  // Webhooks are made up: none of them is to be told anything.
  const dns = { ...denoRuntime.dns, resolve: (host: string) => Promise.reject(unknown(host)) };
  const settings = readCoreSettings((name) => ENV[name]);
  const core = await startCore({ settings, logger, runtime: { ...denoRuntime, dns } });
  const bearer = { Authorization: `Bearer ${core.adminToken}` };
  const post = async (path: string, body: unknown): Promise<Record<string, unknown>> => {
    const headers = { ...bearer, "Content-Type": "application/json" };
    const answer = await fetch(core.httpUrl + path, { method: "POST", headers, body: JSON.stringify(body) });
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return await answer.json();
  };
  const { authKey } = await post("/admin/nodes", {
    ...{ code: "first", name: "First", ip: "203.0.113.7", port: 8080, region: "eu" },
  });
  await post("/admin/users", { name: "ada" });
  await post("/admin/subscriptions", { userId: 1 });
  await post("/admin/node-protocols", {
    ...{ nodeId: 1, service: "xray", protocol: "vless", tag: "vless-443", settings: { port: 443 } },
  });
  await post("/admin/links", { userId: 1, subscriptionId: 1, kind: "xray", nodeProtocolIds: [1] });
  const key = { "x-node-auth-key": String(authKey) };
  const stillIn = async (): Promise<boolean> => {
    const answers = await Promise.all([
      fetch(`${core.httpUrl}/admin/tokens`, { headers: bearer }),
      fetch(`${core.httpUrl}/node/config/latest`, { headers: key }),
    ]);
    for (const { body } of answers) await body?.cancel();
    return answers.every(({ status }) => status === 200);
  };
  return {
    ...{ port: core.http.port, base: "", headers: { ...bearer, ...key }, failures, stillIn },
    ...{ config: "schemathesis_core.toml", hooks: "hooks_core.py" },
    [Symbol.asyncDispose]: () => core.close(),
  };
}

function unknown(host: string): NodePassError {
  return new NodePassError("name_not_found", `Name ${host} leads nowhere here`);
}
