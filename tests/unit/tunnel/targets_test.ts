import { NodePassError } from "../../../src/errors.ts";
import { deepEqual, equal, ok, rejects, test } from "../../harness.ts";
import { visitor, World } from "./targets_fixture.ts";

const a = { host: "10.0.0.1", port: 80 };
const b = { host: "10.0.0.2", port: 80 };
const c = { host: "10.0.0.3", port: 80 };

test("Targets.dial connects, names the session's target and leaves no timer", async () => {
  const world = new World([a]);
  const session = world.session();
  const conn = await world.targets.dial(visitor, session);
  equal(conn.remote.host, "10.0.0.1");
  equal(session.target, "10.0.0.1:80");
  equal(world.clock.pending, 0);
});

test("Targets.dial takes an empty host as loopback, IPv4 first", async () => {
  const world = new World([{ host: "", port: 8080 }]);
  equal(await world.dialOnce(), "127.0.0.1:8080");
  world.behaviour.set("127.0.0.1:8080", "refuse");
  equal(await world.dialOnce(), "127.0.0.1:8080");
  deepEqual(world.dialled, ["127.0.0.1:8080", "127.0.0.1:8080", "::1:8080"]);
});

test("Targets.dial takes the targets in turn", async () => {
  const world = new World([a, b, c]);
  for (let i = 0; i < 6; i++) await world.dialOnce();
  deepEqual(world.dialled, ["1", "2", "3", "1", "2", "3"].map((last) => `10.0.0.${last}:80`));
});

test("Targets.dial prefers the target with the fewest live sessions", async () => {
  const world = new World([a, b, c], { balance: "least_connections" });
  const sessions = [world.session(), world.session(), world.session()];
  for (const session of sessions) await world.targets.dial(visitor, session);
  deepEqual(sessions.map((session) => session.target).sort(), ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"]);
  const freed = sessions[1]?.target;
  sessions[1]?.close();
  sessions[1]?.close();
  equal(await world.dialOnce(), freed);
  equal(await world.dialOnce(), freed);
});

test("Targets.dial keeps a visitor's address on one target and spreads addresses", async () => {
  const world = new World([a, b, c], { balance: "source_hash" });
  const perTarget = new Map<string, number>();
  for (let i = 0; i < 300; i++) {
    const host = `192.0.2.${i % 256}`;
    const first = await world.dialOnce({ host, port: 1000 + i });
    equal(await world.dialOnce({ host: `::ffff:${host}`, port: 9 }), first);
    perTarget.set(first, (perTarget.get(first) ?? 0) + 1);
  }
  equal(perTarget.size, 3);
  for (const count of perTarget.values()) ok(count > 50, String(count));
});

test("Targets.dial goes on to the next target in every mode and remembers the dead one", async () => {
  for (const balance of ["round_robin", "least_connections", "source_hash"] as const) {
    const world = new World([a, b, c], { balance });
    const dead = await world.dialOnce();
    world.behaviour.set(dead, "refuse");
    world.dialled.length = 0;
    for (let i = 0; i < 30; i++) ok(await world.dialOnce() !== dead);
    equal(world.dialled.filter((where) => where === dead).length, 1, balance);
    equal(world.dialled.length, 31);
  }
});

test("Targets.dial tries a dead target again later, with one visitor at a time", async () => {
  const world = new World([a, b], {}, { tcpDialTimeoutMs: 1000 });
  world.behaviour.set("10.0.0.1:80", "refuse");
  equal(await world.dialOnce(), "10.0.0.2:80");
  await world.clock.advanceSteps(10_001);
  world.behaviour.set("10.0.0.1:80", "silent");
  world.dialled.length = 0;
  const sessions = Array.from({ length: 10 }, () => world.session());
  const dials = Promise.all(sessions.map((session) => world.targets.dial(visitor, session)));
  await world.settled(dials);
  equal(world.dialled.filter((where) => where === "10.0.0.1:80").length, 1);
  await world.clock.advanceSteps(10_001);
  world.behaviour.delete("10.0.0.1:80");
  const used = [await world.dialOnce(), await world.dialOnce(), await world.dialOnce(), await world.dialOnce()];
  deepEqual(new Set(used).size, 2);
});

test("Targets.dial says what happened at each target", async () => {
  const world = new World([a, { host: "name.example", port: 81 }]);
  world.behaviour.set("10.0.0.1:80", "refuse");
  const error = await world.targets.dial(visitor, world.session()).catch((thrown) => thrown);
  ok(error instanceof NodePassError);
  equal(
    error.message,
    "Cannot reach any target: 10.0.0.1:80: connection refused; name.example:81: name not found",
  );
  equal(error.code, "unreachable");
  const single = new World([a]);
  single.behaviour.set("10.0.0.1:80", "refuse");
  await rejects(single.targets.dial(visitor, single.session()), {
    code: "connection_refused",
    message: "Cannot reach any target: 10.0.0.1:80: connection refused",
  });
});

test("Targets.dial stays within one dial timeout however many targets are silent", async () => {
  const world = new World([a, b, c]);
  for (const host of ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"]) world.behaviour.set(host, "silent");
  const { result, ms } = await world.settled(world.targets.dial(visitor, world.session()));
  ok(result instanceof NodePassError);
  equal(result.code, "timed_out");
  ok(ms <= 5_100, String(ms));
  equal(world.dialled.length, 3);
  equal(world.clock.pending, 0);
});

test("Targets.dial leaves time for the others when the first target is silent", async () => {
  const world = new World([a, b, c]);
  world.behaviour.set("10.0.0.1:80", "silent");
  const { result, ms } = await world.settled(world.dialOnce());
  equal(result, "10.0.0.2:80");
  ok(ms < 2_000, String(ms));
});

test("Targets.dial ends at once when its signal aborts", async () => {
  const world = new World([a, b]);
  world.behaviour.set("10.0.0.1:80", "silent");
  const cut = new AbortController();
  const dialling = world.targets.dial(visitor, world.session(), cut.signal);
  await world.clock.advanceSteps(1);
  cut.abort();
  await rejects(dialling, { code: "closed" });
  deepEqual(world.dialled, ["10.0.0.1:80"]);
  // An abort says nothing about the target: it is not avoided afterwards.
  world.behaviour.delete("10.0.0.1:80");
  await world.dialOnce();
  equal(await world.dialOnce(), "10.0.0.1:80");
});

test("Targets.dial writes the PROXY header before anything else", async () => {
  const world = new World([a], { proxy: "v1" });
  await world.targets.dial({ host: "::ffff:192.0.2.7", port: 40_000 }, world.session());
  const into = new Uint8Array(128);
  const count = await world.accepted[0]?.read(into) ?? 0;
  equal(new TextDecoder().decode(into.subarray(0, count)), "PROXY TCP4 192.0.2.7 10.0.0.1 40000 80\r\n");
});

test("Targets.dial refuses link-local addresses by what a name resolves to", async () => {
  const world = new World([{ host: "metadata.example", port: 80 }]);
  world.names.set("metadata.example", ["169.254.169.254", "fe80::1", "::ffff:169.254.0.1"]);
  await rejects(world.targets.dial(visitor, world.session()), {
    code: "permission_denied",
    message: /NP_ALLOW_LINK_LOCAL/,
  });
  equal(world.dialled.length, 0);
  world.names.set("metadata.example", ["169.254.169.254", "10.0.0.9"]);
  await world.clock.advanceSteps(300_001);
  await world.dialOnce();
  deepEqual(world.dialled, ["10.0.0.9:80"]);
  for (const host of ["169.254.169.254", "fe80::1%eth0"]) {
    const literal = new World([{ host, port: 80 }]);
    await rejects(literal.targets.dial(visitor, literal.session()), { code: "permission_denied" });
  }
  const allowed = new World([{ host: "169.254.169.254", port: 80 }], {}, { allowLinkLocal: true });
  await allowed.dialOnce();
});

test("Targets.dial falls back from a source address that this machine does not have, with one error line", async () => {
  const world = new World([a], { dialFrom: "203.0.113.5" });
  for (let i = 0; i < 3; i++) await world.dialOnce();
  deepEqual(world.dialled, ["10.0.0.1:80 from 203.0.113.5", "10.0.0.1:80", "10.0.0.1:80", "10.0.0.1:80"]);
  equal(world.logger.lines.filter(({ level }) => level === "error").length, 1);
});

test("Targets.dial uses the source address, and addresses of its family where a name has both", async () => {
  const world = new World([{ host: "both.example", port: 80 }], { dialFrom: "127.0.0.5" });
  world.sources.add("127.0.0.5");
  world.names.set("both.example", ["2001:db8::1", "10.0.0.9"]);
  await world.dialOnce();
  world.behaviour.set("10.0.0.9:80", "refuse");
  await rejects(world.dialOnce());
  equal(world.dialled.every((where) => where === "10.0.0.9:80 from 127.0.0.5"), true);
  equal(world.logger.lines.length, 0);
});

test("Targets.pickAddress resolves, balances and releases", async () => {
  const world = new World([{ host: "name.example", port: 53 }, b], { balance: "least_connections" });
  world.names.set("name.example", ["10.0.0.8"]);
  const first = await world.targets.pickAddress(visitor);
  deepEqual([first.address, first.target], [{ host: "10.0.0.8", port: 53 }, "name.example:53"]);
  const second = await world.targets.pickAddress(visitor);
  equal(second.target, "10.0.0.2:80");
  second.release();
  second.release();
  equal((await world.targets.pickAddress(visitor)).target, "10.0.0.2:80");
  equal(world.dialled.length, 0);
  equal(world.clock.pending, 0);
});

test("Targets.pickAddress goes on to the next target and bounds the lookup", async () => {
  const world = new World([{ host: "hangs.example", port: 53 }, { host: "missing.example", port: 53 }, b]);
  world.names.set("hangs.example", []);
  const { result, ms } = await world.settled(world.targets.pickAddress(visitor));
  ok(!(result instanceof NodePassError));
  equal(result.target, "10.0.0.2:80");
  ok(ms <= 5_100, String(ms));
  const none = new World([{ host: "missing.example", port: 53 }]);
  await rejects(none.targets.pickAddress(visitor), { code: "name_not_found" });
});
