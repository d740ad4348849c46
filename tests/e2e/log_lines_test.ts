/** The lines that other programs read, their JSON form, and the key that no output ever shows. */
import { deepEqual, equal, match, ok } from "../harness.ts";
import { freePort } from "../unit/tunnel/forward_fixture.ts";
import { type Flow, startForwarder, startPair, TEST_KEY } from "./ends.ts";
import { echoTcp, echoUdp } from "./load.ts";
import { nodeMissing, type NodePassProcess, startCommand, startUrl } from "./process.ts";
import { Target } from "./targets.ts";

const LINE = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} {2}(DEBUG|INFO|WARN|ERROR|EVENT) {2}\S/;
const CHECKPOINT = new RegExp(
  "  EVENT  CHECK_POINT\\|MODE=([012])\\|PING=(\\d+)ms\\|POOL=(\\d+)\\|TCPS=(\\d+)\\|UDPS=(\\d+)" +
    "\\|TCPRX=(\\d+)\\|TCPTX=(\\d+)\\|UDPRX=(\\d+)\\|UDPTX=(\\d+)$",
);
const env = { NP_REPORT_INTERVAL: "500ms" };
const runtimes = (["deno", "node"] as const).filter((runtime) => runtime === "deno" || nodeMissing === undefined);

/** Waits for the next checkpoints of a process and returns the numbers of the last one. */
async function checkpoints(end: NodePassProcess, count: number): Promise<number[]> {
  let line = "";
  for (let from = end.lines.length; count > 0; count--) {
    line = await end.line("CHECK_POINT", { from });
    from = end.lines.indexOf(line, from) + 1;
  }
  const found = CHECKPOINT.exec(line);
  ok(found !== null, line);
  return found.slice(1).map(Number);
}

/** Milliseconds between the checkpoints of a process so far. */
function intervals(end: NodePassProcess): number[] {
  const times = end.lines.filter((line) => line.includes("CHECK_POINT")).map((line) => Date.parse(line.slice(0, 23)));
  return times.slice(1).map((time, index) => time - times[index]!);
}

for (const runtime of runtimes) {
  for (const flow of ["reverse", "forward"] as const satisfies readonly Flow[]) {
    Deno.test(`a tunnel writes checkpoints and the handshake (${flow}, ${runtime})`, async () => {
      await using target = await Target.listen();
      await using pair = await startPair({
        targets: [target.address],
        flow,
        server: runtime,
        client: runtime,
        env,
        key: TEST_KEY,
      });
      for (const end of [pair.server, pair.client]) {
        const words = /Tunnel handshaked: 127\.0\.0\.1:\d+ <-> 127\.0\.0\.1:\d+ in \d+ms$/;
        match(await end.line(/Tunnel handshaked/), words);
      }
      await echoTcp(pair.entry, 5_000, 1);
      await echoUdp(pair.entry);
      const [server, client] = await Promise.all([checkpoints(pair.server, 3), checkpoints(pair.client, 3)]);
      equal(server[0], flow === "reverse" ? 1 : 2);
      equal(client[0], 2);
      for (const [, , pool, , udps, tcpRx, tcpTx, udpRx, udpTx] of [server, client]) {
        ok(pool! >= 8, `pool ${pool}`);
        deepEqual([udps, tcpRx, tcpTx], [1, 5_000, 5_000]);
        ok(udpRx! >= 75_708 && udpTx! >= 75_708);
      }
      for (const end of [pair.server, pair.client]) {
        for (const ms of intervals(end)) ok(ms >= 300 && ms <= 2_500, `${ms} ms between checkpoints`);
        for (const line of end.lines) match(line, LINE);
        ok(!end.output.includes(TEST_KEY), "the key was written");
        deepEqual(end.errorLines, []);
      }
    });
  }

  Deno.test(`a forwarder, a waiting server and a client without one write checkpoints too (${runtime})`, async () => {
    await using target = await Target.listen();
    const { process: forwarder, entry } = await startForwarder({ targets: [target.address], client: runtime, env });
    await using _ = forwarder;
    await using server = startUrl(`server://${TEST_KEY}@127.0.0.1:0/127.0.0.1:0?mode=1`, { runtime, env });
    const nobody = `client://${TEST_KEY}@127.0.0.1:${await freePort()}/127.0.0.1:9?mode=2`;
    await using client = startUrl(nobody, { runtime, env });
    await echoTcp(entry, 4_000, 1);
    deepEqual(await checkpoints(forwarder, 2), [1, 0, 0, 0, 0, 4_000, 4_000, 0, 0]);
    deepEqual(await checkpoints(server, 2), [1, 0, 0, 0, 0, 0, 0, 0, 0]);
    deepEqual(await checkpoints(client, 2), [2, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  Deno.test(`log=event shows checkpoints and errors only, log=none nothing (${runtime})`, async () => {
    const url = `client://${TEST_KEY}@127.0.0.1:${await freePort()}/127.0.0.1:9?mode=2`;
    await using events = startUrl(`${url}&log=event`, { runtime, env });
    await using silent = startUrl(`${url}&log=none`, { runtime, env });
    await checkpoints(events, 3);
    for (const line of events.lines) match(line, / {2}(EVENT {2}CHECK_POINT\||ERROR {2}Client error: )/);
    deepEqual(silent.lines, []);
  });

  Deno.test(`--log-format json writes one object a line (${runtime})`, async () => {
    await using target = await Target.listen();
    const url = `client://127.0.0.1:0/127.0.0.1:${target.address.port}?mode=1&log=debug`;
    await using forwarder = startUrl(url, { runtime, env, flags: ["--log-format", "json"] });
    const started = JSON.parse(await forwarder.line("Forwarding visitors"));
    await echoTcp({ host: "127.0.0.1", port: Number(/:(\d+)$/.exec(started.listening)?.[1]) }, 3_000, 1);
    const ended = JSON.parse(await forwarder.line("Session ended"));
    deepEqual([ended.level, ended.protocol, ended.rx, ended.tx, ended.reason], ["INFO", "tcp", 3_000, 3_000, "done"]);
    ok(typeof ended.session === "string" && ended.session !== "");
    for (const line of forwarder.lines) {
      const { time, level, message } = JSON.parse(line);
      match(time, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
      ok(["DEBUG", "INFO", "WARN", "ERROR", "EVENT"].includes(level) && typeof message === "string", line);
    }
  });

  Deno.test(`the key is in no output, whatever goes wrong (${runtime})`, async () => {
    const key = "a%20very-secret-key-of-mine";
    const tails = [
      `127.0.0.1:0/127.0.0.1:0?mode=1&log=debug`,
      `127.0.0.1:0/127.0.0.1:0?mode=9&slot=x&unknown=1`,
      `192.0.2.1:0/127.0.0.1:0?mode=1`,
      `127.0.0.1:99999/`,
    ];
    await Promise.all(tails.flatMap((tail) =>
      ["server", "client"].map(async (role) => {
        await using end = startCommand([`${role}://${key}@${tail}`], { runtime, env });
        await Promise.race([end.exited, end.line("CHECK_POINT").catch(() => {})]);
        await end.stop();
        ok(end.lines.length > 0);
        ok(!/very-secret/.test(end.output), end.output);
      })
    ));
  });
}

Deno.test({
  name: "the key leaves the command line of the process as far as the runtime can do it",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    for (const runtime of runtimes) {
      await using server = startUrl(`server://${TEST_KEY}@127.0.0.1:0/127.0.0.1:0?mode=1`, { runtime });
      await server.line("Server started");
      const [shown, name] = await Promise.all(
        ["cmdline", "comm"].map((file) => Deno.readTextFile(`/proc/${server.pid}/${file}`)),
      );
      ok(!shown!.includes(TEST_KEY), `${runtime}: ${shown!.replaceAll("\0", " ")}`);
      match(name!, /nodepass|deno|node/);
    }
  },
});
