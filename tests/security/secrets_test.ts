/** The key appears in no line, no answer, no error and no process list. */
import { inspect } from "node:util";
import { defaultSettings } from "../../src/config/settings.ts";
import { parseTunnelUrl } from "../../src/config/tunnel_url.ts";
import { startTunnel } from "../../src/start/tunnel.ts";
import { echoTcp } from "../e2e/load.ts";
import { nodeMissing, startCommand, startUrl } from "../e2e/process.ts";
import { Target } from "../e2e/targets.ts";
import { equal, ok } from "../harness.ts";
import { freePort, LinesLogger } from "../unit/tunnel/forward_fixture.ts";

const KEY = "Vertraulich+7f3a";
const OTHER = "Heimlich+c0ffee9";
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY/;

/** Every spelling in which a key could come to light, and every part of it that is long enough to help. */
function spellings(key: string): string[] {
  const bytes = new TextEncoder().encode(key);
  const whole = [
    key,
    encodeURIComponent(key),
    btoa(key),
    [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
    [...bytes].join(","),
  ];
  return [...whole, key.slice(0, 8), key.slice(-7)];
}

function isClean(text: string, what: string): void {
  for (const secret of [KEY, OTHER].flatMap(spellings)) {
    ok(!text.toLowerCase().includes(secret.toLowerCase()), `${what} shows ${secret}: ${text.slice(0, 2_000)}`);
  }
  ok(!PRIVATE_KEY.test(text), what);
}

for (const runtime of ["deno", "node"] as const) {
  for (const format of ["text", "json"] as const) {
    Deno.test({
      name: `no line at debug level and no process list shows the key (${runtime}, ${format})`,
      ignore: runtime === "node" && nodeMissing !== undefined,
      fn: async () => {
        await using target = await Target.listen();
        const [tunnel, entry] = [await freePort(), await freePort()];
        const options = { runtime, flags: [`--log-format=${format}`] } as const;
        const to = `127.0.0.1:${target.address.port}`;
        const url = (scheme: string, key: string, there: string, query: string): string =>
          `${scheme}://${encodeURIComponent(key)}@127.0.0.1:${tunnel}/${there}?log=debug&${query}`;
        await using server = startUrl(url("server", KEY, `127.0.0.1:${entry}`, "mode=1"), options);
        await server.line("Server started");
        await using client = startUrl(url("client", KEY, to, "mode=2&min=2"), options);
        await client.line("Tunnel handshaked");
        await echoTcp({ host: "127.0.0.1", port: entry }, 5_000, 1);
        await using stranger = startUrl(url("client", OTHER, to, "mode=2"), options);
        await stranger.line("set the same key");
        for (const process of [server, client, stranger]) {
          isClean(await Deno.readTextFile(`/proc/${process.pid}/cmdline`), "process list");
        }
        for (const process of [stranger, client, server]) await process.stop();
        for (const process of [server, client, stranger]) {
          ok(process.lines.length > 3);
          isClean(process.output, "log");
        }
      },
    });
  }
}

Deno.test("no answer of the command to a wrong URL shows the key", async () => {
  const key = encodeURIComponent(KEY);
  const wrong = [
    [`server://${key}@127.0.0.1:99999/127.0.0.1:1`],
    [`server://${key}@127.0.0.1:1/127.0.0.1:1?tls=7&nonsense=1&crt=x`],
    [`client://${key}@no host:1/`],
    [`client://${key}@/`],
    [`ftp://${key}@127.0.0.1:1/127.0.0.1:2`],
    ["verify", `server://${key}@127.0.0.1:1/127.0.0.1:2`],
    ["verify", `server://${key}@127.0.0.1:1/127.0.0.1:2?tls=9`],
    ["permissions", `server://${key}@127.0.0.1:1/127.0.0.1:2`],
    ["server", `client://${key}@127.0.0.1:1/127.0.0.1:2`],
  ];
  for (const args of wrong) {
    await using process = startCommand(args);
    await process.exited;
    isClean(process.output, args.join(" ").replace(key, "KEY"));
  }
});

Deno.test("no value of the library shows the key: configuration, stats, sessions, errors", async () => {
  const url = (query: string): string => `server://${encodeURIComponent(KEY)}@127.0.0.1:0/127.0.0.1:0?${query}`;
  const { config } = parseTunnelUrl(url("mode=1"), { settings: defaultSettings, strict: true });
  equal(config.key.secret.reveal(), KEY);
  const shown = (value: unknown): string => `${value}\n${JSON.stringify(value)}\n${inspect(value, { depth: 10 })}`;
  const logger = new LinesLogger(true);
  const handle = await startTunnel(config, { logger });
  for (const value of [config, handle, handle.stats(), handle.sessions(), config.key, [config.key.secret]]) {
    isClean(shown(value), "value");
    isClean(Deno.inspect(value, { depth: 10 }), "inspection");
  }
  await handle.close({ graceMs: 0 });
  isClean(shown(logger.lines), "lines");
  for (const query of ["tls=8", "mode=x", "crt=/nowhere", "rate=-1"]) {
    try {
      parseTunnelUrl(url(query), { settings: defaultSettings, strict: true });
    } catch (error) {
      isClean(shown(error), "error");
    }
  }
});
