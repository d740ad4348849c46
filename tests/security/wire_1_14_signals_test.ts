/** Lines on the control connection that a peer should not send: whoever has the key, or saw enough of it, can. */
import { formatAddress } from "../../src/address/ip.ts";
import { deepEqual, equal, ok } from "../harness.ts";
import type { Inside } from "../e2e/in_process.ts";
import { until } from "../e2e/load.ts";
import { Target } from "../e2e/targets.ts";
import { entryOf, KEY, ourClient, ourServer } from "../e2e/wire_1_14_inside.ts";
import { exchangeTcpMany } from "../e2e/wire_1_14_load.ts";
import { goClient } from "../peer_1_14/client.ts";
import { lineOf, masked } from "../peer_1_14/dialect.ts";
import type { Generation } from "../peer_1_14/generation.ts";
import { goServer } from "../peer_1_14/server.ts";
import { type Own, ownedTest } from "../unit/tunnel/forward_fixture.ts";

/** The hostile end, ours, and a look at whether visitors still come through. */
interface Scene {
  readonly ours: Inside;
  readonly target: Target;
  generation(index: number): Promise<Generation>;
  works(): Promise<void>;
}

/** Our end dials: signals about visitors are for it. */
async function atClient(own: Own): Promise<Scene> {
  const target = await own(Target.listen());
  const peer = await own(goServer({ key: KEY, flow: "reverse" }));
  const ours = await own(ourClient(peer.address, { flow: "reverse", target: target.address }));
  const works = (): Promise<void> => exchangeTcpMany(peer.entry, 4, 0);
  await works();
  return { ours, target, works, generation: (index) => peer.generation(index) };
}

async function atServer(own: Own): Promise<Scene> {
  const target = await own(Target.listen());
  const ours = await own(ourServer({ flow: "forward", target: target.address, query: "tls=0" }));
  const peer = await own(goClient({ key: KEY, server: ours.handle.addr!, min: 8, retryMs: 100 }));
  const works = (): Promise<void> => exchangeTcpMany(peer.entry, 4, 0);
  await works();
  return { ours, target, works, generation: (index) => peer.generation(index) };
}

const SCENES = { client: atClient, server: atServer } as const;

function linesOf({ logger }: Inside): number {
  return logger.lines.filter(({ level }) => level === "warn" || level === "error").length;
}

/** A line of any text, under the key. */
function lineWith(text: string): string {
  return `${masked(new TextEncoder().encode(text), KEY).toString("base64")}\n`;
}

for (const [role, setUp] of Object.entries(SCENES)) {
  ownedTest(`a line of more than 8 KiB ends the control connection of a ${role}`, async (own) => {
    const scene = await setUp(own);
    (await scene.generation(0)).control.write("A".repeat(9_000));
    await scene.generation(1);
    await scene.works();
    ok(
      scene.ours.logger.lines.some(({ message, fields }) => /8192/.test(message + fields["reason"])),
      "nobody said why",
    );
  });

  ownedTest(`lines that mean nothing are skipped by a ${role}, in few words`, async (own) => {
    const scene = await setUp(own);
    const { control } = await scene.generation(0);
    const before = linesOf(scene.ours);
    const texts = [
      "null",
      "[]",
      "1",
      '"tcp"',
      "{}",
      '{"action":1}',
      '{"action":"TCP","remote":"1.2.3.4:5","id":"00000001"}',
      '{"__proto__":{"action":"flush"},"action":"constructor"}',
      '{"action":"tcp"}',
      '{"action":"tcp","remote":"1.2.3.4:5","id":"zzzzzzzz"}',
      '{"action":"tcp","remote":"1.2.3.4:5","id":"0000000000"}',
      '{"action":"tcp","remote":"1.2.3.4:5","id":["00000001"]}',
      '{"action":"tcp","remote":"1.2.3.4:99999","id":"00000001"}',
      '{"action":"tcp","remote":"\\u001b[2J:1","id":"00000001"}',
      `{"action":"tcp","remote":"${"1".repeat(3_000)}:1","id":"00000001"}`,
      '{"action":"tcp","remote":"1.2.3.4:5","id":"00000000"}',
      '{"action":"udp","remote":"example.com","id":"00000001"}',
      '{"action":"verify","id":"00000001","fp":"x"}',
      `{"action":"${"x".repeat(4_000)}"}`,
      `${"[".repeat(5_000)}`,
      "\u0000\u0001\u0002",
    ];
    const noise = texts.map(lineWith).join("") + "\n\r\n====\n" + lineOf({ action: "ping" }, "another key");
    for (let count = 0; count < 100; count++) control.write(noise);
    control.send({ action: "ping" });
    const pongs = control.received.filter(({ action }) => action === "pong").length;
    await until("they were read", () => control.received.filter(({ action }) => action === "pong").length > pongs);
    ok(linesOf(scene.ours) - before <= 60, `${linesOf(scene.ours) - before} lines for ${100 * texts.length} bad ones`);
    deepEqual(
      scene.ours.logger.lines.filter(({ message, fields }) => {
        // deno-lint-ignore no-control-regex
        return /[\x00-\x08\x1b]/.test(message + JSON.stringify(fields).replaceAll("\\u001b", ""));
      }),
      [],
    );
    await scene.works();
  });

  ownedTest(`links that do not exist are bounded and forgotten by a ${role}`, async (own) => {
    const scene = await setUp(own);
    const { control } = await scene.generation(0);
    const before = linesOf(scene.ours);
    for (let id = 1; id <= 20_000; id++) {
      control.send({
        action: id % 2 === 0 ? "tcp" : "udp",
        remote: "192.0.2.1:7",
        id: id.toString(16).padStart(8, "0"),
      });
    }
    await scene.works();
    ok(linesOf(scene.ours) - before <= 100, `${linesOf(scene.ours) - before} lines`);
    equal(scene.ours.handle.stats().tcpSessions, 0);
  });

  ownedTest(`a link that is announced twice serves one visitor of a ${role}`, async (own) => {
    const scene = await setUp(own);
    const { control, links } = await scene.generation(0);
    const link = (await links.take(null))!;
    const before = scene.target.visitors.length;
    const signal = { action: "tcp", remote: "192.0.2.1:7", id: link.id };
    control.send(signal, signal, { ...signal, action: "udp" });
    await until("the target is dialled", () => scene.target.visitors.length > before);
    control.send(signal);
    await scene.works();
    equal(scene.target.visitors.length, before + 5);
    equal(scene.target.sources.size, 0);
    link.socket.destroy();
  });

  ownedTest(`a thousand times "flush" does not make a ${role} spin`, async (own) => {
    const scene = await setUp(own);
    const { control, links } = await scene.generation(0);
    const pongs = (): number => control.received.filter(({ action }) => action === "pong").length;
    const before = pongs();
    for (let count = 0; count < 1_000; count++) control.send({ action: "flush" });
    control.send({ action: "ping" });
    await until("they were read", () => pongs() > before);
    links.flush();
    await scene.works();
    ok((await scene.generation(0)).control.received.filter(({ action }) => action === "flush").length <= 5);
  });

  ownedTest(`a ${role} does not obey signals about visitors that are not for it`, async (own) => {
    const target = await own(Target.listen());
    const flow = role === "client" ? "forward" : "reverse";
    const options = { flow, query: "" } as const;
    const peer = role === "client" ? await own(goServer({ key: KEY, flow, target: target.address })) : null;
    const ours = peer !== null
      ? await own(ourClient(peer.address, options))
      : await own(ourServer({ ...options, query: "tls=0" }));
    const other = peer ?? await own(goClient({ key: KEY, server: ours.handle.addr!, target: target.address }));
    const { control, links } = await other.generation(0);
    const link = (await links.take(null))!;
    control.send({ action: "tcp", remote: formatAddress(target.address), id: link.id });
    control.send({ action: "verify", id: link.id, fp: "sha256:00" });
    links.add(link);
    await exchangeTcpMany(entryOf(ours), 3, 0);
    equal(other.generations.length, 1);
    equal(target.visitors.length, 3);
  });
}
