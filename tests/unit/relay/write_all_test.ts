import { writeAll } from "../../../src/relay/write_all.ts";
import { deepEqual, equal, rejects, test } from "../../harness.ts";

test("writeAll loops over partial writes", async () => {
  const taken: number[] = [];
  const conn = {
    write: (bytes: Uint8Array): Promise<number> => {
      const part = bytes.subarray(0, 3);
      taken.push(...part);
      return Promise.resolve(part.length);
    },
  };
  await writeAll(conn, Uint8Array.of(1, 2, 3, 4, 5, 6, 7));
  deepEqual(taken, [1, 2, 3, 4, 5, 6, 7]);
});

test("writeAll writes nothing for nothing and passes errors on", async () => {
  let calls = 0;
  const conn = {
    write: (): Promise<number> => {
      calls++;
      return Promise.reject(new Error("broken"));
    },
  };
  await writeAll(conn, new Uint8Array(0));
  equal(calls, 0);
  await rejects(writeAll(conn, new Uint8Array(1)), /broken/);
});
