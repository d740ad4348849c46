import { relay, type StreamPair } from "../../src/relay/streams.ts";
import { type Party, relaySuite } from "./relay_suite.ts";

/** A party and the pair of streams by which the relay reaches it. */
function connected(): { party: Party; pair: StreamPair } {
  const chunks = new CountQueuingStrategy({ highWaterMark: 4 });
  const out = new TransformStream<Uint8Array, Uint8Array>(undefined, undefined, chunks);
  const back = new TransformStream<Uint8Array, Uint8Array>(undefined, undefined, chunks);
  const writer = out.writable.getWriter();
  const reader = back.readable.getReader();
  const party: Party = {
    send: (bytes) => writer.write(bytes),
    receive: async () => {
      const { done, value } = await reader.read();
      return done ? null : value;
    },
    end: () => writer.close(),
    break: () => {
      const gone = new Error("the party broke");
      writer.abort(gone).catch(() => {});
      reader.cancel(gone).catch(() => {});
    },
  };
  writer.closed.catch(() => {});
  reader.closed.catch(() => {});
  return { party, pair: { readable: out.readable, writable: back.writable } };
}

relaySuite({
  name: "web streams",
  showsBreaks: true,
  join: () => {
    const [a, b] = [connected(), connected()];
    const controller = new AbortController();
    return Promise.resolve({
      a: a.party,
      b: b.party,
      finished: relay(a.pair, b.pair, { signal: controller.signal }),
      cut: () => controller.abort(),
      close: () => controller.abort(),
    });
  },
});
