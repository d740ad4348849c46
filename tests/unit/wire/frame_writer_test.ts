import fc from "fast-check";
import { messageOf, NodePassError } from "../../../src/errors.ts";
import type { Conn } from "../../../src/runtime/types.ts";
import { FrameWriter } from "../../../src/wire/secure/frame_writer.ts";
import { deepEqual, equal, match, rejects, test } from "../../harness.ts";

/** A socket that takes bytes when the test lets it. */
class Gate {
  readonly taken: number[] = [];
  readonly #waiting: (() => void)[] = [];
  /** Bytes per write. */
  most: number;
  open = false;
  broken = false;

  constructor(most = Infinity) {
    this.most = most;
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (!this.open) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.broken) throw new NodePassError("connection_reset", "Gone");
    const count = Math.min(bytes.length, this.most);
    this.taken.push(...bytes.subarray(0, count));
    return count;
  }

  release(): void {
    this.open = true;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  get conn(): Conn {
    return this as unknown as Conn;
  }
}

function setUp(most?: number) {
  const gate = new Gate(most);
  const errors: string[] = [];
  const writer = new FrameWriter(gate.conn, (error) => errors.push(messageOf(error)));
  const send = (...bytes: number[]): Promise<void> => writer.send(new Uint8Array(bytes), 0, bytes.length, null);
  return { gate, errors, writer, send };
}

test("FrameWriter sends what lies between start and end", async () => {
  const { gate, writer } = setUp(2);
  gate.release();
  await writer.send(new Uint8Array([9, 1, 2, 3, 4, 5, 9]), 1, 6, null);
  deepEqual(gate.taken, [1, 2, 3, 4, 5]);
});

test("FrameWriter keeps frames whole and in order; signals follow the frame in flight", async () => {
  const { gate, writer, send } = setUp(1);
  const first = send(1, 1, 1);
  const second = send(2, 2, 2);
  writer.signal(new Uint8Array([7, 7]));
  writer.signal(new Uint8Array([8, 8]));
  equal(writer.busy, true);
  gate.release();
  await Promise.all([first, second]);
  deepEqual(gate.taken, [1, 1, 1, 7, 7, 8, 8, 2, 2, 2]);
  equal(writer.busy, false);
});

test("FrameWriter sends nothing for an owner that ended while it waited", async () => {
  const { gate, writer, send } = setUp();
  const first = send(1);
  const owner = { localEnded: false };
  const second = writer.send(new Uint8Array([2]), 0, 1, owner);
  const third = send(3);
  owner.localEnded = true;
  gate.release();
  await rejects(second, { code: "closed" });
  await Promise.all([first, third]);
  deepEqual(gate.taken, [1, 3]);
});

test("FrameWriter lets go of everybody when it is closed", async () => {
  const { gate, writer, send } = setUp();
  const first = send(1);
  const waiting = [send(2), send(3)];
  writer.close();
  writer.signal(new Uint8Array([4]));
  gate.release();
  await first;
  for (const frame of waiting) await rejects(frame, { code: "closed" });
  await rejects(send(5), { code: "closed" });
  deepEqual(gate.taken, [1]);
});

test("FrameWriter reports a broken connection and throws it", async () => {
  const { gate, writer, errors, send } = setUp();
  const first = send(1);
  gate.broken = true;
  gate.release();
  await rejects(first, { code: "connection_reset" });
  deepEqual(errors, ["Gone"]);
  writer.signal(new Uint8Array([2]));
  await new Promise<void>((resolve) => setTimeout(resolve, 0));
  deepEqual(errors, ["Gone", "Gone"]);
});

test("FrameWriter holds 64 signals behind one frame and no more", async () => {
  const { gate, writer, errors, send } = setUp();
  const first = send(1);
  for (let signal = 0; signal < 64; signal++) writer.signal(new Uint8Array([2]));
  deepEqual(errors, []);
  writer.signal(new Uint8Array([3]));
  match(errors[0]!, /64 signals/);
  gate.release();
  await first;
  equal(gate.taken.filter((byte) => byte === 2).length, 64);
});

test("FrameWriter never mixes frames, whatever the socket takes at a time", async () => {
  const frame = fc.record({ bytes: fc.integer({ min: 1, max: 20 }), signal: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { maxLength: 20 }), fc.integer({ min: 1, max: 7 }), async (frames, most) => {
      const { gate, writer, errors, send } = setUp(most);
      const sent = frames.map(({ bytes, signal }, at) => {
        const content = new Array<number>(bytes).fill(at + 1);
        if (!signal) return send(...content);
        writer.signal(new Uint8Array(content));
        return undefined;
      });
      gate.release();
      await Promise.all(sent);
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
      const runs = gate.taken.filter((byte, at) => byte !== gate.taken[at - 1]);
      equal(runs.length, frames.length, "every frame is one run of its bytes");
      equal(gate.taken.length, frames.reduce((sum, { bytes }) => sum + bytes, 0));
      const inOrder = (signal: boolean): number[] => runs.filter((byte) => frames[byte - 1]!.signal === signal);
      for (const signal of [true, false]) deepEqual(inOrder(signal), [...inOrder(signal)].sort((a, b) => a - b));
      deepEqual(errors, []);
    }),
  );
});
