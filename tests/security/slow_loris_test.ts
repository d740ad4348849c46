import { setTimeout as delay } from "node:timers/promises";
import { equal, ok, test, underDeno } from "../harness.ts";
import { hello, preface } from "../unit/tunnel/accept/openings.ts";
import {
  address,
  connectTo,
  descriptors,
  exchangeWith,
  type FrontDoor,
  fullProfile,
  GOOD_MARK,
  openFrontDoor,
  type Stranger,
  stranger,
  within,
} from "../unit/tunnel/accept/front_door.ts";

const SOCKETS = 2_000;
const SOURCES = 100;
const timeoutMs = fullProfile ? 5_000 : 2_000;
const slackMs = 1_000;
/**
 * Deno's native TLS frees a socket that was closed inside its handshake only once the other side ends it: so many may
 * outlive their time, the 64 after which the port leaves native TLS and those that waited at that moment.
 */
const heldBound = (tls: 0 | 1): number => underDeno && tls === 1 ? 64 + 16 : 0;

/** Opens sockets that never finish what they begin: a third silent, a third stops early, a third sends a byte a second. */
async function besiege(door: FrontDoor, first: Uint8Array): Promise<Stranger[]> {
  const strangers: Stranger[] = [];
  for (let index = 0; index < SOCKETS; index += 50) {
    const batch = Array.from({ length: 50 }, (_, offset) => stranger(door.port, address((index + offset) % SOURCES)));
    strangers.push(...await Promise.all(batch));
  }
  strangers.forEach(({ socket }, index) => index % 3 > 0 && !socket.destroyed && socket.write(first.subarray(0, 4)));
  return strangers;
}

async function trickle(strangers: Stranger[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    strangers.forEach(({ socket, closedAt }, index) => index % 3 === 2 && closedAt === null && socket.write("x"));
    await delay(1_000, undefined, { signal }).catch(() => {});
  }
}

async function siege(tls: 0 | 1, first: Uint8Array): Promise<void> {
  // The first connection of a process opens descriptors that stay: they are no leak.
  const warmUp = await openFrontDoor(tls);
  (await connectTo(warmUp, address(5_000))).close();
  await (await stranger(warmUp.port, address(5_000))).socket.destroy();
  warmUp.close();
  await delay(100);
  const before = descriptors();

  const door = await openFrontDoor(tls, { handshakeTimeoutMs: timeoutMs });
  const over = new AbortController();
  let most = 0;
  const watch = within(60_000, () => {
    most = Math.max(most, door.acceptor.pending);
    return over.signal.aborted;
  });
  const strangers = await besiege(door, first);
  const trickling = trickle(strangers, over.signal);
  equal(strangers.length, SOCKETS);

  const start = performance.now();
  const control = await connectTo(door, address(6_000));
  await exchangeWith(control, hello(), 1);
  const link = await connectTo(door, address(6_000));
  await exchangeWith(link, preface(GOOD_MARK), 0);
  await exchangeWith(link, new TextEncoder().encode("through"), 7);
  const legitimateMs = Math.round(performance.now() - start);
  ok(legitimateMs < 5_000, `a legitimate opening took ${legitimateMs} ms`);

  await within(timeoutMs + slackMs + 1_000, () => strangers.every(({ closedAt }) => closedAt !== null));
  const open = strangers.filter(({ closedAt }) => closedAt === null).length;
  const slowest = Math.max(...strangers.map(({ openedAt, closedAt }) => closedAt === null ? 0 : closedAt - openedAt));
  console.log(JSON.stringify({ tls, timeoutMs, legitimateMs, most, open, slowest: Math.round(slowest) }));
  ok(open <= heldBound(tls), `${open} sockets are still open`);
  ok(slowest <= timeoutMs + slackMs, `a socket was closed after ${Math.round(slowest)} ms`);
  ok(most <= 256, `${most} connections waited`);
  equal(door.acceptor.pending, 0);

  over.abort();
  await Promise.all([trickling, watch]);
  for (const { socket } of strangers) socket.destroy();
  link.close();
  control.close();
  door.close();
  ok(await within(3_000, () => descriptors() <= before + 5), `descriptors: ${before} before, ${descriptors()} after`);
}

test("the tunnel port closes 2,000 slow-loris sockets in time and serves a client meanwhile (tls=0)", async () => {
  await siege(0, preface());
});

test("the tunnel port closes 2,000 slow-loris sockets in time and serves a client meanwhile (tls=1)", async () => {
  await siege(1, Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3));
});
