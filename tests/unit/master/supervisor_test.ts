import { deepEqual, equal, match, ok, test } from "../../harness.ts";
import { INTERVAL_MS, Scene, settled } from "./supervisor_fixture.ts";

const URL = "client://127.0.0.1:1/127.0.0.1:2";
const A = "aaaaaaaa";
const B = "bbbbbbbb";
const C = "cccccccc";

test("Supervisor starts engines on demand and puts each instance on the least loaded", () => {
  const { supervisor, engines, engine } = sceneParts(new Scene());
  equal(engines.length, 0);
  for (const id of [A, B, C]) supervisor.start(id, URL);
  equal(engines.length, 2);
  deepEqual(engine(0).started, ["aaaaaaaa-1", "cccccccc-1"]);
  deepEqual(engine(1).started, ["bbbbbbbb-1"]);
  supervisor.start(A, URL);
  equal(engine(0).commands.length, 2, "one that runs is left alone");
});

test("Supervisor tells a status once, and never from inside a call", async () => {
  const scene = new Scene();
  scene.supervisor.start(A, URL);
  scene.engine(0).state("aaaaaaaa-1", "running");
  scene.engine(0).state("aaaaaaaa-1", "running");
  scene.supervisor.stop(A);
  equal(scene.statuses.length, 0);
  equal(await scene.history(A), "running, stopped");
  scene.supervisor.stop(A);
  equal(await scene.history(A), "running, stopped");
});

test("Supervisor.restart() starts the new run when the old one's ports are free, and shows stopped for 300 ms", async () => {
  const scene = new Scene({ engines: 1 });
  scene.supervisor.start(A, URL);
  const engine = scene.engine(0);
  engine.state("aaaaaaaa-1", "running");
  scene.supervisor.restart(A, `${URL}?log=debug`);
  deepEqual(engine.commands.at(-1), { kind: "stop", run: "aaaaaaaa-1", graceMs: 5_000 });
  scene.clock.advance(50);
  engine.report({ kind: "released", run: "aaaaaaaa-1" });
  deepEqual(engine.commands.at(-1), {
    kind: "start",
    run: "aaaaaaaa-2",
    url: `${URL}?log=debug`,
    portWaitMs: 1_000,
  });
  engine.state("aaaaaaaa-2", "running");
  scene.clock.advance(249);
  equal(await scene.history(A), "running, stopped");
  scene.clock.advance(1);
  equal(await scene.history(A), "running, stopped, running");
});

test("Supervisor adds up what all runs of an instance counted, the draining ones too", () => {
  const scene = new Scene({ engines: 1 });
  scene.supervisor.start(A, URL);
  const engine = scene.engine(0);
  engine.checkpoint("aaaaaaaa-1", { tcprx: 10, tcps: 2, ping: 7, connections: 2, rejections: { slot: 3 } });
  scene.supervisor.restart(A, URL);
  engine.report({ kind: "released", run: "aaaaaaaa-1" });
  engine.checkpoint("aaaaaaaa-2", { tcprx: 100, tcps: 1, ping: 9, connections: 1, rejections: { slot: 1 } });
  engine.checkpoint("aaaaaaaa-1", { tcprx: 15, tcps: 1, connections: 2, rejections: { slot: 3 } });
  engine.checkpoint("aaaaaaaa-1", { tcprx: 16, tcps: 0, connections: 2, rejections: { slot: 3 } });
  engine.state("aaaaaaaa-1", "stopped");
  const sum = scene.checkpoints.reduce((sum, { delta }) => sum + delta.tcprx, 0);
  equal(sum, 116);
  equal(scene.checkpoints.reduce((sum, { connections }) => sum + connections, 0), 3);
  equal(scene.checkpoints.reduce((sum, { rejections }) => sum + (rejections.slot ?? 0), 0), 4);
  deepEqual(scene.checkpoints.map(({ gauges }) => gauges.tcps), [2, 3, 2, 1, 1]);
  deepEqual(scene.checkpoints.map(({ gauges }) => gauges.ping), [7, 9, 9, 9, 9]);
});

test("Supervisor tries an instance in error again, later each time, and at once when somebody asks", async () => {
  const scene = new Scene({ engines: 1 });
  scene.supervisor.start(A, URL);
  // Idle engines go while it waits for long.
  const started = (): string[] => scene.engines.flatMap((engine) => engine.started);
  const failed = (run: number): void => scene.engines.at(-1)!.state(`aaaaaaaa-${run}`, "error", "Cannot bind");
  const waits: number[] = [];
  for (let run = 1; run <= 10; run++) {
    failed(run);
    const began = scene.clock.now();
    while (started().length === run && scene.clock.now() - began < 100_000) scene.clock.advance(25);
    waits.push(scene.clock.now() - began);
  }
  deepEqual(waits, [375, 750, 1_500, 3_000, 6_000, 12_000, 24_000, 45_000, 45_000, 45_000]);
  equal(await scene.history(A), "error: Cannot bind");
  failed(11);
  scene.supervisor.restart(A, URL);
  equal(started().at(-1), "aaaaaaaa-12");
});

test("Supervisor starts instances of a dead engine on a fresh one, and those of two crashes each on its own", async () => {
  const scene = new Scene({ engines: 1 });
  for (const id of [A, B]) scene.supervisor.start(id, URL);
  scene.engine(0).ready();
  for (const id of [A, B]) scene.engine(0).state(`${id}-1`, "running");
  await scene.engine(0).die("signal SIGKILL");
  match(await scene.history(A), /^running, error: Its engine ended: signal SIGKILL$/);
  scene.clock.advance(1_000);
  deepEqual(scene.engine(1).started, ["aaaaaaaa-2", "bbbbbbbb-2"]);
  scene.supervisor.start(C, URL);
  scene.engine(1).ready();
  await scene.engine(1).die("signal SIGKILL");
  scene.clock.advance(2_000);
  const own = scene.supervisor.engines().filter(({ own }) => own).map(({ instances }) => instances.join());
  deepEqual(own.sort(), [A, B]);
  const shared = scene.supervisor.engines().filter(({ own }) => !own).map(({ instances }) => instances.join());
  deepEqual(shared, [C]);
  scene.supervisor.stop(A);
  scene.supervisor.start(A, URL);
  ok(scene.supervisor.engines().some(({ own, instances }) => own && instances.includes(A)), "it stays apart");
});

test("Supervisor does not count an engine that never came up as a crash of what should run on it", async () => {
  const scene = new Scene({ engines: 1 });
  for (const id of [A, B]) scene.supervisor.start(id, URL);
  for (let index = 0; index < 4; index++) {
    await scene.engine(index).die("exit code 1");
    scene.clock.advance(20_000);
  }
  ok(scene.supervisor.engines().every(({ own }) => !own));
});

test("Supervisor ends an engine that says nothing for three intervals, not one that says something", async () => {
  const scene = new Scene({ engines: 2 });
  for (const id of [A, B]) scene.supervisor.start(id, URL);
  for (const [index, id] of [A, B].entries()) {
    scene.engine(index).ready();
    scene.engine(index).state(`${id}-1`, "running");
  }
  for (let interval = 0; interval < 4; interval++) {
    ok(!scene.engine(0).killed);
    scene.engine(1).checkpoint(`${B}-1`);
    scene.clock.advance(INTERVAL_MS);
  }
  ok(scene.engine(0).killed);
  ok(!scene.engine(1).killed);
  match(await scene.history(A), /^running, error: Its engine ended/);
  equal(await scene.history(B), "running");
});

test("Supervisor starts an instance without checkpoints again, while others on its engine go on", async () => {
  const scene = new Scene({ engines: 1 });
  for (const id of [A, B]) scene.supervisor.start(id, URL);
  const engine = scene.engine(0);
  engine.ready();
  for (const id of [A, B]) engine.state(`${id}-1`, "running");
  for (let interval = 0; interval < 4; interval++) {
    engine.checkpoint(`${B}-1`);
    scene.clock.advance(INTERVAL_MS);
  }
  equal(await scene.history(A), "running, error: No checkpoint for 15s");
  deepEqual(engine.commands.at(-1), { kind: "stop", run: "aaaaaaaa-1", graceMs: 0 });
  engine.report({ kind: "released", run: "aaaaaaaa-1" });
  scene.clock.advance(1_000);
  equal(engine.started.at(-1), "aaaaaaaa-2");
  engine.state("aaaaaaaa-2", "running");
  match(await scene.history(A), /running$/);
});

test("Supervisor.startAll() spreads a start: 100 ms apart, several at once beyond twenty", () => {
  for (const [count, expected] of [[10, 1], [50, 3], [200, 10]] as const) {
    const scene = new Scene({ engines: 1 });
    scene.supervisor.startAll(Array.from({ length: count }, (_, index) => ({ id: `i${index}`, url: URL })));
    const started = (): number => scene.engine(0).started.length;
    equal(started(), expected);
    scene.clock.advance(100);
    equal(started(), 2 * expected);
    scene.clock.advance(2_000);
    equal(started(), count);
  }
});

test("Supervisor.stop() takes back a start that has not come to its turn", () => {
  const scene = new Scene({ engines: 1 });
  scene.supervisor.startAll([{ id: A, url: URL }, { id: B, url: URL }]);
  scene.supervisor.stop(B);
  scene.clock.advance(5_000);
  deepEqual(scene.engine(0).started, ["aaaaaaaa-1"]);
});

test("Supervisor ends an engine that nothing runs on after a while, one of its own at once", async () => {
  const scene = new Scene({ engines: 1 });
  scene.supervisor.start(A, URL);
  scene.engine(0).ready();
  scene.engine(0).state(`${A}-1`, "running");
  scene.supervisor.stop(A);
  scene.engine(0).state(`${A}-1`, "stopped");
  scene.clock.advance(25_000);
  scene.supervisor.start(B, URL);
  equal(scene.engines.length, 1);
  scene.clock.advance(10_000);
  ok(!scene.engine(0).ending);
  scene.supervisor.stop(B);
  scene.engine(0).state(`${B}-1`, "stopped");
  scene.clock.advance(30_000);
  ok(scene.engine(0).ending);
  await scene.engine(0).die("exit code 0");
  ok(!scene.logger.lines.some(({ level }) => level === "error"));
  const apart = new Scene({ isolation: "process" });
  apart.supervisor.start(A, URL);
  apart.supervisor.stop(A);
  apart.engine(0).state(`${A}-1`, "stopped");
  apart.clock.advance(0);
  ok(apart.engine(0).ending);
});

test("Supervisor asks every run for its sessions and tells them apart", async () => {
  const scene = new Scene({ engines: 1 });
  scene.supervisor.start(A, URL);
  const engine = scene.engine(0);
  engine.state(`${A}-1`, "running");
  scene.supervisor.restart(A, URL);
  engine.report({ kind: "released", run: `${A}-1` });
  const asked = scene.supervisor.sessions(A);
  const questions = engine.commands.filter((command) => command.kind === "sessions");
  equal(questions.map(({ run }) => run).join(), `${A}-2,${A}-1`);
  const session = { id: "1", protocol: "tcp", visitor: "a:1", target: "", ageMs: 0, rx: 0, tx: 0 } as const;
  for (const { request } of questions) engine.report({ kind: "sessions", request, sessions: [session] });
  deepEqual((await asked).map(({ id }) => id), ["2-1", "1-1"]);
  const ended = scene.supervisor.endSession(A, "1-1");
  const question = engine.commands.at(-1);
  ok(question?.kind === "end_session" && question.run === `${A}-1` && question.session === "1");
  engine.report({ kind: "session_ended", request: question.request, found: true });
  equal(await ended, true);
  for (const id of ["3-1", "1", "", "x-1"]) equal(await scene.supervisor.endSession(A, id), false);
  const unanswered = scene.supervisor.sessions(A);
  scene.clock.advance(2_000);
  deepEqual(await unanswered, []);
});

test("Supervisor.close() ends every engine, kills one that stays, tells no status and leaves no timer", async () => {
  const scene = new Scene({ engines: 2 });
  for (const id of [A, B]) scene.supervisor.start(id, URL);
  for (const [index, id] of [A, B].entries()) scene.engine(index).state(`${id}-1`, "running");
  await settled();
  const closing = scene.supervisor.close({ graceMs: 1_000 });
  equal(scene.engine(0).commands.at(-1)!.kind, "stop");
  scene.engine(0).checkpoint(`${A}-1`, { tcprx: 5 });
  scene.engine(0).state(`${A}-1`, "stopped");
  await scene.engine(0).die("exit code 0");
  scene.clock.advance(2_000);
  ok(scene.engine(1).killed);
  await closing;
  equal(scene.clock.pending, 0);
  equal(await scene.history(A), "running");
  equal(scene.checkpoints.at(-1)!.delta.tcprx, 5);
  scene.supervisor.start(C, URL);
  equal(scene.engines.length, 2);
});

function sceneParts(scene: Scene): Pick<Scene, "supervisor" | "engines" | "engine"> {
  return { supervisor: scene.supervisor, engines: scene.engines, engine: (index) => scene.engine(index) };
}
