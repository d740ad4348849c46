/**
 * What every relay does with bytes, ends and breaks, whatever carries them.
 *
 * @module
 */
import { equal, ok, test } from "../harness.ts";
import {
  receiveAll,
  receiveAtLeast,
  receiveNothingMore,
  seededRandom,
  sendPattern,
  sizesTotal,
} from "./relay_script.ts";

/** One of the two programs that talk through the relay. */
export interface Party {
  /** Resolves once the bytes were taken. */
  send(bytes: Uint8Array): Promise<void>;
  /** The next bytes, null at a clean end; rejects when the other side broke. */
  receive(): Promise<Uint8Array | null>;
  /** Ends the sending direction. */
  end(): Promise<void>;
  /** Goes away without a clean end. */
  break(): void;
}

/** How a relay ended, and the bytes it passed. */
export interface Ended {
  readonly end: string;
  readonly aToB: number;
  readonly bToA: number;
}

/** A running relay between two parties. */
export interface Joined {
  readonly a: Party;
  readonly b: Party;
  readonly finished: Promise<Ended>;
  cut(): void;
  /** Frees what is left. */
  close(): void;
}

/** One implementation. */
export interface RelayImplementation {
  readonly name: string;
  /** Whether the other party can tell a break from a clean end. */
  readonly showsBreaks: boolean;
  join(): Promise<Joined>;
}

const MIB = 1024 * 1024;

/** Registers the suite for one implementation. */
export function relaySuite(implementation: RelayImplementation): void {
  const relayTest = (fact: string, run: (joined: Joined) => Promise<void>): void =>
    test(`relay over ${implementation.name} ${fact}`, async () => {
      const joined = await implementation.join();
      try {
        await run(joined);
      } finally {
        joined.close();
        await joined.finished;
      }
    });
  /** The party notices that the other one is gone. */
  const seesBreak = async (party: Party): Promise<void> => {
    const seen = await receiveNothingMore(party);
    if (implementation.showsBreaks) equal(seen, "broken");
  };

  relayTest("ends at once when both sides do", async ({ a, b, finished }) => {
    await Promise.all([a.end(), b.end()]);
    equal(await a.receive(), null);
    equal(await b.receive(), null);
    equal((await finished).end, "done");
  });

  relayTest("keeps the answer's direction open after the question ended", async ({ a, b, finished }) => {
    await sendPattern(a, [3], 1);
    await a.end();
    equal(await receiveAll(b, 1), 3);
    await Promise.all([sendPattern(b, [100_000], 7), receiveAtLeast(a, 100_000, 7)]);
    await b.end();
    equal(await a.receive(), null);
    const ended = await finished;
    equal(`${ended.end} ${ended.aToB} ${ended.bToA}`, "done 3 100000");
  });

  relayTest("keeps the question's direction open after the answer ended", async ({ a, b, finished }) => {
    await sendPattern(b, [3], 1);
    await b.end();
    equal(await receiveAll(a, 1), 3);
    await Promise.all([sendPattern(a, [100_000], 7), receiveAtLeast(b, 100_000, 7)]);
    await a.end();
    equal(await b.receive(), null);
    const ended = await finished;
    equal(`${ended.end} ${ended.aToB} ${ended.bToA}`, "done 100000 3");
  });

  relayTest("passes writes of one byte", async ({ a, b }) => {
    const sizes = new Array(2000).fill(1);
    const [received] = await Promise.all([receiveAll(b, 5), sendPattern(a, sizes, 5).then(() => a.end())]);
    equal(received, 2000);
  });

  relayTest("passes 64 MiB in one write each way at once", async ({ a, b, finished }) => {
    const [atB, atA] = await Promise.all([
      receiveAll(b, 3),
      receiveAll(a, 4),
      sendPattern(a, [64 * MIB], 3).then(() => a.end()),
      sendPattern(b, [64 * MIB], 4).then(() => b.end()),
    ]);
    equal(atA, 64 * MIB);
    equal(atB, 64 * MIB);
    equal((await finished).end, "done");
  });

  relayTest("slows a sender down to its reader and nobody else", async ({ a, b }) => {
    let sent = false;
    const sending = sendPattern(a, new Array(64).fill(MIB), 9).then(() => a.end()).then(() => sent = true);
    for (let i = 0; i < 200; i++) {
      await b.send(Uint8Array.of(i));
      equal((await a.receive())?.[0], i);
    }
    equal(sent, false);
    equal(await receiveAll(b, 9), 64 * MIB);
    await sending;
  });

  relayTest("gives seeded scripts byte for byte", async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { a, b, finished, close } = await implementation.join();
      const random = seededRandom(seed);
      const script = (): number[] =>
        Array.from({ length: 1 + random(12) }, () => [0, 1, 1460, 16_384, 16_385, 200_000][random(6)] ?? 0);
      const [forth, back] = [script(), script()];
      const [atB, atA] = await Promise.all([
        receiveAll(b, seed),
        receiveAll(a, seed + 1),
        sendPattern(a, forth, seed).then(() => a.end()),
        sendPattern(b, back, seed + 1).then(() => b.end()),
      ]);
      equal(atB, sizesTotal(forth), `seed ${seed}`);
      equal(atA, sizesTotal(back), `seed ${seed}`);
      const ended = await finished;
      equal(`${ended.end} ${ended.aToB} ${ended.bToA}`, `done ${atB} ${atA}`, `seed ${seed}`);
      close();
    }
  });

  for (const side of ["a", "b"] as const) {
    const other = side === "a" ? "b" : "a";

    relayTest(`breaks the other side when ${side} breaks between chunks`, async (joined) => {
      await joined[side].send(Uint8Array.of(1));
      await joined[other].receive();
      joined[side].break();
      await seesBreak(joined[other]);
      equal((await joined.finished).end, `reset_by_${side}`);
    });

    relayTest(`breaks the other side when ${side} breaks after its own end`, async (joined) => {
      await joined[side].end();
      equal(await joined[other].receive(), null);
      joined[side].break();
      // Its direction had ended cleanly, so the break shows when the other side sends.
      const failed = await sendUntilBroken(joined[other]);
      ok(failed);
      equal((await joined.finished).end, `reset_by_${side}`);
    });

    relayTest(`breaks the other side when ${side} breaks behind a reader that stalls`, async (joined) => {
      const sending = sendPattern(joined[side], new Array(64).fill(MIB), 2).catch(() => {});
      await joined[other].receive();
      joined[side].break();
      await sending;
      // What was on its way may still arrive; after that comes the break.
      await seesBreak(joined[other]);
      equal((await joined.finished).end, `reset_by_${side}`);
    });

    relayTest(`ends when ${side} breaks while the other side sends`, async (joined) => {
      const sending = sendUntilBroken(joined[other]);
      await joined[side].receive();
      joined[side].break();
      ok(await sending);
      equal((await joined.finished).end, `reset_by_${side}`);
    });
  }

  relayTest("breaks both sides when it is cut", async ({ a, b, finished, cut }) => {
    await a.send(Uint8Array.of(1));
    await b.receive();
    cut();
    cut();
    await Promise.all([seesBreak(a), seesBreak(b)]);
    equal((await finished).end, "cut");
  });

  relayTest("ends when it is cut beside a reader that stalls", async ({ a, b, finished, cut }) => {
    const sending = sendPattern(a, new Array(64).fill(MIB), 2).catch(() => {});
    await b.receive();
    cut();
    equal((await finished).end, "cut");
    await sending;
  });
}

/** True once sending fails. */
async function sendUntilBroken(party: Party): Promise<boolean> {
  const bytes = new Uint8Array(65_536);
  for (let i = 0; i < 16_384; i++) {
    try {
      await party.send(bytes);
    } catch {
      return true;
    }
  }
  return false;
}
