/** The peer that stands in for the Go program, against the recordings of it and against itself. */
import { createAuthority } from "../conformance/runtime_certificates.ts";
import { deepEqual, equal, ok, test } from "../harness.ts";
import { goClient } from "../peer_1_14/client.ts";
import { lineOf, signalOf } from "../peer_1_14/dialect.ts";
import { acceptanceText, requestText } from "../peer_1_14/handshake.ts";
import { bytesFrom, linesFrom, readRecording } from "../peer_1_14/recordings.ts";
import { goServer } from "../peer_1_14/server.ts";
import { ownedTest } from "../unit/tunnel/forward_fixture.ts";
import { echoTcp } from "./load.ts";
import { Target } from "./targets.ts";
import { exchangeTcpMany, exchangeUdp } from "./wire_1_14_load.ts";

const KEY = "a key of the tests";
const NAME = "tunnel.test";

for (const flow of ["reverse", "forward"] as const) {
  test(`the peer writes what was recorded (${flow})`, async () => {
    const recording = await readRecording(flow);
    const { key, handshake } = recording;
    equal(requestText(key), bytesFrom(handshake, "client").toString());
    const undated = (text: string): string => text.replace(/Date: .*/, "Date:");
    const terms = { flow: flow === "reverse" ? "-" : "+", max: 1_024, tls: "0", type: "0" } as const;
    equal(undated(acceptanceText(terms)), undated(bytesFrom(handshake, "server").toString()));
    for (const side of ["client", "server"] as const) {
      const lines = linesFrom(recording, side);
      ok(lines.length > 5);
      deepEqual(lines.map((line) => lineOf(signalOf(line.trim(), key), key)), lines);
    }
  });

  for (const tls of [0, 1, 2] as const) {
    ownedTest(`the peer serves itself (${flow}, tls=${tls})`, async (own) => {
      const authority = await createAuthority("Authority of the peer");
      const target = await own(Target.listen());
      const both = { key: KEY, target: target.address, verifyMs: 20 };
      const certificate = await authority.issue([NAME]);
      const server = await own(goServer({ ...both, flow, tls, certificate }));
      const client = await own(
        goClient({ ...both, server: server.address, name: NAME, ca: authority.caPem, min: 20 }),
      );
      const { entry } = flow === "reverse" ? server : client;
      await exchangeTcpMany(entry, 60, 4_000_000);
      await exchangeUdp(entry);
      if (tls === 0) await echoTcp(entry, 100_000, 7);
      const generations = [await server.generation(0), await client.generation(0)];
      deepEqual(generations.flatMap(({ violations, control }) => [...violations, ...control.garbage]), []);
    });
  }
}

ownedTest("the peer comes back, and refuses a wrong key", async (own) => {
  const target = await own(Target.listen());
  const at = target.address;
  const server = await own(goServer({ key: KEY, flow: "reverse" }));
  const strange = goClient({ key: "another key", server: server.address, target: at, retryMs: 50 }, 300);
  const refusal = await strange.then(() => "", (error: Error) => error.message);
  ok(refusal.includes("Server answered 401: Unauthorized"), refusal);
  const client = await own(goClient({ key: KEY, server: server.address, target: at, retryMs: 50 }));
  await exchangeTcpMany(server.entry, 5, 0);
  (await client.generation(0)).control.close();
  await client.generation(1);
  await exchangeTcpMany(server.entry, 5, 0);
  (await server.generation(1)).control.close();
  await client.generation(2);
  await exchangeTcpMany(server.entry, 5, 0);
});
