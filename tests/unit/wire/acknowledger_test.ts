import { FrameType } from "../../../src/wire/secure/frames.ts";
import { FakeClock } from "../../fake_clock.ts";
import { deepEqual, equal, test } from "../../harness.ts";
import { memoryPair } from "../../memory_conn.ts";
import { linkOn, opening, Recorder, send, settle } from "./frame_link_fixture.ts";

test("FrameLink lets its answers acknowledge what they follow, and says so itself when one is missing", async () => {
  const clock = new FakeClock();
  const [a, b] = memoryPair();
  const ingress = linkOn(a, "ingress", clock);
  const egress = linkOn(b, "egress", clock, true);
  const session = ingress.link.open(opening, new Recorder());
  const sent = (): (number | undefined)[] => b.sent.splice(0).map((bytes) => bytes[0]);
  const ask = async (): Promise<void> => {
    await send(session, [1]);
    await settle();
  };
  const answer = async (): Promise<void> => {
    await send(egress.told.sessions[0]!.session, [2]);
    await settle();
  };
  const learn = async (rounds: number): Promise<void> => {
    for (let round = 0; round < rounds; round++) {
      await ask();
      deepEqual(sent(), [FrameType.PONG]);
      await answer();
      deepEqual(sent(), [FrameType.DATA]);
    }
  };
  await learn(8);
  for (let round = 0; round < 3; round++) {
    await ask();
    deepEqual(sent(), []);
    await answer();
    deepEqual(sent(), [FrameType.DATA]);
    clock.advance(4);
    equal(clock.pending, 0);
  }
  await ask();
  clock.advance(4);
  await settle();
  deepEqual(sent(), [FrameType.PONG]);
  equal(clock.pending, 0);
  await answer();
  sent();
  // Wrong once: twice as many answers are seen before the next guess.
  await learn(15);
  await ask();
  deepEqual(sent(), []);
  clock.advance(4);
  await settle();
  deepEqual(sent(), [FrameType.PONG]);
  ingress.link.close();
  await Promise.all([ingress.running, egress.running]);
});
