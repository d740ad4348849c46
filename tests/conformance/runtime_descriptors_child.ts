import { detectRuntime } from "../../src/runtime/detect.ts";
import type { Conn } from "../../src/runtime/types.ts";

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
    say(runtime.toError(error).message);
    for (const conn of held.splice(0)) conn.close();
  }
}
