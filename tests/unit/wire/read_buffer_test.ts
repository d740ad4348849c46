import fc from "fast-check";
import { ReadBuffer } from "../../../src/wire/secure/read_buffer.ts";
import { deepEqual, equal, ok, test } from "../../harness.ts";

function fill(buffer: ReadBuffer, bytes: readonly number[]): void {
  buffer.room().set(bytes);
  buffer.added(bytes.length);
}

test("ReadBuffer keeps what was not taken at its front", () => {
  const buffer = new ReadBuffer(8, 8);
  fill(buffer, [1, 2, 3, 4, 5]);
  buffer.taken(3, true);
  deepEqual([...buffer.bytes.subarray(0, buffer.have)], [4, 5]);
  fill(buffer, [6]);
  deepEqual([...buffer.bytes.subarray(0, buffer.have)], [4, 5, 6]);
});

test("ReadBuffer grows fourfold after full reads, up to its limit, and shrinks in quiet times", () => {
  const buffer = new ReadBuffer(4, 50);
  const sizes: number[] = [];
  for (let read = 0; read < 4; read++) {
    buffer.added(buffer.room().length);
    buffer.taken(buffer.have, false);
    sizes.push(buffer.bytes.length);
  }
  deepEqual(sizes, [16, 50, 50, 50]);
  fill(buffer, [1]);
  buffer.taken(1, false);
  equal(buffer.bytes.length, 50);
  fill(buffer, [1]);
  buffer.taken(1, true);
  equal(buffer.bytes.length, 4);
});

test("ReadBuffer does not shrink under bytes that wait", () => {
  const buffer = new ReadBuffer(4, 64);
  fill(buffer, [1, 2, 3, 4]);
  buffer.taken(0, true);
  equal(buffer.bytes.length, 16);
  fill(buffer, [5]);
  buffer.taken(4, true);
  deepEqual([buffer.bytes.length, buffer.bytes[0]], [16, 5]);
});

test("ReadBuffer is never smaller than its start", () => {
  equal(new ReadBuffer(16, 4).bytes.length, 16);
});

test("ReadBuffer gives bytes back in order, whatever is read and taken, and always has room for more", () => {
  const step = fc.record({ read: fc.integer({ min: 1, max: 40 }), take: fc.nat(60), quiet: fc.boolean() });
  fc.assert(fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
    const buffer = new ReadBuffer(8, 4_096);
    let written = 0;
    let taken = 0;
    for (const { read, take, quiet } of steps) {
      const room = buffer.room();
      ok(room.length > 0);
      const count = Math.min(read, room.length);
      for (let at = 0; at < count; at++) room[at] = written++ & 0xff;
      buffer.added(count);
      const from = taken;
      const done = Math.min(take, buffer.have);
      deepEqual([...buffer.bytes.subarray(0, done)], Array.from({ length: done }, (_, at) => (from + at) & 0xff));
      taken += done;
      buffer.taken(done, quiet);
      equal(buffer.have, written - taken);
    }
  }));
});
