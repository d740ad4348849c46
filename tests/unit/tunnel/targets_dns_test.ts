import { NodePassError } from "../../../src/errors.ts";
import { deepEqual, equal, ok, rejects, test } from "../../harness.ts";
import { visitor, World } from "./targets_fixture.ts";

const named = { host: "name.example", port: 80 };

test("Targets asks for a name once per lifetime of its answer", async () => {
  const world = new World([named], { dnsTtlMs: 60_000 });
  world.names.set("name.example", ["10.0.0.9"]);
  for (let i = 0; i < 5; i++) await world.dialOnce();
  equal(world.lookedUp.length, 1);
  await world.clock.advanceSteps(60_000);
  await world.dialOnce();
  equal(world.lookedUp.length, 2);
});

test("Targets shares one running lookup", async () => {
  const world = new World([named], { dnsTtlMs: 0 });
  world.names.set("name.example", ["10.0.0.9"]);
  await Promise.all([world.dialOnce(), world.dialOnce(), world.dialOnce()]);
  equal(world.lookedUp.length, 1);
  await world.dialOnce();
  equal(world.lookedUp.length, 2);
});

test("Targets asks again after a failed dial, so that a changed address is found", async () => {
  const world = new World([named]);
  world.names.set("name.example", ["10.0.0.9"]);
  await world.dialOnce();
  world.behaviour.set("10.0.0.9:80", "refuse");
  world.names.set("name.example", ["10.0.0.10"]);
  await rejects(world.dialOnce());
  await world.dialOnce();
  deepEqual(world.dialled, ["10.0.0.9:80", "10.0.0.9:80", "10.0.0.10:80"]);
});

test("Targets does not keep failed lookups", async () => {
  const world = new World([named]);
  await rejects(world.dialOnce(), { code: "name_not_found" });
  world.names.set("name.example", ["10.0.0.9"]);
  await world.dialOnce();
});

test("Targets tries the addresses of a name in order and names each in the error", async () => {
  const world = new World([named]);
  world.names.set("name.example", ["10.0.0.9", "2001:db8::9", "10.0.0.10"]);
  world.behaviour.set("10.0.0.9:80", "refuse");
  world.behaviour.set("2001:db8::9:80", "refuse");
  equal(await world.dialOnce(), "name.example:80");
  deepEqual(world.dialled, ["10.0.0.9:80", "2001:db8::9:80", "10.0.0.10:80"]);
  world.behaviour.set("10.0.0.10:80", "refuse");
  await rejects(world.dialOnce(), {
    message: "Cannot reach any target: 10.0.0.9:80: connection refused; [2001:db8::9]:80: connection refused; " +
      "10.0.0.10:80: connection refused",
  });
});

test("Targets bounds a lookup that hangs and goes on to the next target", async () => {
  const world = new World([named, { host: "10.0.0.2", port: 80 }]);
  world.names.set("name.example", []);
  const { result, ms } = await world.settled(world.dialOnce());
  equal(result, "10.0.0.2:80");
  ok(ms <= 2_600, String(ms));
  const alone = new World([named]);
  alone.names.set("name.example", []);
  const late = await alone.settled(alone.targets.dial(visitor, alone.session()));
  ok(late.result instanceof NodePassError);
  equal(late.result.code, "timed_out");
  ok(late.ms <= 5_100, String(late.ms));
  equal(alone.clock.pending, 0);
});

test("Targets.dial ends a hanging lookup when its signal aborts", async () => {
  const world = new World([named]);
  world.names.set("name.example", []);
  const cut = new AbortController();
  const dialling = world.targets.dial(visitor, world.session(), cut.signal);
  await world.clock.advanceSteps(1);
  cut.abort();
  await rejects(dialling, { code: "closed" });
  equal(world.clock.pending, 0);
});
