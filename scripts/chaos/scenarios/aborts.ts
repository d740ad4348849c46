/**
 * Random aborts on reused links: no byte may reach a wrong visitor.
 *
 * @module
 */
import type { Row } from "../../bench/rows.ts";
import { within } from "../../../tests/e2e/load.ts";
import { dial } from "../../../tests/unit/tunnel/forward_fixture.ts";
import { dice, type Stage, times } from "../stage.ts";
import { receiveTagged, sendTagged, TaggedBytes } from "../tagged_bytes.ts";

const AT_ONCE = 50;
const SESSION_MS = 30_000;

/** Sessions of random lengths that either side cuts at a random byte, some behind a reader that never reads. */
export async function aborts(stage: Stage, count: number, seed: number = 1): Promise<Row> {
  const links = stage.links;
  let wrong = 0;
  let bytes = 0;
  const started = performance.now();
  const { failures } = await times(count, AT_ONCE, async (index) => {
    const next = dice(seed * 1_000_003 + index);
    if (next(20) === 0) {
      const visitor = await dial(stage.entry);
      await visitor.write(new Uint8Array(next(10) + 1)).catch(() => {});
      return visitor.close();
    }
    using meeting = await stage.meet();
    const up = new TaggedBytes(2 * index);
    const down = new TaggedBytes(2 * index + 1);
    const [upBytes, downBytes] = [next(60_000), next(60_000)];
    const stalls = next(40) === 0;
    const cutAfter = next(80_000);
    const visitorCuts = next(2) === 0;
    const sends = [
      sendTagged(meeting.visitor, up, 0, upBytes, 1 + next(20_000)),
      sendTagged(meeting.target, down, 0, stalls ? 4_000_000 : downBytes, 1 + next(60_000)),
    ].map((sending) => sending.catch(() => {}));
    const receiving = [
      receiveTagged(meeting.target, up, 0, visitorCuts ? Infinity : cutAfter),
      receiveTagged(meeting.visitor, down, 0, stalls ? 1_000 : visitorCuts ? cutAfter : Infinity),
    ];
    const cutting = visitorCuts || stalls ? meeting.visitor : meeting.target;
    const watch = receiving[cutting === meeting.visitor ? 1 : 0]!;
    // When fewer bytes come than the cut waits for, the end of the sends is the moment.
    await within(SESSION_MS, "the moment of a cut", Promise.race([watch, Promise.all(sends)]));
    cutting.close();
    const results = await within(SESSION_MS, "both ends of a cut session", Promise.all(receiving));
    await within(SESSION_MS, "the writes of a cut session", Promise.all(sends));
    for (const result of results) {
      wrong += result.wrong;
      bytes += result.bytes;
    }
  });
  const opened = stage.links - links;
  return {
    id: "T4",
    pass: wrong === 0 && failures.length === 0 && opened < count / 2,
    measured: {
      ...stage.cell,
      sessions: count,
      wrongBytes: wrong,
      mib: Math.round(bytes / 1_048_576),
      linksOpened: opened,
      seconds: Math.round((performance.now() - started) / 1_000),
      failures: failures.slice(0, 3),
    },
    demand: "0 wrong bytes, links reused",
  };
}
