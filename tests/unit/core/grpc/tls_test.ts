import { credentials, status as Status } from "@grpc/grpc-js";
// What the library wants its bytes in; a Uint8Array is not enough for it.
import { Buffer } from "node:buffer";
import { createAuthority } from "../../../conformance/runtime_certificates.ts";
import { equal, ok, test } from "../../../harness.ts";
import { methods, NodeClient, openDoor } from "./door_fixture.ts";

test("startGrpc: TLS for those who know the authority, nothing for the others", async () => {
  const [authority, other] = [await createAuthority("Fleet"), await createAuthority("Another")];
  const { chainPem, keyPem } = await authority.issue(["127.0.0.1"]);
  await using fixture = await openDoor({ tls: { chainPem, keyPem, clientCaPem: null } });
  {
    using client = new NodeClient(fixture.door, credentials.createSsl(Buffer.from(authority.caPem)));
    equal((await client.call(methods.heartbeat, {})).code, Status.OK);
  }
  for (const channel of [credentials.createSsl(Buffer.from(other.caPem)), credentials.createInsecure()]) {
    using client = new NodeClient(fixture.door, channel);
    equal((await client.call(methods.heartbeat, {})).code, Status.UNAVAILABLE);
  }
  equal(fixture.noted.length, 1);
});

test("startGrpc: with an authority for clients only those with its certificate come in", async () => {
  const [authority, fleet, other] = await Promise.all(["Core", "Fleet", "Another"].map(createAuthority));
  ok(authority !== undefined && fleet !== undefined && other !== undefined);
  const { chainPem, keyPem } = await authority.issue(["127.0.0.1"]);
  await using fixture = await openDoor({ tls: { chainPem, keyPem, clientCaPem: fleet.caPem } });
  const channel = async (from: typeof fleet | null) => {
    const leaf = await from?.issue(["node.test"]);
    const ca = Buffer.from(authority.caPem);
    if (leaf === undefined) return credentials.createSsl(ca);
    return credentials.createSsl(ca, Buffer.from(leaf.keyPem), Buffer.from(leaf.chainPem));
  };
  {
    using client = new NodeClient(fixture.door, await channel(fleet));
    equal((await client.call(methods.heartbeat, {})).code, Status.OK);
  }
  for (const from of [null, other]) {
    using client = new NodeClient(fixture.door, await channel(from));
    equal((await client.call(methods.heartbeat, {})).code, Status.UNAVAILABLE);
  }
  equal(fixture.noted.length, 1);
});

test("startGrpc: a certificate that is none says so", async () => {
  let code = "";
  try {
    await openDoor({ tls: { chainPem: "no", keyPem: "no", clientCaPem: null } });
  } catch (error) {
    code = (error as { code: string }).code;
  }
  equal(code, "certificate");
});
