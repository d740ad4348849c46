import { exchange } from "../../src/relay/exchange.ts";
import { IdleSweeper } from "../../src/relay/idle_sweeper.ts";
import { Meter, Traffic } from "../../src/relay/meter.ts";
import { writeAll } from "../../src/relay/write_all.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { nodeNet } from "../../src/runtime/node/net.ts";
import type { Conn, Net } from "../../src/runtime/types.ts";
import { type Joined, type Party, type RelayImplementation, relaySuite } from "./relay_suite.ts";

const runtime = await detectRuntime();

/** A connection between two stacks: the relay's end and the party's end. */
async function connected(relayNet: Net, relayDials: boolean): Promise<{ relayEnd: Conn; partyEnd: Conn }> {
  // The parties use `node:net` on both runtimes: it can send resets.
  const [listening, dialling] = relayDials ? [nodeNet, relayNet] : [relayNet, nodeNet];
  const listener = await listening.listen({ host: "127.0.0.1", port: 0 });
  const [accepted, dialled] = await Promise.all([
    listener.accept(),
    dialling.connect({ ...listener.local, timeoutMs: 5000 }),
  ]);
  listener.close();
  if (accepted === null) throw new Error("the listener closed");
  return relayDials ? { relayEnd: dialled, partyEnd: accepted } : { relayEnd: accepted, partyEnd: dialled };
}

function party(conn: Conn): Party {
  const buffer = new Uint8Array(256 * 1024);
  return {
    send: (bytes) => writeAll(conn, bytes),
    receive: async () => {
      const count = await conn.read(buffer);
      return count === null ? null : buffer.subarray(0, count);
    },
    end: () => conn.closeWrite(),
    break: () => conn.reset(),
  };
}

const endNames: Record<string, string> = { reset_by_visitor: "reset_by_a", reset_by_target: "reset_by_b" };

/** The socket path over one network stack. */
function sockets(name: string, relayNet: Net, showsBreaks: boolean): RelayImplementation {
  return {
    name,
    showsBreaks,
    join: async (): Promise<Joined> => {
      const visitor = await connected(relayNet, false);
      const target = await connected(relayNet, true);
      const session = { meter: new Meter(new Traffic(), "tcp"), cut: () => {} };
      const sweeper = new IdleSweeper(runtime.clock);
      const finished = exchange(visitor.relayEnd, target.relayEnd, {
        session,
        clock: runtime.clock,
        maxBufferBytes: 1024 * 1024,
        inbound: null,
        outbound: null,
        sweeper,
        idleMs: 60_000,
      });
      return {
        a: party(visitor.partyEnd),
        b: party(target.partyEnd),
        finished: finished.then((end) => ({
          end: endNames[end] ?? end,
          aToB: session.meter.tx,
          bToA: session.meter.rx,
        })),
        cut: () => session.cut(),
        close: () => {
          session.cut();
          visitor.partyEnd.close();
          target.partyEnd.close();
        },
      };
    },
  };
}

relaySuite(sockets("node:net sockets", nodeNet, true));
// Deno's native sockets cannot reset: the other party sees a close.
if (runtime.name === "deno") relaySuite(sockets("native Deno sockets", runtime.net, false));
