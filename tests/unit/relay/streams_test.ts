import { relay, type StreamPair } from "../../../src/relay/streams.ts";
import { equal, rejects, test } from "../../harness.ts";

function pairOf(chunks: unknown[], written: Uint8Array[] = []): StreamPair {
  return {
    readable: new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk as Uint8Array);
        controller.close();
      },
    }),
    writable: new WritableStream({
      write(chunk) {
        written.push(chunk);
      },
    }),
  };
}

test("relay counts what was written to each side and passes no empty chunks", async () => {
  const atA: Uint8Array[] = [];
  const atB: Uint8Array[] = [];
  const result = await relay(
    pairOf([new Uint8Array(3), new Uint8Array(0), new Uint8Array(4)], atA),
    pairOf([new Uint8Array(5)], atB),
  );
  equal(JSON.stringify(result), '{"end":"done","aToB":7,"bToA":5}');
  equal(atB.map((chunk) => chunk.length).join(), "3,4");
  equal(atA.length, 1);
});

test("relay refuses chunks that are no bytes and aborts both sides", async () => {
  let reason: unknown = null;
  const a = pairOf(["text"]);
  const b: StreamPair = {
    readable: new ReadableStream(),
    writable: new WritableStream({ abort: (why) => void (reason = why) }),
  };
  await rejects(relay(a, b), { code: "usage" });
  equal(reason instanceof Error, true);
});

test("relay ends at once with a signal that was already aborted", async () => {
  const never = (): StreamPair => ({ readable: new ReadableStream(), writable: new WritableStream() });
  equal((await relay(never(), never(), { signal: AbortSignal.abort() })).end, "cut");
});

test("relay does not wait for a sink that never takes its bytes once it is cut", async () => {
  const controller = new AbortController();
  const stuck: StreamPair = {
    readable: new ReadableStream(),
    writable: new WritableStream({ write: () => new Promise<void>(() => {}) }),
  };
  const running = relay(pairOf([new Uint8Array(1)]), stuck, { signal: controller.signal });
  await new Promise<void>((resolve) => setTimeout(resolve, 0));
  controller.abort();
  equal((await running).end, "cut");
});

test("relay notices a broken sink while its source is quiet", async () => {
  const { promise: broken, reject } = Promise.withResolvers<void>();
  const b: StreamPair = {
    readable: new ReadableStream({ start: (controller) => void broken.catch((error) => controller.error(error)) }),
    writable: new WritableStream({ start: (controller) => void broken.catch((error) => controller.error(error)) }),
  };
  const a: StreamPair = { readable: new ReadableStream(), writable: new WritableStream() };
  const running = relay(a, b);
  reject(new Error("gone"));
  equal((await running).end, "reset_by_b");
});
