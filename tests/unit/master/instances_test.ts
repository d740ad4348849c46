/** The one way to change what a master keeps: validated, stored, shown, told, in that order. */
import { NodePassError } from "../../../src/errors.ts";
import { ApiError } from "../../../src/http/api_error.ts";
import { API_KEY_ID, EMPTY_META } from "../../../src/master/instance.ts";
import { deepEqual, equal, match, notEqual, ok, rejects, test } from "../../harness.ts";
import { API_KEY, DETAILS, GAUGES, InstancesWorld, received, settle, URL_A, URL_B } from "./instances_fixture.ts";

const answers = (status: number, text: string | RegExp) => (error: unknown): boolean => {
  ok(error instanceof ApiError, String(error));
  equal(error.status, status);
  if (typeof text === "string") equal(error.message, text);
  else match(error.message, text);
  return true;
};

test("create stores first, then shows, tells and starts", async () => {
  const world = new InstancesWorld();
  const gate = Promise.withResolvers<void>();
  world.hold = gate.promise;
  const creating = world.instances.create({ url: URL_A, alias: "a" });
  await settle();
  deepEqual([world.instances.list().length, world.events.length, world.commands.length], [1, 0, 0]);
  gate.resolve();
  const made = await creating;
  match(made.id, /^[0-9a-f]{8}$/);
  deepEqual([made.alias, made.type, made.status, made.url, made.restart], ["a", "client", "stopped", URL_A, true]);
  deepEqual(
    Object.keys(made).join(" "),
    [
      "id alias type status url config restart meta",
      "mode ping pool tcps udps tcprx tcptx udprx udptx",
    ].join(" "),
  );
  deepEqual(world.written.at(-1)?.instances.map(({ id, wanted }) => [id, wanted]), [[made.id, true]]);
  deepEqual(world.told(), ["create stopped"]);
  match(
    world.commands[0] ?? "",
    new RegExp(`^start ${made.id} client://127.0.0.1:1001/127.0.0.1:80\\?block=0&.*mode=1`),
  );
  await world.instances.close();
});

test("a change that cannot be stored leaves everything as it was and is answered with 507", async () => {
  const world = new InstancesWorld();
  const { id } = await world.instances.create({ url: URL_A, alias: "a" });
  world.told();
  world.commands.length = 0;
  world.failure = new NodePassError("no_space", "Cannot write the state: no space left on device");
  const refused = answers(507, "Cannot save: no space left on device");
  await rejects(world.instances.create({ url: URL_B, alias: "" }), refused);
  await rejects(world.instances.patch(id, { alias: "b", action: "stop" }, null), refused);
  await rejects(world.instances.replaceUrl(id, URL_B, null), refused);
  await rejects(world.instances.remove(id, null), refused);
  await rejects(world.instances.rotateKey(), refused);
  await rejects(world.instances.setMasterAlias("m"), refused);
  const view = world.instances.get(id);
  deepEqual([view?.alias, view?.url, world.instances.list().length], ["a", URL_A, 2]);
  ok(world.instances.isApiKey(API_KEY));
  equal(world.instances.masterAlias, "");
  deepEqual([world.told(), world.commands], [[], []]);
  world.failure = null;
  equal((await world.instances.patch(id, { alias: "b" }, null)).alias, "b");
  await world.instances.close();
});

test("changes that come together share a write, and each sees the one before", async () => {
  const world = new InstancesWorld();
  const { id } = await world.instances.create({ url: URL_A, alias: "a" });
  const before = world.written.length;
  const results = await Promise.allSettled([
    world.instances.patch(id, { alias: "b" }, null),
    world.instances.remove(id, null),
    world.instances.patch(id, { alias: "c" }, null),
    world.instances.create({ url: URL_B, alias: "d" }),
  ]);
  deepEqual(results.map(({ status }) => status), ["fulfilled", "fulfilled", "rejected", "fulfilled"]);
  ok(results[2]?.status === "rejected" && answers(404, "Instance not found")(results[2].reason));
  equal(world.written.length, before + 1);
  deepEqual(world.written.at(-1)?.instances.map(({ alias }) => alias), ["d"]);
  await world.instances.close();
});

test("PATCH checks everything before it changes anything", async () => {
  const world = new InstancesWorld();
  const { id } = await world.instances.create({ url: URL_A, alias: "a" });
  const long = "x".repeat(257);
  await rejects(
    world.instances.patch(id, { action: "stop", alias: long }, null),
    answers(400, "Instance alias exceeds maximum length 256"),
  );
  await rejects(
    world.instances.patch(id, { alias: "b", meta: { tags: { [long]: "" } } }, null),
    answers(400, "Meta tag key exceeds maximum length 256"),
  );
  await rejects(
    world.instances.patch(id, { meta: { peer: { sid: long } } }, null),
    answers(400, "Meta peer.sid exceeds maximum length 256"),
  );
  const many = Object.fromEntries(Array.from({ length: 80 }, (_, index) => [`${index}`, "y".repeat(256)]));
  await rejects(
    world.instances.patch(id, { meta: { tags: many } }, null),
    answers(400, "Meta exceeds maximum size 16384"),
  );
  deepEqual([world.instances.get(id)?.alias, world.instances.get(id)?.meta], ["a", EMPTY_META]);
  equal(world.commands.length, 1);
  const changed = await world.instances.patch(id, {
    alias: "x".repeat(256),
    restart: false,
    meta: { peer: { type: "t" }, tags: { a: "1" } },
  }, null);
  deepEqual(changed.meta, { peer: { sid: "", type: "t", alias: "" }, tags: { a: "1" } });
  const kept = await world.instances.patch(id, { alias: "", meta: { peer: { sid: "s" } } }, null);
  deepEqual([kept.alias.length, kept.restart], [256, false]);
  deepEqual(kept.meta, { peer: { sid: "s", type: "t", alias: "" }, tags: { a: "1" } });
  deepEqual((await world.instances.patch(id, { meta: { tags: {} } }, null)).meta.tags, {});
  await world.instances.close();
});

test("counters are shown once they are on disk, go on over a restart, and never jump back but for a reset", async () => {
  const world = new InstancesWorld();
  const { id } = await world.instances.create({ url: URL_A, alias: "" });
  world.clock.advance(200);
  world.instances.events.status(id, "running", "");
  world.told();
  world.instances.events.checkpoint(id, GAUGES, received(100), DETAILS);
  deepEqual([world.instances.get(id)?.tcprx, world.told()], [0, []]);
  world.clock.advance(50);
  await settle();
  deepEqual([world.synced.at(-1), world.written.at(-1)?.instances[0]?.counters.tcprx], [false, 100]);
  deepEqual([world.instances.get(id)?.tcprx, world.instances.get(id)?.pool, world.told()], [100, 3, [
    "update running",
  ]]);

  world.failure = new NodePassError("no_space", "full");
  world.instances.events.checkpoint(id, GAUGES, received(5), DETAILS);
  world.clock.advance(1_000);
  await settle();
  deepEqual([world.instances.get(id)?.tcprx, world.told()], [100, ["update running"]]);
  world.failure = null;

  const gate = Promise.withResolvers<void>();
  world.hold = gate.promise;
  const resetting = world.instances.patch(id, { action: "reset" }, null);
  await settle();
  world.instances.events.checkpoint(id, GAUGES, received(7), DETAILS);
  gate.resolve();
  equal((await resetting).tcprx, 0);
  world.clock.advance(1_000);
  await settle();
  equal(world.instances.get(id)?.tcprx, 7);
  const stored = world.written.at(-1);
  const next = new InstancesWorld({ state: { ...stored, run: 2 } });
  equal(next.instances.get(id)?.tcprx, 7);
  next.instances.events.checkpoint(id, GAUGES, received(3), DETAILS);
  await next.instances.close();
  equal(next.written.at(-1)?.instances[0]?.counters.tcprx, 10);
  deepEqual(next.synced, [true]);
  await world.instances.close();
});

test("counters are on disk for good at least each minute", async () => {
  const world = new InstancesWorld();
  const { id } = await world.instances.create({ url: URL_A, alias: "" });
  world.synced.length = 0;
  for (let round = 0; round < 13; round++) {
    world.instances.events.checkpoint(id, GAUGES, received(1), DETAILS);
    world.clock.advance(5_000);
    await settle();
  }
  equal(world.synced.filter((sync) => sync).length, 1);
  equal(world.synced.length, 13);
  await world.instances.close();
});

test("the first update comes 100 ms after create, and stopped is shown 300 ms when it is restarted", async () => {
  const world = new InstancesWorld();
  const { id } = await world.instances.create({ url: URL_A, alias: "" });
  world.instances.events.status(id, "running", "");
  deepEqual(world.told(), ["create stopped"]);
  world.clock.advance(100);
  deepEqual(world.told(), []);
  world.clock.advance(50);
  deepEqual(world.told(), ["update running"]);
  for (
    const restart of [
      () => world.instances.patch(id, { action: "restart" }, null),
      () => world.instances.replaceUrl(id, URL_B, null),
    ]
  ) {
    equal((await restart()).status, "stopped");
    world.instances.events.status(id, "running", "");
    world.clock.advance(300);
    deepEqual(world.told(), ["update stopped"]);
    world.clock.advance(50);
    deepEqual(world.told(), ["update running"]);
  }
  equal(world.commands.filter((command) => command.startsWith("restart")).length, 2);
  await world.instances.close();
  equal(world.clock.pending, 0);
});

test("actions reach the supervisor, and what was on its way when somebody stopped it is no news", async () => {
  const world = new InstancesWorld();
  const { id } = await world.instances.create({ url: URL_A, alias: "" });
  await world.instances.patch(id, { action: "stop" }, null);
  world.instances.events.status(id, "running", "");
  equal(world.instances.get(id)?.status, "stopped");
  equal(world.written.at(-1)?.instances[0]?.wanted, false);
  await world.instances.patch(id, { action: "start" }, null);
  world.instances.events.status(id, "error", "Cannot listen: in use");
  equal(world.instances.get(id)?.status, "error");
  match(world.instances.logs(id, 10).join("\n"), /ERROR {2}Cannot listen: in use/);
  await world.instances.patch(id, { action: "start" }, null);
  await world.instances.remove(id, null);
  deepEqual(world.commands.map((command) => command.split(" ")[0]), ["start", "stop", "start", "restart", "stop"]);
  equal(world.told().at(-1), "delete stopped");
  equal(world.instances.get(id), null);
  world.instances.events.checkpoint(id, GAUGES, received(1), DETAILS);
  world.instances.events.log(id, "late");
  world.clock.advance(1_000);
  deepEqual(world.told(), []);
  await world.instances.close();
});

test("a start brings back what is to restart, with what it was made of", async () => {
  const stored = { url: URL_A, meta: EMPTY_META, counters: received(1), wanted: true };
  const world = new InstancesWorld({
    state: {
      instances: [
        { ...stored, id: "00000001", alias: "on", restart: true },
        { ...stored, id: "00000002", alias: "off", restart: false },
        { ...stored, id: "00000003", alias: "odd", restart: true, url: "server://nonsense" },
      ],
    },
  });
  deepEqual(world.commands.map((command) => command.split(" ", 2).join(" ")), ["start 00000001", "start 00000003"]);
  deepEqual(world.instances.list().map(({ id, type }) => `${id} ${type}`), [
    "******** ",
    "00000001 client",
    "00000002 client",
    "00000003 server",
  ]);
  await world.instances.close();
});

test("If-Match refuses a change that somebody else was faster with", async () => {
  const world = new InstancesWorld();
  const { id } = await world.instances.create({ url: URL_A, alias: "a" });
  const revision = world.instances.revision(id);
  const match = (text: string): boolean => text === revision;
  world.instances.events.checkpoint(id, GAUGES, received(9), DETAILS);
  equal(world.instances.revision(id), revision, "counters do not count");
  const results = await Promise.allSettled([
    world.instances.patch(id, { alias: "b" }, match),
    world.instances.patch(id, { alias: "c" }, match),
  ]);
  deepEqual(results.map(({ status }) => status), ["fulfilled", "rejected"]);
  notEqual(world.instances.revision(id), revision);
  for (const change of [world.instances.replaceUrl(id, URL_B, match), world.instances.remove(id, match)]) {
    await rejects(change, answers(412, /changed by somebody else/));
  }
  await rejects(world.instances.patch(API_KEY_ID, { action: "restart" }, match), answers(412, /somebody else/));
  await world.instances.close();
});

test("the API key is an instance that can only be renewed", async () => {
  const world = new InstancesWorld();
  const key = world.instances.get(API_KEY_ID);
  deepEqual([key?.url, key?.config, key?.type, key?.status], [API_KEY, "0123456789abcdef", "", ""]);
  const forbidden = answers(403, "Forbidden: API Key");
  await rejects(world.instances.replaceUrl(API_KEY_ID, URL_A, null), forbidden);
  await rejects(world.instances.remove(API_KEY_ID, null), forbidden);
  equal((await world.instances.patch(API_KEY_ID, { alias: "x", action: "stop" }, null)).alias, "");
  const renewed = await world.instances.patch(API_KEY_ID, { action: "restart" }, null);
  match(renewed.url, /^[0-9a-f]{32}$/);
  ok(!world.instances.isApiKey(API_KEY) && world.instances.isApiKey(renewed.url));
  for (const text of ["", renewed.url.slice(1), `${renewed.url}0`, renewed.url.toUpperCase() + " "]) {
    ok(!world.instances.isApiKey(text), text);
  }
  equal(world.written.at(-1)?.apiKey, renewed.url);
  equal(world.ended, 1);
  ok(world.events.every(({ instance }) => instance?.url === ""), "the key is in no event");
  await world.instances.setMasterAlias("m");
  equal(world.instances.get(API_KEY_ID)?.alias, "m");
  await rejects(
    world.instances.setMasterAlias("x".repeat(257)),
    answers(400, "Master alias exceeds maximum length 256"),
  );
  await world.instances.close();
});

test("the same URL again is a conflict, another one restarts, and an unknown id is not found", async () => {
  const world = new InstancesWorld();
  const { id } = await world.instances.create({ url: URL_A, alias: "" });
  await rejects(world.instances.replaceUrl(id, URL_A, null), answers(409, "Instance URL conflict"));
  await rejects(world.instances.replaceUrl("00000000", "x://", null), answers(404, "Instance not found"));
  await rejects(world.instances.replaceUrl(id, "x://", null), answers(400, "Invalid URL scheme"));
  await rejects(world.instances.sessions("00000000"), answers(404, "Instance not found"));
  const replaced = await world.instances.replaceUrl(id, URL_B, null);
  deepEqual([replaced.type, replaced.url], ["server", URL_B]);
  ok(world.instances.weakKey(id), "a key of one letter is weak");
  await world.instances.close();
});
