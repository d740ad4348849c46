/** An owner of one engine with one instance: its URL is the only argument. Says the engine's pid once it runs. */
import { runtime } from "../unit/tunnel/forward_fixture.ts";
import { Supervised } from "./engine_fixture.ts";

const all = new Supervised();
all.supervisor.start("aaaaaaaa", runtime.process.args[0]!);
await all.reaches("aaaaaaaa", "running");
runtime.process.stdout(`${all.supervisor.engines()[0]?.pid}\n`);
await new Promise(() => setInterval(() => {}, 60_000));
