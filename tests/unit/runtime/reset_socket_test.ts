import process from "node:process";
import { nodeNet } from "../../../src/runtime/node/net.ts";
import { until } from "../../e2e/load.ts";
import { test, underDeno } from "../../harness.ts";

const skip = underDeno ? "only Node counts its sockets" : undefined;

test("a connection that is reset while its sending direction ends gives its descriptor back", async () => {
  const listener = await nodeNet.listen({ host: "127.0.0.1", port: 0 });
  const conn = await nodeNet.connect({ ...listener.local, timeoutMs: 5_000 });
  const other = (await listener.accept())!;
  const ended = conn.closeWrite().catch(() => {});
  conn.reset();
  await ended;
  other.close();
  listener.close();
  await until("both sockets are gone", () => !process.getActiveResourcesInfo().includes("TCPSocketWrap"));
}, { skip });
