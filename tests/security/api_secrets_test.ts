/** Keys stay where they belong, and what strangers write does no harm where it is shown. */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path/posix";
import { createLogger } from "../../src/log/logger.ts";
import { assets } from "../../src/master/dashboard/assets.ts";
import { type MasterHandle, startMaster } from "../../src/start/master.ts";
import { equal, ok, test } from "../harness.ts";
import { fakeMaster, KEY } from "../unit/http/fake_master.ts";

const TUNNEL_KEY = "Vertraulich+7f3a9c";

interface Running {
  readonly master: MasterHandle;
  readonly directory: string;
  readonly lines: string[];
  call(path: string, init?: RequestInit): Promise<{ status: number; text: string; headers: Headers }>;
}

async function withMaster(run: (running: Running) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "nodepass-secrets-"));
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const logger = createLogger({ level: "debug", format: "text", color: false, write, wall: () => Date.now() });
  const master = await startMaster("master://127.0.0.1:0?log=debug", { stateDir: directory, logger });
  const call: Running["call"] = async (path, init = {}) => {
    const headers = { "X-API-Key": master.key.reveal(), ...init.headers as Record<string, string> };
    const response = await fetch(master.apiUrl + path, { ...init, headers });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  try {
    await run({ master, directory, lines, call });
  } finally {
    await master.close({ graceMs: 0 });
    await rm(directory, { recursive: true });
  }
}

test("no line, error, metric and event of a master shows its API key or the key of a tunnel", async () => {
  await withMaster(async ({ master, lines, directory, call }) => {
    const first = master.key.reveal();
    const url = `client://${encodeURIComponent(TUNNEL_KEY)}@127.0.0.1:1/127.0.0.1:2?mode=2`;
    const abort = new AbortController();
    const headers = { "X-API-Key": first };
    const stream = await fetch(`${master.apiUrl}/events`, { headers, signal: abort.signal });
    const events: string[] = [];
    const reading = (async () => {
      for await (const text of stream.body!.pipeThrough(new TextDecoderStream())) events.push(text);
    })().catch(() => {});
    const created = await call("/instances", { method: "POST", body: JSON.stringify({ url, alias: "a" }) });
    equal(created.status, 201, created.text);
    const { id } = JSON.parse(created.text);
    const texts = [
      (await call("/metrics")).text,
      (await call("/openapi.json")).text,
      (await call("/docs")).text,
      (await call("/info")).text,
      (await call(`/instances/${id}/logs`)).text,
      (await call("/instances", { method: "POST", body: `{"url":"x://${TUNNEL_KEY}@a:1/b:2"}` })).text,
      (await call("/instances", { method: "POST", body: `{"url":"client://${TUNNEL_KEY}@a:1/b:2?mode=9"}` })).text,
      (await call(`/instances/${id}`, { method: "PATCH", body: `{"action":"${TUNNEL_KEY.slice(0, 3)}"}` })).text,
      (await call("/instances", { headers: { "X-API-Key": TUNNEL_KEY } })).text,
    ];
    await call("/instances/********", { method: "PATCH", body: '{"action":"restart"}' });
    await reading;
    abort.abort();
    const keys = [first, master.key.reveal()];
    // The URL of an instance is shown with its key to whoever has the key of the API; nobody else sees it.
    for (const [what, text] of [["answers", texts.join("\n")], ["log", lines.join("\n")]] as const) {
      for (const secret of [...keys, TUNNEL_KEY, encodeURIComponent(TUNNEL_KEY), TUNNEL_KEY.slice(0, 10)]) {
        const at = text.indexOf(secret);
        ok(at === -1, `${what} show ${secret}: ${text.slice(Math.max(0, at - 200), at + 60)}`);
      }
    }
    ok(events.length > 0);
    for (const key of keys) ok(!events.join("").includes(key), "events show the API key");
    ok(lines.some((line) => line.includes("Request")));
    for (const name of await readdir(directory, { recursive: true })) {
      const { mode } = await stat(join(directory, name));
      equal(mode & 0o077, 0, `${name} can be read by others: ${(mode & 0o777).toString(8)}`);
    }
  });
});

test("control characters, terminal sequences and long values are escaped and cut in the log of a master", async () => {
  await withMaster(async ({ lines, call }) => {
    const nasty = "\u001b[31mred\u0007\r\nforged line\u202e\u0000\u2028";
    const url = `client://127.0.0.1:1/127.0.0.1:2?mode=2&${encodeURIComponent(nasty)}=1`;
    const body = JSON.stringify({ url, alias: nasty });
    await call("/instances", { method: "POST", body, headers: { "User-Agent": "x\x01".replace("\x01", "\t") } });
    await call("/info", { method: "POST", body: JSON.stringify({ alias: nasty }) });
    await call(`/instances/${encodeURIComponent(nasty)}`);
    await call("/instances", { method: "POST", body: JSON.stringify({ url: `client://${"x".repeat(900_000)}` }) });
    await call(`/tcping?target=${encodeURIComponent(nasty)}:1`);
    const log = lines.join("");
    // deno-lint-ignore no-control-regex
    ok(!/[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e\u2028]/.test(log.replaceAll("\n", "")), JSON.stringify(log));
    ok(!lines.some((line) => line.includes("\nforged")));
    ok(Math.max(...lines.map(({ length }) => length)) < 20_000);
  });
});

test("pages of a master load nothing from elsewhere", async () => {
  const master = await fakeMaster();
  const pages = [
    "/api/",
    ...[...assets.keys()].map((name) => `/api/${name === "index.html" ? "" : name}`),
    "/api/v1/docs",
  ];
  for (const page of pages) {
    const response = await fetch(master.origin + page);
    const text = await response.text();
    const policy = response.headers.get("content-security-policy") ?? "";
    ok(!/https?:|\*|unsafe/.test(policy), policy);
    ok(policy.includes("frame-ancestors 'none'"));
    for (const [, source] of text.matchAll(/\b(?:src|href|action)="([^"]+)"/g)) {
      ok(!/^(https?:)?\/\//.test(source!), `${page} loads ${source}`);
    }
    ok(!text.includes(KEY));
    ok(!/<script(?![^>]*\bsrc=)/.test(text) || page.endsWith(".js"), `${page} has a script of its own`);
    ok(!/\son\w+="/.test(text) || page.endsWith(".js"), `${page} has a handler of its own`);
    ok(!/\sstyle="/.test(text) || page.endsWith(".js"), `${page} has a style that its policy refuses`);
  }
  await master.close();
});

test("a target that a cloud answers from inside is refused when it is dialled, not when it is written", async () => {
  await withMaster(async ({ call }) => {
    for (const target of ["169.254.169.254:80", "[fe80::1]:80", "[::ffff:169.254.169.254]:80"]) {
      const { status, text } = await call(`/tcping?target=${target}`);
      equal(status, 200);
      const { connected, error } = JSON.parse(text);
      equal(connected, false);
      ok(/link-local/.test(error), error);
    }
    const url = "server://k@127.0.0.1:0/169.254.169.254:80?mode=2&tls=0";
    equal((await call("/instances", { method: "POST", body: JSON.stringify({ url }) })).status, 201);
  });
});
