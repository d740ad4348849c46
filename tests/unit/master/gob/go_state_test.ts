/** The state of a Go master as a state of ours, and back. */
import { emptyGoInstance, type GoInstance, writeGoInstances } from "../../../../src/master/gob/go_instance.ts";
import { fromGoState, toGoState } from "../../../../src/master/gob/go_state.ts";
import { systemRandom } from "../../../../src/runtime/random.ts";
import { deepEqual, equal, match, ok, test } from "../../../harness.ts";
import { instanceOf, stateOf } from "../state_file_fixture.ts";
import { goInstances, recorded } from "./fixtures.ts";

const KEY = "00112233445566778899aabbccddeeff";

function imported(instances: Readonly<Record<string, Partial<GoInstance>>>): ReturnType<typeof fromGoState> {
  const all = Object.entries(instances).map(([id, instance]) =>
    [id, { ...emptyGoInstance, ID: id, ...instance }] as const
  );
  return fromGoState(writeGoInstances(new Map(all)), systemRandom);
}

test("fromGoState() keeps what a Go master 1.14 has", async () => {
  const { state, newKey, changes } = fromGoState(await recorded("state-1.14"), systemRandom);
  const counters = { tcprx: 0, tcptx: 0, udprx: 0, udptx: 0 };
  deepEqual(state, {
    masterId: "f378ec6f25ae10fa",
    alias: "m1",
    apiKey: "b80b310d12a9752c77c5ed16cca18a2d",
    run: 0,
    wire: "1.14",
    instances: [
      {
        id: "4330cbd7",
        alias: "",
        url: "client://k@127.0.0.1:10101/127.0.0.1:5302?log=info&min=8",
        restart: true,
        wanted: true,
        meta: { peer: { sid: "", type: "", alias: "" }, tags: {} },
        counters,
        wire: "1.14",
      },
      {
        id: "ac881219",
        alias: "srv2",
        url: "server://k@127.0.0.1:10101/127.0.0.1:10022?log=info&tls=0",
        restart: false,
        wanted: true,
        meta: { peer: { sid: "s", type: "t", alias: "p" }, tags: { region: "eu" } },
        counters,
        wire: "1.14",
      },
    ],
  });
  equal(newKey, false);
  deepEqual(changes, ["2 instances without wire= in the URL keep speaking wire=1.14 to Go peers"]);
});

test("fromGoState() makes a master id for a Go master 1.6 and keeps its key", async () => {
  const { state, newKey, changes } = fromGoState(await recorded("state-1.6"), systemRandom);
  match(state.masterId, /^[0-9a-f]{16}$/);
  deepEqual([state.apiKey, newKey], ["dca376a5bf17a8c5e99569e13bae608f", false]);
  deepEqual(state.instances.map(({ id, alias, meta }) => [id, alias.length, meta.tags]), [
    ["05dcfe4f", 257, {}],
    ["12d24286", 0, {}],
  ]);
  deepEqual(changes.slice(1), ["a new master id was made: none was there"]);
});

test("fromGoState() keeps counters as far as 53 bits go, and says so", async () => {
  const { state, changes } = fromGoState(await recorded("state-rich"), systemRandom);
  deepEqual(state.instances.map(({ counters }) => counters.tcprx), [0, 1, 2, 3, 4].map((n) => n * 2 ** 40));
  ok(state.instances.every(({ counters }) => counters.tcptx === Number.MAX_SAFE_INTEGER));
  ok(changes.includes("5 counters beyond 9007199254740991 were set to it"));
  deepEqual(state.instances[1]?.meta, { peer: { sid: "s", type: "1", alias: "é" }, tags: { k: "", region: "eu" } });
  equal(state.alias, "主控-α");
});

test("fromGoState() makes what is missing and keeps every instance", () => {
  const URL = "client://k@127.0.0.1:1/127.0.0.1:2?wire=secure";
  const { state, newKey, changes } = imported({
    "one": { URL },
    "0000000a": { URL },
    "0000000A": { URL, Alias: "up" },
  });
  match(state.apiKey, /^[0-9a-f]{32}$/);
  ok(newKey);
  equal(state.instances.length, 3);
  ok(state.instances.every(({ id, url, wire }) => /^[0-9a-f]{8}$/.test(id) && url === URL && wire === undefined));
  const { id = "" } = state.instances.find(({ alias }) => alias === "up") ?? {};
  ok(changes.includes(`instance "0000000A" is ${id} now`));
  deepEqual(changes.slice(-2), ["a new API key was made: none was there", "a new master id was made: none was there"]);
});

test("fromGoState() names instances that cannot run here, without their keys", () => {
  const { changes } = imported({
    "********": { URL: KEY },
    "0000000a": { URL: "client://hunter2@127.0.0.1:1/127.0.0.1:2?mode=9" },
    "0000000b": {},
  });
  match(changes.join("\n"), /^instance 0000000a cannot run: Invalid URL: Parameter "mode" is "9": expected/m);
  match(changes.join("\n"), /^instance 0000000b cannot run: /m);
  ok(!changes.join().includes("hunter2"));
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`${10_000_000 + index}`, {}]));
  ok(imported(many).changes.includes("20 more of this kind"));
});

test("A state that went to a Go master and back is the same", () => {
  const instances = [
    instanceOf(1),
    { ...instanceOf(2), url: "client://k@127.0.0.1:1/127.0.0.1:2?mode=1" },
    { ...instanceOf(3), wire: "1.14" as const },
    { ...instanceOf(4), url: "server://k@:1/:2?wire=1.14" },
  ];
  for (const wire of ["secure", "1.14"] as const) {
    const state = stateOf(0, { run: 0, wire, instances });
    const { state: back } = fromGoState(toGoState(state).bytes, systemRandom);
    const effective = (url: string): object => wire === "1.14" && !url.includes("wire=") ? { wire } : {};
    deepEqual(back, {
      ...state,
      instances: instances.map((instance) => ({ ...instance, ...effective(instance.url) })),
    });
  }
});

test("toGoState() is the same for the same state, and says what a Go master cannot run", () => {
  const state = stateOf(3);
  const { bytes, notes } = toGoState(state);
  deepEqual(toGoState({ ...state, instances: [...state.instances].reverse() }).bytes, bytes);
  match(notes.join(), /^3 instances with wire=secure/);
  deepEqual(toGoState(stateOf(3, { wire: "1.14" })).notes, []);
  const read = new Map(goInstances(bytes));
  deepEqual([...read.keys()], ["********", "00000000", "00000001", "00000002"]);
  const instance = read.get("00000001");
  deepEqual([instance?.Type, instance?.Status, instance?.Config, instance?.Restart], ["server", "stopped", "", false]);
  deepEqual([instance?.TCPTX, instance?.TCPTXBase, instance?.TCPTXReset], [2n, 2n, 0n]);
  deepEqual([read.get("********")?.URL, read.get("********")?.Config], [state.apiKey, state.masterId]);
});
