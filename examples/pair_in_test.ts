/**
 * A server and a client inside a test: no process, no fixed port, nothing left behind.
 */
import { equal } from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { text } from "node:stream/consumers";
import { startClient, startServer, type TunnelHandle } from "nodepass";

const KEY = "npk1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/** A tunnel to a port of this machine, and how to end it. */
async function startPair(target: number): Promise<{ entry: number; client: TunnelHandle; close: () => Promise<void> }> {
  const server = await startServer(`server://${KEY}@127.0.0.1:0/127.0.0.1:0?mode=1&noudp=1`);
  const url = `client://${KEY}@127.0.0.1:${server.addr!.port}/127.0.0.1:${target}?mode=2&min=1&noudp=1`;
  const client = await startClient(url);
  const close = async (): Promise<void> => {
    await client.close();
    await server.close();
  };
  return { entry: server.entries[0]!.port, client, close };
}

/** The body of a test: `Deno.test`, `node:test` and others take it as it is. */
async function greetsThroughTheTunnel(): Promise<void> {
  const greeter = createServer((socket) => socket.end("hello")).listen(0, "127.0.0.1");
  await once(greeter, "listening");
  const pair = await startPair((greeter.address() as AddressInfo).port);
  try {
    equal(await text(connect(pair.entry, "127.0.0.1")), "hello");
    equal(pair.client.stats().peers.length, 1);
  } finally {
    await pair.close();
    greeter.close();
  }
}

await greetsThroughTheTunnel();
console.log("greetsThroughTheTunnel ... ok");
