/**
 * The same report many times at once, and reports out of their order: C2.
 *
 * @module
 */
import type { Row } from "../../bench/rows.ts";
import type { RuntimeName } from "../../../tests/e2e/process.ts";
import { type NodeDoor, Refused } from "../door.ts";
import { grpcClient, GrpcDoor } from "../grpc_door.ts";
import { HttpDoor } from "../http_door.ts";
import { readLedger } from "../ledger.ts";
import { CoreStage, type StoreKind } from "../stage.ts";

const BYTES = 1_000;

/** Sends one report `copies` times from `connections` of both kinds, then 5, 3, 4, 5 after 2. */
export async function duplicates(
  runtime: RuntimeName,
  store: StoreKind,
  { copies, connections }: { readonly copies: number; readonly connections: number },
): Promise<Row> {
  await using stage = await CoreStage.open(runtime, store);
  const { base, grpcPort } = stage.place;
  const { nodes, userIds, subscriptionIds } = await stage.admin.populate({ nodes: 1, users: 20 });
  const { key, protocolId } = nodes[0]!;
  const clients = Array.from({ length: connections }, (_, index) => index % 2 === 0 ? grpcClient(grpcPort) : null);
  const doors = clients.map((client): NodeDoor =>
    client === null ? new HttpDoor(base, key) : new GrpcDoor(client, base, key)
  );
  try {
    await doors[0]!.latestConfig();
    const stream = crypto.randomUUID();
    const recordedAt = new Date().toISOString();
    const entries = userIds.map((userId, index) => ({
      ...{ userId, subscriptionId: subscriptionIds[index]!, nodeProtocolId: protocolId, recordedAt },
      ...{ bytesUp: BYTES, bytesDown: BYTES },
    }));
    const send = (seq: number, door: NodeDoor = doors[0]!): Promise<string> =>
      door.usage({ stream, seq, gap: false }, entries).then(
        () => "ok",
        (error) => error instanceof Refused ? `${error.code} ${error.nextSeq}` : String(error),
      );
    const first = await Promise.all(
      doors.flatMap((door) => Array.from({ length: copies / connections }, () => send(1, door))),
    );
    const after = [await send(2)];
    for (const seq of [5, 3, 4, 5]) after.push(await send(seq));
    const { rows, lifetime } = await readLedger(stage.env);
    const expected = 5 * entries.length * BYTES;
    const acknowledged = first.filter((answer) => answer === "ok").length;
    const order = after.join(", ");
    return {
      id: "C2",
      pass: acknowledged === copies && order === "ok, SEQ_GAP 3, ok, ok, ok" && rows.up === expected &&
        lifetime.down === expected,
      measured: { store, copies, connections, acknowledged, applied: rows.up / entries.length / BYTES, order },
      demand: "applied once each; 5 after 2 is refused",
    };
  } finally {
    for (const client of clients) client?.close();
  }
}
