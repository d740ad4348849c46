import { detectRuntime } from "../../src/runtime/detect.ts";
import type { Conn } from "../../src/runtime/types.ts";
import { turn } from "./runtime_scope.ts";

const runtime = await detectRuntime();
const listener = await runtime.net.listen({ host: "127.0.0.1", port: 0 });
const held: Conn[] = [];
const say = (line: string): void => runtime.process.stdout(`${line}\n`);
say(`${listener.local.port} ${runtime.process.pid}`);
for (;;) {
  try {
    const conn = await listener.accept();
    if (conn === null) break;
    held.push(conn);
    if (held.length === 1) say("accepted");
  } catch (error) {
    for (const conn of held.splice(0)) conn.close();
    // Who comes before they are closed would be turned away.
    await turn();
    say(runtime.toError(error).message);
  }
}
