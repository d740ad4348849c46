/**
 * One end is killed while it carries transfers: F1 (client), F2 (server).
 *
 * @module
 */
import type { Row } from "../../bench/rows.ts";
import { TEST_KEY } from "../../../tests/e2e/ends.ts";
import { echoTcp, until, within } from "../../../tests/e2e/load.ts";
import { type NodePassProcess, type RuntimeName, startUrl } from "../../../tests/e2e/process.ts";
import { Target } from "../../../tests/e2e/targets.ts";
import type { Conn, SocketAddress } from "../../../src/runtime/types.ts";
import { dial, freePort } from "../../../tests/unit/tunnel/forward_fixture.ts";
import { descriptors, times } from "../stage.ts";

const TRANSFERS = 100;
const CLOSED_MS = 1_000;
const BACK_MS = 5_000;
/** Links that the next second's demand may keep, and the like. */
const SPARE_DESCRIPTORS = 5;

/** Kills `victim` again and again, each time with 100 transfers in flight. */
export async function kills(runtime: RuntimeName, victim: "client" | "server", cycles: number): Promise<Row> {
  await using target = await Target.listen();
  const [tunnelPort, entryPort] = [await freePort(), await freePort()];
  const entry = { host: "127.0.0.1", port: entryPort };
  const urls = {
    server: `server://${TEST_KEY}@127.0.0.1:${tunnelPort}/127.0.0.1:${entryPort}?mode=1&tls=1`,
    client: `client://${TEST_KEY}@127.0.0.1:${tunnelPort}/127.0.0.1:${target.address.port}?mode=2&min=8`,
  };
  const ends = { server: startUrl(urls.server, { runtime }), client: startUrl(urls.client, { runtime }) };
  const survivor = victim === "client" ? ends.server : ends.client;
  const closedMs: number[] = [];
  const backMs: number[] = [];
  let before = 0;
  try {
    await served(entry);
    await until("the links are quiet", settled(survivor), 20_000);
    before = descriptors(survivor.pid);
    for (let cycle = 0; cycle < cycles; cycle++) {
      closedMs.push(await burst(entry, target, () => ends[victim].signal("SIGKILL")));
      await ends[victim].exited;
      const started = performance.now();
      ends[victim] = startUrl(urls[victim], { runtime });
      await served(entry);
      backMs.push(performance.now() - started);
    }
    await until("descriptors are freed", () => descriptors(survivor.pid) <= before + SPARE_DESCRIPTORS, 10_000)
      .catch(() => {});
    const left = descriptors(survivor.pid) - before;
    const [closed, back] = [Math.round(Math.max(...closedMs)), Math.round(Math.max(...backMs))];
    return {
      id: victim === "client" ? "F1" : "F2",
      pass: closed <= CLOSED_MS && back <= BACK_MS && left <= SPARE_DESCRIPTORS && target.open.size === 0,
      measured: { runtime, cycles, transfers: TRANSFERS, closedMs: closed, backMs: back, descriptorsLeft: left },
      demand: `sockets closed <= ${CLOSED_MS} ms; success <= ${BACK_MS} ms after the return; nothing left`,
    };
  } finally {
    await Promise.all([ends.server[Symbol.asyncDispose](), ends.client[Symbol.asyncDispose]()]);
  }
}

/** Opens transfers, kills while they run, and says how long the last socket stayed open. */
async function burst(entry: SocketAddress, target: Target, kill: () => void): Promise<number> {
  const visitors: Conn[] = [];
  const { failures } = await times(TRANSFERS, 20, async () => {
    visitors.push(await dial(entry));
  });
  if (failures.length > 0) throw new Error(failures[0]);
  const echoed = visitors.map(() => Promise.withResolvers<void>());
  const early = new Error("A transfer ended before its first echo");
  const running = visitors.map(async (visitor, index) => {
    await pump(visitor, () => echoed[index]!.resolve());
    echoed[index]!.reject(early);
  });
  await within(20_000, "an echo on every transfer", Promise.all(echoed.map(({ promise }) => promise)));
  kill();
  const struck = performance.now();
  await within(15_000, "every visitor's socket to close", Promise.all(running));
  for (const visitor of visitors) visitor.close();
  await until("the target's sockets are closed", () => target.open.size === 0, 15_000);
  return performance.now() - struck;
}

/** Sends and receives until the connection ends, for whatever reason. */
async function pump(visitor: Conn, onEcho: () => void): Promise<void> {
  const chunk = new Uint8Array(4_096);
  const buffer = new Uint8Array(65_536);
  const sending = (async () => {
    for (;;) {
      await visitor.write(chunk);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })().catch(() => {});
  try {
    while (await visitor.read(buffer) !== null) onEcho();
  } catch {
    // A reset is an end as well.
  }
  visitor.close();
  await sending;
}

/** Tries until a visitor gets through. */
async function served(entry: SocketAddress): Promise<void> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    try {
      return await within(2_000, "an echo", echoTcp(entry, 1_000, 1));
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** True once the number of descriptors stood still for 1 s. */
function settled(process: NodePassProcess): () => boolean {
  let last = -1;
  let since = performance.now();
  return () => {
    const now = descriptors(process.pid);
    if (now !== last) since = performance.now();
    last = now;
    return performance.now() - since > 1_000;
  };
}
