import { formatAddress } from "../../src/address/ip.ts";
import { equal, match, ok } from "../harness.ts";
import { freePort, ownedTest, runtime } from "../unit/tunnel/forward_fixture.ts";
import { forwarderUrl, signalTo, Supervised } from "./engine_fixture.ts";
import { echoTcp, until } from "./load.ts";
import { Target } from "./targets.ts";
import { ask, bytesOf, firstWords, visit } from "./visitors.ts";

ownedTest("engine: an instance starts, serves, reports and stops in a process of its own", async (own) => {
  const target = await own(Target.listen());
  const all = await own(new Supervised());
  const port = await freePort();
  all.supervisor.start("aaaaaaaa", forwarderUrl(port, formatAddress(target.address)));
  await all.reaches("aaaaaaaa", "running");
  equal(await ask({ host: "127.0.0.1", port }, "hello"), "hello");
  const visitor = await visit({ host: "127.0.0.1", port });
  await visitor.write(bytesOf("x"));
  await firstWords(visitor);
  const [session] = await all.supervisor.sessions("aaaaaaaa");
  equal(session?.protocol, "tcp");
  equal(session?.target, formatAddress(target.address));
  ok(await all.supervisor.endSession("aaaaaaaa", session!.id));
  equal(await all.supervisor.endSession("aaaaaaaa", "7-7"), false);
  equal(await firstWords(visitor), "");
  visitor.close();
  all.supervisor.stop("aaaaaaaa");
  await until("the last bytes are counted", () => all.of("aaaaaaaa").counters.tcprx === 6);
  equal(all.of("aaaaaaaa").counters.tcptx, 6);
  equal(all.of("aaaaaaaa").history, "running stopped");
  await until("the engine has no run", () => all.supervisor.engines()[0]?.instances.length === 0);
  ok(all.of("aaaaaaaa").lines.some((line) => line.includes("Forwarding visitors")));
  ok(!all.of("aaaaaaaa").lines.some((line) => line.includes("CHECK_POINT")));
});

ownedTest("engine: what cannot start is an error that says why, and starts once it can", async (own) => {
  const target = await own(Target.listen());
  const all = await own(new Supervised());
  const taken = await runtime.net.listen({ host: "127.0.0.1", port: 0 });
  const { port } = taken.local;
  all.supervisor.start("aaaaaaaa", forwarderUrl(port, formatAddress(target.address), "noudp=1"));
  all.supervisor.start("bbbbbbbb", "server://127.0.0.1:0/");
  await all.reaches("aaaaaaaa", "error");
  await all.reaches("bbbbbbbb", "error");
  match(all.of("aaaaaaaa").statuses.at(-1)!.message, /address.*in use/i);
  match(all.of("bbbbbbbb").statuses.at(-1)!.message, /Target address is missing/);
  taken.close();
  await all.reaches("aaaaaaaa", "running");
});

ownedTest("engine: killed with -9, its instances are in error and run again on another one", async (own) => {
  const target = await own(Target.listen());
  const all = await own(new Supervised());
  const ids = ["aaaaaaaa", "bbbbbbbb"];
  const ports = [await freePort(), await freePort()];
  for (const [index, id] of ids.entries()) {
    all.supervisor.start(id, forwarderUrl(ports[index]!, formatAddress(target.address)));
  }
  for (const id of ids) await all.reaches(id, "running");
  const first = all.supervisor.engines()[0]!.pid!;
  await signalTo(first, "KILL");
  await until("both have run again", () => ids.every((id) => all.of(id).history === "running error running"), 20_000);
  equal(all.supervisor.engines().length, 1);
  for (const port of ports) equal(await ask({ host: "127.0.0.1", port }, "again"), "again");
  await signalTo(all.supervisor.engines()[0]!.pid!, "KILL");
  await until("each has an engine of its own", () => {
    const engines = all.supervisor.engines();
    return engines.length === 2 && engines.every(({ own, instances }) => own && instances.length === 1);
  }, 20_000);
  for (const id of ids) await all.reaches(id, "running");
});

ownedTest("engine: isolation=process gives each instance its own, which ends with it", async (own) => {
  const target = await own(Target.listen());
  const all = await own(new Supervised({ isolation: "process" }));
  for (const id of ["aaaaaaaa", "bbbbbbbb"]) {
    all.supervisor.start(id, forwarderUrl(await freePort(), formatAddress(target.address)));
  }
  for (const id of ["aaaaaaaa", "bbbbbbbb"]) await all.reaches(id, "running");
  equal(all.supervisor.engines().length, 2);
  all.supervisor.stop("aaaaaaaa");
  await until("its engine has gone", () => all.supervisor.engines().length === 1);
  await signalTo(all.supervisor.engines()[0]!.pid!, "KILL");
  await until("it runs again", () => all.of("bbbbbbbb").history === "running error running", 20_000);
});

ownedTest(
  "engine: a restart serves new visitors at once, old sessions go on and count, others lose nothing",
  async (own) => {
    const target = await own(Target.listen());
    const all = await own(new Supervised());
    const [port, otherPort] = [await freePort(), await freePort()];
    const url = forwarderUrl(port, formatAddress(target.address));
    all.supervisor.start("aaaaaaaa", url);
    all.supervisor.start("bbbbbbbb", forwarderUrl(otherPort, formatAddress(target.address)));
    await all.reaches("aaaaaaaa", "running");
    await all.reaches("bbbbbbbb", "running");
    equal(all.supervisor.engines().length, 1);
    const stream = echoTcp({ host: "127.0.0.1", port: otherPort }, 20_000_000, 3);
    const old = await visit({ host: "127.0.0.1", port });
    await old.write(bytesOf("before"));
    equal(await firstWords(old), "before");
    const began = performance.now();
    all.supervisor.restart("aaaaaaaa", url);
    let gap = NaN;
    await until("a new visitor is served by the new run", () => {
      if (Number.isNaN(gap)) {
        gap = 0;
        void ask({ host: "127.0.0.1", port }, "new").then((answer) => {
          gap = answer === "new" ? performance.now() - began : NaN;
        }, () => {
          gap = NaN;
        });
      }
      return gap > 0;
    });
    await old.write(bytesOf("after"));
    equal(await firstWords(old), "after");
    old.close();
    await stream;
    await until("all bytes are counted", () => all.of("aaaaaaaa").counters.tcprx >= 11, 15_000);
    await until("stopped was shown", () => all.of("aaaaaaaa").history === "running stopped running");
    const [, stopped, running] = all.of("aaaaaaaa").statuses;
    ok(running!.at - stopped!.at >= 295, `stopped was visible for ${running!.at - stopped!.at} ms`);
    // A loaded machine may take longer; what counts is that nobody waits for the old session.
    ok(gap <= 1_000, `new visitors waited ${gap} ms`);
  },
);

ownedTest("engine: fifty instances share one, and a stop frees the ports of each within a moment", async (own) => {
  const target = await own(Target.listen());
  const all = await own(new Supervised());
  const ports: number[] = [];
  while (ports.length < 50) {
    const port = await freePort();
    if (!ports.includes(port)) ports.push(port);
  }
  const list = ports.map((port, index) => ({
    id: index.toString(16).padStart(8, "0"),
    url: forwarderUrl(port, formatAddress(target.address)),
  }));
  all.supervisor.startAll(list);
  for (const { id } of list) await all.reaches(id, "running", 30_000);
  equal(all.supervisor.engines().length, 1);
  const answers = await Promise.all(ports.map((port) => ask({ host: "127.0.0.1", port }, `at ${port}`)));
  equal(answers.join(), ports.map((port) => `at ${port}`).join());
  for (const { id } of list) all.supervisor.stop(id);
  await until("no instance is left", () => all.supervisor.engines()[0]?.instances.length === 0);
  for (const port of ports) (await runtime.net.listen({ host: "127.0.0.1", port })).close();
});

ownedTest("engine: in this process, instances start, restart and stop as in others", async (own) => {
  const target = await own(Target.listen());
  const all = await own(new Supervised({ engines: 0 }));
  const port = await freePort();
  const url = forwarderUrl(port, formatAddress(target.address));
  all.supervisor.start("aaaaaaaa", url);
  await all.reaches("aaaaaaaa", "running");
  equal(await ask({ host: "127.0.0.1", port }, "hello"), "hello");
  all.supervisor.restart("aaaaaaaa", url);
  await until("it has restarted", () => all.of("aaaaaaaa").history === "running stopped running");
  equal(await ask({ host: "127.0.0.1", port }, "hello"), "hello");
  equal(all.supervisor.engines()[0]?.pid, null);
  all.supervisor.stop("aaaaaaaa");
  await until("bytes are counted", () => all.of("aaaaaaaa").counters.tcptx === 10);
});
