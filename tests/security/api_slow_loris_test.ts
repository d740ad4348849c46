/** Thousands of connections that never finish what they begin. */
import { setTimeout as delay } from "node:timers/promises";
import { equal, ok, test } from "../harness.ts";
import { type FakeMaster, fakeMaster, KEY } from "../unit/http/fake_master.ts";
import { exchangeRaw, rawSocket, untilClosed } from "../unit/http/raw.ts";
import {
  address,
  descriptors,
  fullProfile,
  type Stranger,
  stranger,
  within,
} from "../unit/tunnel/accept/front_door.ts";

const SOCKETS = 2_000;
const SOURCES = 100;
const openingMs = fullProfile ? 5_400 : 2_000;
/** Both sides of all sockets are in this process. */
const slackMs = fullProfile ? 600 : 1_750;
const limits = { headersMs: fullProfile ? 5_000 : 1_500, guests: { openingMs } };

/** A third silent, a third stops early, a third sends a byte a second. */
async function besiege(master: FakeMaster, first: Uint8Array): Promise<Stranger[]> {
  const strangers: Stranger[] = [];
  for (let index = 0; index < SOCKETS; index += 50) {
    const batch = Array.from({ length: 50 }, (_, offset) => stranger(master.port, address((index + offset) % SOURCES)));
    strangers.push(...await Promise.all(batch));
  }
  strangers.forEach(({ socket }, index) => index % 3 > 0 && !socket.destroyed && socket.write(first));
  return strangers;
}

async function trickle(strangers: Stranger[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    strangers.forEach(({ socket, closedAt }, index) => index % 3 === 2 && closedAt === null && socket.write("x"));
    await delay(1_000, undefined, { signal }).catch(() => {});
  }
}

async function siege(query: string, first: Uint8Array): Promise<void> {
  const url = `master://127.0.0.1:0${query}`;
  // The first connection of a process opens descriptors that stay: they are no leak.
  const warmUp = await fakeMaster({ url });
  await (await stranger(warmUp.port, address(5_000))).socket.destroy();
  await warmUp.close();
  await delay(100);
  const before = descriptors();

  const master = await fakeMaster({ url, limits });
  const over = new AbortController();
  let most = 0;
  const watch = within(60_000, () => {
    most = Math.max(most, master.listener.opening);
    return over.signal.aborted;
  });
  const strangers = await besiege(master, first);
  const trickling = trickle(strangers, over.signal);
  const start = performance.now();
  const legitimate = await rawSocket(master.port, address(6_000));
  const legitimateMs = (): number => Math.round(performance.now() - start);
  if (query === "") {
    const answer = untilClosed(legitimate);
    legitimate.write(`GET /api/info HTTP/1.1\r\nHost: x\r\nX-API-Key: ${KEY}\r\nConnection: close\r\n\r\n`);
    ok((await answer).text.startsWith("HTTP/1.1 200 "));
  } else legitimate.destroy();
  const took = legitimateMs();
  ok(took < 5_000, `a legitimate request took ${took} ms`);

  await within(openingMs + 2_000, () => strangers.every(({ closedAt }) => closedAt !== null));
  const open = strangers.filter(({ closedAt }) => closedAt === null).length;
  const slowest = Math.max(...strangers.map(({ openedAt, closedAt }) => closedAt === null ? 0 : closedAt - openedAt));
  console.log(JSON.stringify({ query, openingMs, legitimateMs: took, most, open, slowest: Math.round(slowest) }));
  equal(open, 0);
  ok(slowest <= openingMs + slackMs, `a socket was closed after ${Math.round(slowest)} ms`);
  ok(most <= 256, `${most} connections waited`);
  equal(master.listener.opening, 0);
  over.abort();
  await Promise.all([trickling, watch]);
  for (const { socket } of strangers) socket.destroy();
  await master.close();
  ok(await within(3_000, () => descriptors() <= before + 5), `descriptors: ${before} before, ${descriptors()} after`);
}

test("the API closes 2,000 slow-loris sockets in time and answers meanwhile", async () => {
  await siege("", new TextEncoder().encode("GET /api/v1/info HTTP/1.1\r\nX-A: "));
});

test("the API closes 2,000 slow-loris sockets in time inside TLS", async () => {
  await siege("?tls=1", Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3));
});

test("one address may hold 16 silent connections to the API, once a burst is over", async () => {
  const master = await fakeMaster();
  const strangers = await Promise.all(Array.from({ length: 60 }, () => stranger(master.port, "127.0.0.9")));
  ok(await within(2_000, () => master.listener.opening === 16), `${master.listener.opening} are open`);
  const { text } = await exchangeRaw(master.port, "GET /api/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  ok(text.startsWith("HTTP/1.1 200 "));
  for (const { socket } of strangers) socket.destroy();
  await master.close();
});
