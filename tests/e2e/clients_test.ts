/** Several clients, several targets, and how the run mode is chosen. */
import { deepEqual, equal, ok } from "../harness.ts";
import { freePort, ownedTest } from "../unit/tunnel/forward_fixture.ts";
import { clientUrl, type Inside, serverUrl, startInside, startInsidePair } from "./in_process.ts";
import { echoTcp, until } from "./load.ts";
import { Target } from "./targets.ts";
import { ask } from "./visitors.ts";

/** Messages of an end. */
function said({ logger }: Inside): string {
  return logger.lines.map(({ message }) => message).join("\n");
}

ownedTest("two clients share the visitors of a server; when one dies the other serves all", async (own) => {
  const named = (name: string): Promise<Target> =>
    own(Target.listen(async (conn) => {
      await conn.write(new TextEncoder().encode(name));
      await conn.read(new Uint8Array(1));
    }));
  const [a, b] = [await named("a"), await named("b")];
  const pair = await own(startInsidePair({ targets: [a.address] }));
  const second = await startInside(
    clientUrl(pair.tunnel, `127.0.0.1:${b.address.port}`, "mode=2&min=4"),
  );
  await until("both clients have links", () => {
    return pair.server.handle.stats().peers.filter(({ pool }) => pool > 0).length === 2;
  });
  const answers = await Promise.all(Array.from({ length: 12 }, () => ask(pair.entry, "")));
  ok(answers.includes("a") && answers.includes("b"), answers.join(""));
  await second[Symbol.asyncDispose]();
  await until("the server knows", () => pair.server.handle.stats().peers.length === 1);
  deepEqual(await Promise.all(Array.from({ length: 12 }, () => ask(pair.entry, ""))), Array(12).fill("a"));
  equal(pair.server.handle.stats().rejections.no_link, undefined);
});

ownedTest("clients=1 refuses a second client in words, and takes it when the first is gone", async (own) => {
  const target = await own(Target.listen());
  const pair = await own(startInsidePair({ targets: [target.address], serverQuery: "clients=1" }));
  const second = await own(startInside(clientUrl(pair.tunnel, `127.0.0.1:${target.address.port}`, "mode=2&min=4")));
  const refusal = "Client error: Server refused this client: the server takes 1 client at once";
  ok(said(second).includes(refusal), said(second));
  await echoTcp(pair.entry, 10_000, 1);
  await pair.client[Symbol.asyncDispose]();
  await until("the second client is taken", () => said(second).includes("Tunnel handshaked: "), 15_000);
  await echoTcp(pair.entry, 10_000, 2);
});

ownedTest("mode=0: a server whose target address is free takes visitors there", async (own) => {
  const target = await own(Target.listen());
  const server = await own(startInside(serverUrl(`127.0.0.1:${await freePort()}`, "tls=0")));
  ok(said(server).includes("Mode 1 (reverse): the target address can be bound here"), said(server));
  const tunnel = server.handle.addr!;
  const client = await own(startInside(clientUrl(tunnel, `127.0.0.1:${target.address.port}`, "min=2")));
  await until("links are ready", () => client.handle.stats().pool >= 2 && server.handle.stats().pool >= 2);
  ok(/Mode 2 \(dual-end\): the tunnel address cannot be bound here \(.+\)/.test(said(client)), said(client));
  await echoTcp(server.handle.entries[0]!, 10_000, 1);
  deepEqual([server.handle.stats().modeCode, client.handle.stats().modeCode], [1, 2]);
});

ownedTest("mode=0: a server whose target answers already dials it", async (own) => {
  const target = await own(Target.listen());
  const server = await own(startInside(serverUrl(`127.0.0.1:${target.address.port}`, "tls=0")));
  ok(/Mode 2 \(forward\): the target address cannot be bound here \(.+\)/.test(said(server)), said(server));
  const client = await own(startInside(clientUrl(server.handle.addr!, "127.0.0.1:0", "min=2")));
  await until("links are ready", () => client.handle.stats().pool >= 2 && server.handle.stats().pool >= 2);
  await echoTcp(client.handle.entries[0]!, 10_000, 1);
  deepEqual([server.handle.stats().modeCode, client.handle.stats().modeCode], [2, 2]);
});

ownedTest("mode=0: a client whose tunnel address is free forwards by itself", async (own) => {
  const target = await own(Target.listen());
  const tunnel = { host: "127.0.0.1", port: await freePort() };
  const client = await own(startInside(clientUrl(tunnel, `127.0.0.1:${target.address.port}`, "min=2")));
  ok(said(client).includes("Mode 1 (single-end): the tunnel address can be bound here"), said(client));
  await echoTcp(tunnel, 10_000, 1);
  equal(client.handle.stats().modeCode, 1);
});
