/** Tunnels under the permissions that `nodepass permissions` prints, with --no-prompt: nothing is refused, nothing is spare. */
import { minimalPermissions } from "../../src/config/permissions.ts";
import { defaultSettings } from "../../src/config/settings.ts";
import { parseTunnelUrl } from "../../src/config/tunnel_url.ts";
import { certificateFolder, SERVER_NAME } from "../e2e/certificates.ts";
import { type Flow, startClient, startServer, TEST_KEY } from "../e2e/ends.ts";
import { echoTcp, echoUdp } from "../e2e/load.ts";
import { startUrl } from "../e2e/process.ts";
import { Target } from "../e2e/targets.ts";
import { deepEqual, equal, ok } from "../harness.ts";
import { freePort } from "../unit/tunnel/forward_fixture.ts";

const REFUSAL = /NotCapable|Requires \w+ access|--allow-|permission/i;

interface Cell {
  readonly flow: Flow;
  readonly server: string;
  readonly client: string;
  readonly udp: boolean;
  /** Host of the target as the dialling end writes it. */
  readonly target: string;
}

const files = await certificateFolder();
const wires: readonly (readonly [string, string])[] = [
  ["tls=0", ""],
  ["tls=1", ""],
  [`tls=2&crt=${files.chain}&key=${files.key}`, `crt=${files.ca}&sni=${SERVER_NAME}`],
  ["type=2&tls=0", "type=2"],
  ["type=2&tls=1&path=/in", "type=2&path=/in"],
];
const cells: Cell[] = wires.flatMap(([server, client]) =>
  (["reverse", "forward"] as const).flatMap((flow) => [
    { flow, server: `${server}&noudp=1`, client: `${client}&noudp=1`, udp: false, target: "127.0.0.1" },
    { flow, server, client, udp: true, target: "127.0.0.1" },
  ])
);
for (const flow of ["reverse", "forward"] as const) {
  const dial = (own: boolean): string => own ? "&dial=127.0.0.1" : "";
  const [server, client] = [`tls=1${dial(flow === "forward")}`, dial(flow === "reverse").slice(1)];
  cells.push({ flow, server, client, udp: true, target: "127.0.0.1" });
  cells.push({ flow, server: `${server}&noudp=1`, client: `${client}&noudp=1`, udp: false, target: "127.0.0.1" });
  cells.push({ flow, server: "tls=1", client: "", udp: true, target: "localhost" });
}

for (const cell of cells) {
  const { flow, server, client, udp, target } = cell;
  const shown = server.replace(/&crt=[^&]*&key=[^&]*/, "");
  Deno.test(`${flow} ${shown}${udp ? "" : " without UDP"} to ${target} under its printed permissions`, async () => {
    await using served = await Target.listen();
    const targets = [{ host: target, port: served.address.port }];
    const options = { flow, targets, serverQuery: server, clientQuery: client, env: { NP_SHUTDOWN_TIMEOUT: "1s" } };
    const { process: serverProcess, tunnel, entry } = await startServer(options);
    await using _server = serverProcess;
    const started = await startClient(tunnel, options);
    await using _client = started.process;
    const visitors = (entry ?? started.entry)!;
    for (const length of [1, 100_000]) await echoTcp(visitors, length, length);
    if (udp) await echoUdp(visitors, 1);
    equal(await started.process.stop(), 0);
    equal(await serverProcess.stop(), 0);
    for (const { output, errorLines } of [started.process, serverProcess]) {
      ok(!REFUSAL.test(output), output);
      deepEqual(errorLines, []);
    }
  });
}

Deno.test("fixed ports need no more: both ends, forward and reverse, are held to their addresses", async () => {
  for (const flow of ["reverse", "forward"] as const) {
    await using served = await Target.listen();
    const [tunnel, entry] = [await freePort(), await freePort()];
    const target = `127.0.0.1:${served.address.port}`;
    const [there, here] = flow === "reverse" ? [`127.0.0.1:${entry}`, target] : [target, `127.0.0.1:${entry}`];
    const mode = flow === "reverse" ? 1 : 2;
    const urls = [
      `server://${TEST_KEY}@127.0.0.1:${tunnel}/${there}?mode=${mode}&tls=1&noudp=1`,
      `client://${TEST_KEY}@127.0.0.1:${tunnel}/${here}?mode=2&noudp=1&min=2`,
    ] as const;
    for (const url of urls) {
      const { flags } = minimalPermissions(parseTunnelUrl(url, { settings: defaultSettings, strict: true }).config);
      ok(flags.some((flag) => /^--allow-net=127\.0\.0\.1:\d+,/.test(flag)), flags.join(" "));
      ok(!flags.some((flag) => /^(-A|--allow-(all|ffi|run|write|import|sys))/.test(flag)), flags.join(" "));
    }
    await using server = startUrl(urls[0]);
    await server.line("Server started");
    await using client = startUrl(urls[1]);
    await client.line("Tunnel handshaked");
    await echoTcp({ host: "127.0.0.1", port: entry }, 10_000, 1);
    for (const { output } of [server, client]) ok(!REFUSAL.test(output), output);
  }
});

Deno.test({
  name: "certificate files of these tests are gone",
  fn: async () => await files[Symbol.asyncDispose](),
});
