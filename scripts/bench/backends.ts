/**
 * What stands behind the tunnel, and the peer it is compared with.
 *
 * @module
 */
import { type Entry, entryOf } from "./ends.ts";
import { freePort } from "./ports.ts";
import { isListening, until } from "./proc_files.ts";
import type { Processes, Running } from "./processes.ts";

const READY_MS = 5000;

/** Which of these Debian packages have no program here. */
export async function missingPrograms(packages: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (const name of packages) {
    const program = name === "nginx-full" ? "nginx" : name;
    const { success } = await new Deno.Command("sh", { args: ["-c", `command -v ${program}`], stdout: "null" })
      .output();
    if (!success) missing.push(name);
  }
  return missing;
}

/** HAProxy with one thread, in TCP mode, one hop before the backend. */
export async function startHaproxy(processes: Processes, folder: string, backend: number): Promise<Entry> {
  const port = freePort();
  const file = `${folder}/haproxy-${port}.cfg`;
  await Deno.writeTextFile(
    file,
    `global
  nbthread 1
  maxconn 8000
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen hop
  bind 127.0.0.1:${port}
  server backend 127.0.0.1:${backend}
`,
  );
  const running = processes.start("haproxy", ["haproxy", "-db", "-f", file]);
  await listening(running, port);
  return entryOf("haproxy", port, [running]);
}

/** nginx with a short constant answer. */
export async function startNginx(processes: Processes, folder: string): Promise<Entry> {
  const port = freePort();
  const home = `${folder}/nginx-${port}`;
  await Deno.mkdir(home);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `  ${name}_temp_path ${home}/${name};`).join("\n");
  await Deno.writeTextFile(
    `${home}/nginx.conf`,
    `daemon off;
master_process off;
pid ${home}/nginx.pid;
error_log stderr crit;
events { worker_connections 8192; }
http {
${temporary}
  access_log off;
  keepalive_requests 1000000000;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      default_type text/plain;
      return 200 "Hello from the other end of the tunnel\\n";
    }
  }
}
`,
  );
  const running = processes.start("nginx", ["nginx", "-p", home, "-c", `${home}/nginx.conf`, "-e", "stderr"]);
  await listening(running, port);
  return entryOf("nginx", port, [running]);
}

/** An iperf3 server. */
export async function startIperf(processes: Processes): Promise<Entry> {
  const port = freePort();
  const running = processes.start("iperf3 server", ["iperf3", "-s", "-B", "127.0.0.1", "-p", String(port)]);
  await listening(running, port);
  return entryOf("iperf3", port, [running]);
}

/** The echo server of this folder. */
export async function startEcho(processes: Processes): Promise<Entry> {
  const port = freePort();
  const running = processes.start("echo", loadCommand("echo", port));
  await running.printed("ready", READY_MS);
  return entryOf("echo", port, [running]);
}

/** Command line of a program in `loads/`. */
export function loadCommand(name: string, ...args: readonly (string | number)[]): string[] {
  const file = new URL(`./loads/${name}.ts`, import.meta.url).pathname;
  return [Deno.execPath(), "run", "--no-prompt", "-A", file, ...args.map(String)];
}

/** Resolves once the process accepts on the port. */
export async function listening(running: Running, port: number): Promise<void> {
  let ended = false;
  void running.exited.then(() => ended = true);
  await until(`${running.name} to listen on ${port}`, () => ended || isListening(port), READY_MS);
  if (ended) throw new Error(`${running.name} ended: ${running.output()}`);
}
