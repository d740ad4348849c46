/**
 * Traffic is counted exactly once.
 *
 * @module
 */
import { checkCounters } from "../../src/core/usage/self_check.ts";
import { deepEqual, equal } from "../harness.ts";
import { addNode, addProtocol } from "./core_composition_stage.ts";
import { deliver, entry, refusal, rowsOf, STREAM, sums, usageTest } from "./core_usage_stage.ts";

usageTest("usage: a report makes rows of minutes and charges the subscription", async ({ usage, db, clock, ...of }) => {
  const someone = await of.subscriber("ann");
  const at = clock.wall();
  await usage.report(of.nodeId, {
    stream: STREAM,
    seq: 1,
    entries: [entry(someone, 1, 10, at), entry(someone, 2, 20, at + 59_999), entry(someone, 4, 40, at + 60_000)],
  });
  deepEqual(await rowsOf(db, "SELECT minute, bytes_up, bytes_down, counted_up FROM usage_minutes ORDER BY minute"), [
    { minute: at, bytes_up: 3, bytes_down: 30, counted_up: 3 },
    { minute: at + 60_000, bytes_up: 4, bytes_down: 40, counted_up: 4 },
  ]);
  deepEqual(await sums(db), { up: 7, down: 70, used_up: 7, used_down: 70, all_up: 7 });
});

usageTest("usage: the same report 1,000 times from 50 callers is applied once", async ({ db, clock, ...of }) => {
  const someone = await of.subscriber("ann");
  const replicas = [of.usage, of.again()];
  const batch = { stream: STREAM, seq: 1, entries: [entry(someone, 5, 7, clock.wall())] };
  await Promise.all(Array.from({ length: 50 }, async (_, caller) => {
    for (let time = 0; time < 20; time++) await replicas[caller % 2]?.report(of.nodeId, batch);
  }));
  deepEqual(await sums(db), { up: 5, down: 7, used_up: 5, used_down: 7, all_up: 5 });
});

usageTest("usage: 5, 3, 4, 5 after 2: a gap is refused, then each is applied once", async ({ usage, db, ...of }) => {
  const someone = await of.subscriber("ann");
  const send = (seq: number) =>
    refusal(usage.report(of.nodeId, {
      stream: STREAM,
      seq,
      entries: [entry(someone, 10 ** seq, 0, of.clock.wall())],
    }));
  equal(await send(1), null);
  equal(await send(2), null);
  deepEqual(await send(5), { code: "SEQ_GAP", nextSeq: 3 });
  for (const seq of [3, 4, 5, 5, 4]) equal(await send(seq), null);
  deepEqual(await sums(db), { up: 111_110, down: 0, used_up: 111_110, used_down: 0, all_up: 111_110 });
});

usageTest("usage: reports that come together are told apart", async ({ usage, db, ...of }) => {
  const someone = await of.subscriber("ann");
  const results = await Promise.all([1, 2, 2, 4, 3].map((seq) =>
    refusal(usage.report(of.nodeId, {
      stream: STREAM,
      seq,
      entries: [entry(someone, 10 ** seq, 0, of.clock.wall())],
    }))
  ));
  deepEqual(results, [null, null, null, { code: "SEQ_GAP", nextSeq: 3 }, null]);
  equal((await sums(db)).up, 1110);
});

usageTest("usage: a stream that nobody knows begins with 1", async ({ usage, db, ...of }) => {
  const someone = await of.subscriber("ann");
  const entries = [entry(someone, 1, 1, of.clock.wall())];
  deepEqual(await refusal(usage.report(of.nodeId, { stream: STREAM, seq: 7, entries })), {
    code: "SEQ_GAP",
    nextSeq: 1,
  });
  deepEqual(await rowsOf(db, "SELECT * FROM usage_cursors"), []);
});

usageTest("usage: what an agent gave up is left out and told", async ({ usage, db, ...of }) => {
  const someone = await of.subscriber("ann");
  const send = (seq: number, gap: boolean) =>
    refusal(usage.report(of.nodeId, {
      stream: STREAM,
      seq,
      gap,
      entries: [entry(someone, 1, 1, of.clock.wall())],
    }));
  equal(await send(1, false), null);
  equal(await send(4, true), null);
  equal(await send(4, true), null);
  equal(await send(3, false), null);
  equal(await send(5, true), null);
  equal((await sums(db)).up, 3);
  deepEqual(of.events.map(({ type, data }) => ({ type, ...data })), [
    { type: "usage.gap", stream: STREAM, kind: "usage", from: 2, to: 3 },
  ]);
});

usageTest("usage: no entries change nothing but the place in the stream", async ({ usage, db, ...of }) => {
  const someone = await of.subscriber("ann");
  await usage.report(of.nodeId, { entries: [] });
  await usage.outbound(of.nodeId, { items: [] });
  await usage.report(of.nodeId, { stream: STREAM, seq: 1, entries: [] });
  await usage.report(of.nodeId, { stream: STREAM, seq: 2, entries: [entry(someone, 0, 0, of.clock.wall())] });
  deepEqual(await rowsOf(db, "SELECT * FROM usage_minutes"), []);
  deepEqual(await rowsOf(db, "SELECT kind, last_seq FROM usage_cursors"), [{ kind: "usage", last_seq: 2 }]);
});

usageTest(
  "usage: replicas count the same people on several nodes at once, to the byte",
  async ({ db, clock, ...of }) => {
    const people = await Promise.all(Array.from({ length: 20 }, (_, at) => of.subscriber(`user ${at}`)));
    const nodes: [nodeId: number, protocolId: number][] = [[of.nodeId, of.protocolId]];
    for (const code of ["de-2", "de-3", "de-4", "de-5"]) {
      const nodeId = await addNode(db, code);
      const protocolId = await addProtocol(db, nodeId, "vless", {});
      nodes.push([nodeId, protocolId]);
      for (const { userId, subscriptionId } of people) {
        await deliver(db, nodeId, protocolId, userId, subscriptionId, clock.wall());
      }
    }
    const replicas = [of.usage, of.again()];
    const at = clock.wall();
    await Promise.all(nodes.map(async ([nodeId, nodeProtocolId], index) => {
      for (let seq = 1; seq <= 20; seq++) {
        const whose = people.toSorted(() => Math.random() - 0.5);
        const entries = whose.map((someone) => entry({ ...someone, nodeProtocolId }, 1, 2, at - seq % 3 * 60_000));
        const first = replicas[index % 2]?.report(nodeId, { stream: STREAM, seq, entries });
        // The reply is lost, and the same report goes to the other one.
        if (seq % 4 === 0) await replicas[1 - index % 2]?.report(nodeId, { stream: STREAM, seq, entries });
        await first;
      }
    }));
    deepEqual(await sums(db), { up: 2_000, down: 4_000, used_up: 2_000, used_down: 4_000, all_up: 2_000 });
    deepEqual(await checkCounters(of.parts, clock.wall(), new AbortController().signal), []);
  },
);
