import { writeAll } from "../../src/relay/write_all.ts";
import type { Conn } from "../../src/runtime/types.ts";
import { deepEqual, equal, ok, rejects } from "../harness.ts";
import {
  dial,
  endedEmpty,
  forwardConfig,
  forwarding,
  freePort,
  ownedTest,
  readAll,
  runtime,
  seededBytes,
  sha256,
  TcpTarget,
} from "../unit/tunnel/forward_fixture.ts";

const text = (value: string) => new TextEncoder().encode(value);
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** How reading goes on after the other side broke: `end` for a clean end. */
async function howItEnds(conn: Conn): Promise<"end" | "reset"> {
  try {
    await readAll(conn);
    return "end";
  } catch {
    return "reset";
  }
}

ownedTest("single-end echoes TCP and keeps the visitor's half-close", async (own) => {
  const target = await own(TcpTarget.listen(async (conn) => {
    const asked = await readAll(conn);
    await writeAll(conn, text(`${asked.length} bytes, then the end`));
  }));
  const door = await own(forwarding(forwardConfig([target.address])));
  const visitor = await dial(door.addr);
  await writeAll(visitor, text("question"));
  await visitor.closeWrite();
  deepEqual(await readAll(visitor), text("8 bytes, then the end"));
  visitor.close();
  await door.context.ledger.drained();
  const stats = door.handle.stats();
  equal(stats.tcpTx, 8);
  equal(stats.tcpRx, 21);
});

ownedTest("single-end keeps the target's half-close", async (own) => {
  let heard = "";
  const done = Promise.withResolvers<void>();
  const target = await own(TcpTarget.listen(async (conn) => {
    await writeAll(conn, text("greeting"));
    await conn.closeWrite();
    heard = new TextDecoder().decode(await readAll(conn));
    done.resolve();
  }));
  const door = await own(forwarding(forwardConfig([target.address])));
  const visitor = await dial(door.addr);
  deepEqual(await readAll(visitor), text("greeting"));
  await writeAll(visitor, text("late words"));
  await visitor.closeWrite();
  await done.promise;
  equal(heard, "late words");
  visitor.close();
});

ownedTest("single-end ends the target's side when the visitor breaks off", async (own) => {
  const ended = Promise.withResolvers<"end" | "reset">();
  const target = await own(TcpTarget.listen(async (conn) => ended.resolve(await howItEnds(conn))));
  const door = await own(forwarding(forwardConfig([target.address])));
  const visitor = await dial(door.addr);
  await writeAll(visitor, text("half a sen"));
  await pause(30);
  visitor.reset();
  const how = await ended.promise;
  if (runtime.name === "node") equal(how, "reset");
  await door.context.ledger.drained();
});

ownedTest("single-end ends the visitor's side when the target breaks off", async (own) => {
  const target = await own(TcpTarget.listen(async (conn) => {
    await conn.read(new Uint8Array(10));
    conn.reset();
  }));
  const door = await own(forwarding(forwardConfig([target.address])));
  const visitor = await dial(door.addr);
  await writeAll(visitor, text("question"));
  const how = await howItEnds(visitor);
  if (runtime.name === "node") equal(how, "reset");
  visitor.close();
  await door.context.ledger.drained();
});

ownedTest("single-end carries 200 connections of seeded data both ways unchanged", async (own) => {
  const length = 256 * 1024;
  const target = await own(TcpTarget.listen(async (conn) => {
    const number = new Uint8Array(1);
    await conn.read(number);
    const asked = readAll(conn);
    await writeAll(conn, seededBytes(length, 1_000 + (number[0] ?? 0)));
    const answer = await sha256((await asked) as Uint8Array<ArrayBuffer>);
    await writeAll(conn, text(answer));
  }));
  // Both ends and the forwarder share one thread here, so a busy machine may hold a dial up for long.
  const door = await own(forwarding(forwardConfig([target.address], {}, { tcpDialTimeoutMs: 60_000 })));
  const one = async (number: number): Promise<void> => {
    const visitor = await dial(door.addr);
    const sent = seededBytes(length, number);
    const answered = readAll(visitor);
    await writeAll(visitor, new Uint8Array([number]));
    await writeAll(visitor, sent);
    await visitor.closeWrite();
    const received = await answered;
    const data = received.slice(0, length);
    equal(await sha256(data as Uint8Array<ArrayBuffer>), await sha256(seededBytes(length, 1_000 + number)));
    equal(new TextDecoder().decode(received.slice(length)), await sha256(sent));
    visitor.close();
  };
  await Promise.all(Array.from({ length: 200 }, (_, number) => one(number)));
  await door.context.ledger.drained();
  const stats = door.handle.stats();
  equal(stats.tcpTx, 200 * (length + 1));
  equal(stats.tcpRx, 200 * (length + 64));
  deepEqual(stats.rejections, {});
});

ownedTest("single-end closes a visitor at once when the target is down", async (own) => {
  const port = await freePort();
  const door = await own(forwarding(forwardConfig([{ host: "127.0.0.1", port }])));
  const started = performance.now();
  const visitor = await dial(door.addr);
  ok(await endedEmpty(visitor));
  ok(performance.now() - started < 500);
  visitor.close();
  await door.context.ledger.drained();
  deepEqual(door.handle.stats().rejections, { dial: 1 });
});

ownedTest("single-end shares visitors between targets and passes a dead one by", async (own) => {
  const answering = (name: string) =>
    TcpTarget.listen(async (conn) => {
      await writeAll(conn, text(name));
    });
  const a = await own(answering("a"));
  const b = await own(answering("b"));
  const dead = { host: "127.0.0.1", port: await freePort() };
  const door = await own(forwarding(forwardConfig([dead, a.address, b.address])));
  const answers: string[] = [];
  for (let count = 0; count < 12; count++) {
    const visitor = await dial(door.addr);
    answers.push(new TextDecoder().decode(await readAll(visitor)));
    visitor.close();
  }
  equal(answers.length, 12);
  ok(answers.every((answer) => answer === "a" || answer === "b"), answers.join());
  ok(answers.includes("a") && answers.includes("b"), answers.join());
});

ownedTest("single-end forwards from IPv6 to IPv6", async (own) => {
  const target = await own(TcpTarget.echo("::1"));
  const door = await own(forwarding(forwardConfig([target.address], { tunnel: { host: "::1", port: 0 } })));
  const visitor = await dial(door.addr);
  await writeAll(visitor, text("six"));
  await visitor.closeWrite();
  deepEqual(await readAll(visitor), text("six"));
  visitor.close();
  equal(door.handle.addr?.host, "::1");
});

ownedTest("single-end ends a silent session after read and leaves a busy one alone", async (own) => {
  const target = await own(TcpTarget.echo());
  const door = await own(forwarding(forwardConfig([target.address], { readMs: 400 })));
  const silent = await dial(door.addr);
  const busy = await dial(door.addr);
  const buffer = new Uint8Array(8);
  let silentEnded = false;
  const watching = endedEmpty(silent).then(() => silentEnded = true);
  for (let count = 0; count < 12; count++) {
    await writeAll(busy, text("tick"));
    equal(await busy.read(buffer), 4);
    await pause(100);
  }
  ok(silentEnded);
  await watching;
  silent.close();
  busy.close();
});

ownedTest("single-end lists sessions, ends one by its id, and says so at log=debug", async (own) => {
  const target = await own(TcpTarget.echo());
  const door = await own(forwarding(forwardConfig([target.address]), { debug: true }));
  const visitor = await dial(door.addr);
  await writeAll(visitor, text("hello"));
  equal(await visitor.read(new Uint8Array(8)), 5);
  const [session] = door.handle.sessions();
  deepEqual([session?.protocol, session?.target, session?.tx], ["tcp", `127.0.0.1:${target.address.port}`, 5]);
  ok(door.handle.endSession(session?.id ?? ""));
  equal(door.handle.endSession("nobody"), false);
  ok(await endedEmpty(visitor));
  visitor.close();
  await door.context.ledger.drained();
  await pause(0);
  const lines = door.logger.lines.filter(({ message }) => message.startsWith("Session "));
  deepEqual(lines.map(({ level, message }) => [level, message]), [
    ["info", "Session started"],
    ["info", "Session ended"],
  ]);
  deepEqual([lines[1]?.fields["reason"], lines[1]?.fields["tx"]], ["cut", 5]);
});

ownedTest("single-end finishes sessions on close and refuses new visitors within 100 ms", async (own) => {
  const target = await own(TcpTarget.echo());
  const door = await own(forwarding(forwardConfig([target.address])));
  const visitor = await dial(door.addr);
  await writeAll(visitor, text("before"));
  equal(await visitor.read(new Uint8Array(16)), 6);
  const started = performance.now();
  const closing = door.handle.close({ graceMs: 5_000 });
  await rejects(dial(door.addr));
  ok(performance.now() - started < 100);
  await writeAll(visitor, text("after"));
  await visitor.closeWrite();
  deepEqual(await readAll(visitor), text("after"));
  visitor.close();
  await closing;
  await door.handle.finished;
  ok(performance.now() - started < 1_000);
  equal(door.handle.stats().tcpSessions, 0);
});

ownedTest("single-end cuts what is left when the grace is over", async (own) => {
  const target = await own(TcpTarget.echo());
  const door = await own(forwarding(forwardConfig([target.address])));
  const visitor = await dial(door.addr);
  await writeAll(visitor, text("x"));
  equal(await visitor.read(new Uint8Array(1)), 1);
  const started = performance.now();
  await door.handle.close({ graceMs: 150 });
  const took = performance.now() - started;
  ok(took >= 140 && took < 1_150, `${took} ms`);
  ok(await endedEmpty(visitor));
  visitor.close();
  equal(door.context.ledger.tcp, 0);
});
