/**
 * Proves that a built command works: a server, a client and one request through the tunnel between them.
 *
 * @module
 */

import { equal, match } from "../harness.ts";

const LIMIT_MS = 20_000;

/** Runs `version` and one tunnel with the given command. */
export async function checkCommand(command: readonly string[], version: string): Promise<void> {
  const [program = "", ...first] = command;
  const shown = await new Deno.Command(program, { args: [...first, "version"], stdin: "null" }).output();
  match(new TextDecoder().decode(shown.stdout), new RegExp(`\\bv?${version.replaceAll(".", "\\.")}\\b`));
  equal(shown.code, 0);
  await checkTunnel(command);
}

/** Runs one tunnel with the given command and these variables on top of the environment. */
export async function checkTunnel(
  [program = "", ...first]: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  await using service = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => new Response("through"),
  );
  const [tunnel, entry] = freePorts(2);
  const key = "a-key-for-this-test-alone";
  const target = `127.0.0.1:${service.addr.port}`;
  const [atServer, atClient] = [`127.0.0.1:${entry}?mode=1`, `${target}?mode=2&min=2`];
  await using server = start(program, [...first, `server://${key}@127.0.0.1:${tunnel}/${atServer}`], env);
  await using client = start(program, [...first, `client://${key}@127.0.0.1:${tunnel}/${atClient}`], env);
  const answer = await fetchWhenReady(`http://127.0.0.1:${entry}/`);
  if (answer !== "through") {
    throw new Error(`No answer through the tunnel\nserver:\n${await server.stop()}\nclient:\n${await client.stop()}`);
  }
  for (const end of [client, server]) {
    const log = await end.stop();
    equal(await end.code, 0, log);
  }
}

interface Running extends AsyncDisposable {
  /** Asks the program to end and gives all it wrote. */
  stop(): Promise<string>;
  /** The exit code. */
  readonly code: Promise<number>;
}

function start(program: string, args: readonly string[], env: Readonly<Record<string, string>>): Running {
  const streams = { stdin: "null", stdout: "piped", stderr: "piped" } as const;
  const child = new Deno.Command(program, { args: [...args], env, ...streams }).spawn();
  const output = child.output();
  const end = (signal: Deno.Signal): void => {
    try {
      child.kill(signal);
    } catch {
      // It has ended already.
    }
  };
  return {
    code: output.then(({ code }) => code),
    async stop() {
      end("SIGTERM");
      const limit = setTimeout(() => end("SIGKILL"), LIMIT_MS);
      const { stdout, stderr } = await output;
      clearTimeout(limit);
      return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    },
    async [Symbol.asyncDispose]() {
      end("SIGKILL");
      await output;
    },
  };
}

/** The body behind a URL once something answers there, or null after the limit. */
async function fetchWhenReady(url: string): Promise<string | null> {
  const deadline = performance.now() + LIMIT_MS;
  const client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  try {
    while (performance.now() < deadline) {
      try {
        const response = await fetch(url, { client, signal: AbortSignal.timeout(5000) });
        return await response.text();
      } catch {
        // The two programs give no other sign from outside that they are ready.
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    return null;
  } finally {
    client.close();
  }
}

/** Ports that were free a moment ago. */
function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ port: 0, hostname: "127.0.0.1" }));
  const ports = listeners.map((listener) => listener.addr.port);
  for (const listener of listeners) listener.close();
  return ports;
}
