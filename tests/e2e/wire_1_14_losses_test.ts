/** Connections, ends and programs that go away in wire=1.14, and come back. */
import type { Settings } from "../../src/config/types.ts";
import { ok } from "../harness.ts";
import { goClient } from "../peer_1_14/client.ts";
import { goServer } from "../peer_1_14/server.ts";
import { ownedTest } from "../unit/tunnel/forward_fixture.ts";
import { Target } from "./targets.ts";
import { besideClient, besideServer, entryIn, hasNoFaults } from "./wire_1_14_beside.ts";
import { entryOf, KEY, ourClient, ourServer } from "./wire_1_14_inside.ts";
import { exchangeTcpMany } from "./wire_1_14_load.ts";

const FAST: Partial<Settings> = { reportIntervalMs: 200 };

for (const flow of ["reverse", "forward"] as const) {
  ownedTest(`a control connection that is silent for three intervals is dead (${flow})`, async (own) => {
    await Promise.all((["server", "client"] as const).map(async (role) => {
      const pulse = { mute: true };
      const { peer } = role === "server"
        ? await besideServer(own, flow, { pulse }, FAST)
        : await besideClient(own, flow, { pulse }, FAST);
      const since = performance.now();
      await peer.generation(1);
      ok(performance.now() - since < 6_000, "the next handshake came late");
    }));
  });

  ownedTest(`a lost control connection brings the next handshake (${flow})`, async (own) => {
    const beside = { server: await besideServer(own, flow), client: await besideClient(own, flow) };
    for (const { peer, entry } of Object.values(beside)) {
      await exchangeTcpMany(await entryIn(entry), 3, 0);
      (await peer.generation(0)).control.close();
      await peer.generation(1);
      await exchangeTcpMany(await entryIn(entry), 3, 0);
      hasNoFaults(await peer.generation(1));
    }
  });

  ownedTest(`our client finds the server that starts anew (${flow})`, async (own) => {
    const target = await own(Target.listen());
    const common = { key: KEY, flow, target: target.address };
    const first = await goServer(common);
    const { port } = first.address;
    const entryPort = flow === "reverse" ? first.entry.port : 0;
    const client = await own(
      ourClient(first.address, flow === "reverse" ? { flow, target: target.address } : { flow }),
    );
    await first.generation(0);
    await first[Symbol.asyncDispose]();
    const second = await own(goServer({ ...common, port, entryPort }));
    await second.generation(0);
    await exchangeTcpMany(await entryIn(() => flow === "reverse" ? second.entry : entryOf(client)), 3, 0);
  });

  ownedTest(`a client finds our server that starts anew (${flow})`, async (own) => {
    const target = await own(Target.listen());
    const options = flow === "forward" ? { flow, target: target.address } : { flow };
    const first = await ourServer(options);
    const { port } = first.handle.addr!;
    const peer = await own(goClient({ key: KEY, server: first.handle.addr!, target: target.address }));
    await first[Symbol.asyncDispose]();
    const second = await own(ourServer({ ...options, port }));
    await peer.generation(1);
    await exchangeTcpMany(await entryIn(() => flow === "reverse" ? entryOf(second) : peer.entry), 3, 0);
  });
}
