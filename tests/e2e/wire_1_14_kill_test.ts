/** A program of wire=1.14 that dies without a word, and starts anew. */
import { formatAddress } from "../../src/address/ip.ts";
import { goClient } from "../peer_1_14/client.ts";
import { goServer } from "../peer_1_14/server.ts";
import { freePort } from "../unit/tunnel/forward_fixture.ts";
import { TEST_KEY } from "./ends.ts";
import { nodeMissing, type RuntimeName, startUrl } from "./process.ts";
import { Target } from "./targets.ts";
import { exchangeTcpMany } from "./wire_1_14_load.ts";

for (const runtime of ["deno", "node"] as const) {
  const ignore = runtime === "node" && nodeMissing !== undefined;
  Deno.test({ name: `our server on ${runtime} is killed and starts anew`, ignore, fn: () => killedServer(runtime) });
  Deno.test({ name: `our client on ${runtime} is killed and starts anew`, ignore, fn: () => killedClient(runtime) });
}

async function killedServer(runtime: RuntimeName): Promise<void> {
  await using target = await Target.listen();
  const server = { host: "127.0.0.1", port: await freePort() };
  const url = `server://${TEST_KEY}@${formatAddress(server)}/${formatAddress(target.address)}?wire=1.14&mode=2`;
  const first = startUrl(url, { runtime });
  await first.line("Server started");
  await using peer = await goClient({ key: TEST_KEY, server, target: target.address });
  await exchangeTcpMany(peer.entry, 3, 0);
  await first[Symbol.asyncDispose]();
  await using second = startUrl(url, { runtime });
  await second.line("Tunnel handshaked");
  await peer.generation(1);
  await exchangeTcpMany(peer.entry, 3, 0);
}

async function killedClient(runtime: RuntimeName): Promise<void> {
  await using target = await Target.listen();
  await using peer = await goServer({ key: TEST_KEY, flow: "reverse" });
  const [server, service] = [formatAddress(peer.address), formatAddress(target.address)];
  const url = `client://${TEST_KEY}@${server}/${service}?wire=1.14&mode=2&min=8`;
  const first = startUrl(url, { runtime });
  await peer.generation(0);
  await exchangeTcpMany(peer.entry, 3, 0);
  await first[Symbol.asyncDispose]();
  await using second = startUrl(url, { runtime });
  await second.line("Tunnel handshaked");
  await peer.generation(1);
  await exchangeTcpMany(peer.entry, 3, 0);
}
