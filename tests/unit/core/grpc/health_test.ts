import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, status as Status } from "@grpc/grpc-js";
// What the library wants its bytes in; a Uint8Array is not enough for it.
import { Buffer } from "node:buffer";
import {
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
} from "../../../../src/core/contract/generated/health_pb.ts";
import { deepEqual, equal, test } from "../../../harness.ts";
import { openDoor, withDoor } from "./door_fixture.ts";

const request = (service: string): Uint8Array =>
  toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service }));

test("Health: serves itself and the service of nodes, without a key", () =>
  withDoor(async (_, client) => {
    for (const service of ["", "nodeservice.NodeService"]) {
      const { code, answer } = await client.raw("/grpc.health.v1.Health/Check", request(service), {});
      equal(code, Status.OK);
      equal(answer === null ? 0 : fromBinary(HealthCheckResponseSchema, answer).status, 1);
    }
    equal((await client.raw("/grpc.health.v1.Health/Check", request("other"), {})).code, Status.NOT_FOUND);
    const broken = await client.raw("/grpc.health.v1.Health/Check", new Uint8Array([0xff]), {});
    equal(broken.code, Status.INVALID_ARGUMENT);
  }));

test("Health: whoever watches learns of the end", async () => {
  const fixture = await openDoor();
  const client = new Client(`127.0.0.1:${fixture.door.addr.port}`, credentials.createInsecure());
  const states: number[] = [];
  const { promise: first, resolve: gotFirst } = Promise.withResolvers<void>();
  const { promise: ended, resolve: end } = Promise.withResolvers<number>();
  const stream = client.makeServerStreamRequest(
    "/grpc.health.v1.Health/Watch",
    (value: Uint8Array) => Buffer.from(value),
    (value: Buffer) => fromBinary(HealthCheckResponseSchema, value).status,
    request(""),
    new Metadata(),
  );
  stream.on("data", (state: number) => {
    states.push(state);
    gotFirst();
  });
  stream.on("error", () => {});
  stream.on("status", ({ code }: { code: number }) => end(code));
  await first;
  await fixture.door.close({ graceMs: 5_000 });
  equal(await ended, Status.OK);
  deepEqual(states, [1, 2]);
  client.close();
});
