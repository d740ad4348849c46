import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { formatAddress } from "../../src/address/ip.ts";
import { defaultSettings } from "../../src/config/settings.ts";
import type { EngineReport } from "../../src/report/messages.ts";
import { engineProcesses } from "../../src/start/engines.ts";
import { deepEqual, equal, match, ok, underDeno } from "../harness.ts";
import { freePort, LinesLogger, ownedTest, runtime } from "../unit/tunnel/forward_fixture.ts";
import { forwarderUrl, signalTo, Supervised } from "./engine_fixture.ts";
import { KEY } from "./in_process.ts";
import { askUdp, until, within } from "./load.ts";
import { UdpVisitor } from "../unit/tunnel/forward_fixture.ts";
import { Target } from "./targets.ts";
import { ask, bytesOf, firstWords, visit } from "./visitors.ts";

/** Whether a process is there: a zombie, whose owner is gone, is not. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** Waits until something can listen there; the time that took. */
async function msUntilFree(port: number): Promise<number> {
  const began = performance.now();
  for (;;) {
    try {
      (await runtime.net.listen({ host: "127.0.0.1", port })).close();
      return performance.now() - began;
    } catch {
      ok(performance.now() - began < 5_000, `port ${port} stays taken`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}

ownedTest("engine: without an owner it listens no more at once, drains, and goes", async (own) => {
  const target = await own(Target.listen());
  const reports: EngineReport[] = [];
  const settings = { ...defaultSettings, shutdownTimeoutMs: 10_000 };
  const link = engineProcesses({ runtime, settings, logger: new LinesLogger() })((report) => void reports.push(report));
  await own({ [Symbol.dispose]: () => link.kill() });
  const port = await freePort();
  link.send({ kind: "start", run: "aa-1", url: forwarderUrl(port, formatAddress(target.address)), portWaitMs: 0 });
  await until("it runs", () => reports.some((report) => report.kind === "state"), 20_000);
  deepEqual(reports[0], { kind: "ready", pid: link.pid, version: "1.0.0" });
  const visitor = await visit({ host: "127.0.0.1", port });
  await visitor.write(bytesOf("old"));
  equal(await firstWords(visitor), "old");
  link.end();
  const ms = await msUntilFree(port);
  ok(ms < 1_000, `its port was taken for ${ms} ms`);
  await visitor.write(bytesOf("still"));
  equal(await firstWords(visitor), "still");
  visitor.close();
  equal(await within(8_000, "its end", link.ended), "exit code 0");
  const kinds = reports.slice(-3).map(({ kind }) => kind).join(" ");
  match(kinds, /checkpoint state$/);
});

ownedTest("engine: when its owner is killed with -9, its ports are free at once and it goes", async (own) => {
  const target = await own(Target.listen());
  const port = await freePort();
  const owner = runtime.processes.spawn({
    command: runtime.process.execPath,
    args: [
      ...(underDeno ? ["run", "-A", "--no-check"] : ["--disable-warning=ExperimentalWarning"]),
      fileURLToPath(new URL("./engine_owner_child.ts", import.meta.url)),
      forwarderUrl(port, formatAddress(target.address)),
    ],
    env: { NP_SHUTDOWN_TIMEOUT: "5s" },
  });
  await own({ [Symbol.dispose]: () => owner.kill() });
  let said = "";
  owner.onOutput((bytes) => said += new TextDecoder().decode(bytes));
  await until("the engine of the child runs", () => said.endsWith("\n"), 20_000);
  equal(await ask({ host: "127.0.0.1", port }, "hello"), "hello");
  owner.kill();
  const ms = await msUntilFree(port);
  ok(ms < 1_000, `its port was taken for ${ms} ms`);
  await until("the engine has gone", () => !isAlive(Number(said)), 10_000);
});

ownedTest("engine: one that hangs is ended, and its instances run on another", async (own) => {
  const target = await own(Target.listen());
  const all = await own(new Supervised({ settings: { reportIntervalMs: 700 } }));
  const port = await freePort();
  all.supervisor.start("aaaaaaaa", forwarderUrl(port, formatAddress(target.address)));
  await all.reaches("aaaaaaaa", "running");
  const pid = all.supervisor.engines()[0]!.pid!;
  await signalTo(pid, "STOP");
  await until("it runs again", () => all.of("aaaaaaaa").history === "running error running", 30_000);
  ok(all.supervisor.engines()[0]!.pid !== pid);
  ok(all.logger.lines.some(({ message }) => message === "Engine does not answer: it is ended"));
  equal(await ask({ host: "127.0.0.1", port }, "again"), "again");
});

for (const flow of ["reverse", "forward"] as const) {
  ownedTest(
    `engine: a server restarted between its client and an old visitor serves new ones soon (${flow})`,
    async (own) => {
      const target = await own(Target.listen());
      const all = await own(new Supervised());
      const [tunnel, entry] = [await freePort(), await freePort()];
      const [near, far] = [`127.0.0.1:${entry}`, formatAddress(target.address)];
      const [serverSide, clientSide] = flow === "reverse" ? [near, far] : [far, near];
      const mode = flow === "reverse" ? 1 : 2;
      const server = `server://${KEY}@127.0.0.1:${tunnel}/${serverSide}?mode=${mode}&tls=0`;
      const client = `client://${KEY}@127.0.0.1:${tunnel}/${clientSide}?mode=2&min=2`;
      all.supervisor.start("aaaaaaaa", server);
      await all.reaches("aaaaaaaa", "running");
      all.supervisor.start("bbbbbbbb", client);
      await all.reaches("bbbbbbbb", "running");
      const at = { host: "127.0.0.1", port: entry };
      await until("the tunnel stands", () => all.of("bbbbbbbb").lines.some((line) => line.includes("handshaked")));
      const old = await visit(at);
      await old.write(bytesOf("before"));
      equal(await firstWords(old), "before");
      const udp = await own(UdpVisitor.bind(at));
      equal(new TextDecoder().decode(await askUdp(udp, bytesOf("datagram"))), "datagram");
      for (const [id, url] of [["aaaaaaaa", server], ["bbbbbbbb", client]] as const) {
        const began = performance.now();
        all.supervisor.restart(id, url);
        let answer = "";
        await until("a new visitor is served", () => {
          if (answer === "") {
            answer = "asked";
            ask(at, id).then((text) => answer = text, () => answer = "");
          }
          return answer === id;
        });
        const gap = performance.now() - began;
        // A loaded machine may take longer; what counts is that nobody waits for the old session.
        ok(gap <= 2_000, `new visitors waited ${gap} ms for the restart of ${id}`);
        await until("it runs", () => all.of(id).history === "running stopped running");
      }
      await old.write(bytesOf("after"));
      equal(await firstWords(old), "after");
      equal(new TextDecoder().decode(await askUdp(udp, bytesOf("datagram"))), "datagram");
      old.close();
    },
  );
}
