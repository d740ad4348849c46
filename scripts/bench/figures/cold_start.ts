/**
 * P11: from starting a command to a tunnel port that accepts, as people start it: the sources of a clone, and the one
 * file that the npm package brings. In turn with them, the least that the runtime needs to listen.
 *
 * @module
 */
import { join } from "node:path/posix";
import { bundleFile } from "../../package/bundle.ts";
import { alternate, type Bench, type Figures } from "../bench.ts";
import { freePort } from "../ports.ts";
import { delay } from "../proc_files.ts";
import { limitRow, median, round } from "../rows.ts";

const LIMIT_MS = 250;
const GIVE_UP_MS = 10_000;
/** Starts are short: more of them than of the loads. */
const STARTS_PER_REP = 2;

const LISTENER = {
  deno: 'await Deno.listen({ hostname: "127.0.0.1", port: Number(Deno.args[0]) }).accept();\n',
  node: 'import net from "node:net";\nnet.createServer().listen(Number(process.argv[2]), "127.0.0.1");\n',
} as const;

/** Something that listens on the port that its arguments name. */
interface Command {
  readonly id: string;
  readonly samples: number[];
  arguments(port: number): readonly string[];
}

export const coldStart: Figures = {
  ids: ["P11"],
  programs: [],
  async run(bench: Bench): Promise<void> {
    const floor = await bareListener(bench);
    const bundle = join(bench.folder, "cli.mjs");
    await bundleFile(bench.root, bundle);
    const commands = bench.options.tls.flatMap((tls) => [
      server(bench, `P11/sources/tls${tls}`, bench.options.cli, tls),
      server(bench, `P11/package/tls${tls}`, bundle, tls),
    ]);
    const all = [floor, ...commands];
    // The first start fills the caches of the runtime and of the system.
    for (const command of all) await start(bench, command);
    const measureAll = all.map((command) => ({
      name: command.id,
      measure: async () => {
        for (let i = 0; i < STARTS_PER_REP; i++) command.samples.push(await start(bench, command));
      },
    }));
    await alternate(bench, measureAll);
    const bareLoop = round(median(floor.samples));
    for (const { id, samples } of commands) bench.emit(limitRow(id, "ms", samples, LIMIT_MS, { bareLoop }));
  },
};

async function bareListener({ ends, folder }: Bench): Promise<Command> {
  const path = join(folder, "listener.mjs");
  await Deno.writeTextFile(path, LISTENER[ends.kind]);
  return { id: "bare listener", samples: [], arguments: (port) => [...ends.program, path, String(port)] };
}

function server({ ends, options }: Bench, id: string, cli: string, tls: 0 | 1): Command {
  const command = ends.command.map((word) => word === options.cli ? cli : word);
  return {
    id,
    samples: [],
    arguments: (port) => [
      ...command,
      `server://${ends.key}@127.0.0.1:${port}/127.0.0.1:${freePort()}?tls=${tls}&mode=1&log=error`,
    ],
  };
}

/** Milliseconds until the port accepts. */
async function start(bench: Bench, command: Command): Promise<number> {
  const port = freePort();
  const words = command.arguments(port);
  const begin = performance.now();
  const running = bench.processes.start(command.id, words);
  try {
    while (!await accepts(port)) {
      if (performance.now() - begin > GIVE_UP_MS) throw new Error(`${command.id} never listened\n${running.output()}`);
      await delay(1);
    }
    return performance.now() - begin;
  } finally {
    await running.stop();
  }
}

async function accepts(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}
