import type { OnlineUser } from "../../../src/core/contract/types.ts";
import { Belonging } from "../../../src/core/presence/belonging.ts";
import { FakeClock } from "../../fake_clock.ts";
import { deepEqual, equal, test } from "../../harness.ts";

const user = (userId: number): OnlineUser => ({ userId, nodeProtocolId: 1, ips: [] });

/** One whose database has the users 1 to 3 at every node. */
function stage(fraction: () => number) {
  const clock = new FakeClock();
  const asked: number[] = [];
  let foreign = 0;
  const parts = {
    runtime: { clock, random: { fraction } },
    metrics: { count: (_: string, by: number) => foreign += by },
    db: {
      dialect: "postgres",
      query: (_: string, [nodeId, , ids]: [number, number[], number[]]) => {
        asked.push(nodeId);
        return Promise.resolve(
          ids.filter((id) => id <= 3).map((id) => ({ node_protocol_id: 1n, user_id: BigInt(id) })),
        );
      },
    },
  };
  return { clock, asked, foreign: () => foreign, belonging: new Belonging(parts as never) };
}

test("Belonging: answers are believed for 30 to 60 s, a new user is asked for at once", async () => {
  let fraction = 1;
  const { clock, asked, belonging } = stage(() => fraction);
  await belonging.of(1, [user(1)]);
  clock.advance(59_999);
  await belonging.of(1, [user(1)]);
  deepEqual(asked, [1]);
  await belonging.of(1, [user(1), user(2)]);
  deepEqual(asked, [1, 1]);
  clock.advance(1);
  fraction = 0;
  await belonging.of(1, [user(1)]);
  deepEqual(asked, [1, 1, 1]);
  clock.advance(30_000);
  await belonging.of(1, [user(1)]);
  deepEqual(asked, [1, 1, 1, 1]);
});

test("Belonging: each node is asked for when its own time is over", async () => {
  const shares = [0, 1];
  const { clock, asked, belonging } = stage(() => shares.shift() ?? 1);
  await belonging.of(1, [user(1)]);
  await belonging.of(2, [user(1)]);
  clock.advance(31_000);
  await belonging.of(1, [user(1)]);
  await belonging.of(2, [user(1)]);
  deepEqual(asked, [1, 2, 1]);
});

test("Belonging: users of others are left out and counted, each time", async () => {
  const { foreign, belonging } = stage(() => 1);
  for (const count of [1, 2]) {
    const own = await belonging.of(7, [user(2), user(9), user(3)]);
    deepEqual(own.map(({ userId }) => userId), [2, 3]);
    equal(foreign(), count);
  }
});
