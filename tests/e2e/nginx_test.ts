/** Links through a real nginx that ends TLS: `type=2` is for exactly that. */
import { join } from "node:path/posix";
import { equal, ok } from "../harness.ts";
import { freePort, UdpVisitor } from "../unit/tunnel/forward_fixture.ts";
import { type CertificateFolder, certificateFolder, SERVER_NAME } from "./certificates.ts";
import { type Flow, startClient, startServer } from "./ends.ts";
import { askUdp, echoTcp, echoTcpMany } from "./load.ts";
import { nodeMissing } from "./process.ts";
import { Target } from "./targets.ts";
import { bytesOf, firstWords, visit } from "./visitors.ts";

const nginx = await findProgram("nginx");
const pairs = [["deno", "deno"], ["node", "node"]] as const;

for (const [server, client] of pairs) {
  for (const flow of ["reverse", "forward"] as const satisfies readonly Flow[]) {
    const name = `a tunnel through nginx carries data both ways and outlives a reload (${flow}, ${server})`;
    Deno.test({
      name: nginx === null ? `${name} (needs nginx)` : name,
      ignore: nginx === null || (nodeMissing !== undefined && server === "node"),
      fn: async () => {
        await using files = await certificateFolder();
        await using target = await Target.listen();
        const options = {
          flow,
          targets: [target.address],
          server,
          client,
          serverQuery: "type=2&path=/links&tls=0",
          clientQuery: `type=2&path=/links&tls=2&crt=${files.ca}&sni=${SERVER_NAME}`,
        };
        const started = await startServer(options);
        await using _ = started.process;
        await using proxy = await startNginx(files, started.tunnel.port);
        const dialled = await startClient({ host: "127.0.0.1", port: proxy.port }, options);
        await using __ = dialled.process;
        const entry = (started.entry ?? dialled.entry)!;

        await echoTcpMany(entry, 50, 5_000_000);
        using visitor = await UdpVisitor.bind(entry);
        equal((await askUdp(visitor, new Uint8Array(9_000))).length, 9_000);

        const live = await visit(entry);
        await live.write(bytesOf("before"));
        equal(await firstWords(live), "before");
        await files.renew([SERVER_NAME]);
        await proxy.reload();
        await live.write(bytesOf("after"));
        equal(await firstWords(live), "after");
        live.close();
        await Promise.all(Array.from({ length: 50 }, (_, seed) => echoTcp(entry, 50_000, seed)));
        ok(!dialled.process.output.includes("Client error"), dialled.process.output);
        equal((await askUdp(visitor, new Uint8Array(500))).length, 500);
      },
    });
  }
}

interface Nginx extends AsyncDisposable {
  readonly port: number;
  /** New workers take over; resolves when they listen. */
  reload(): Promise<void>;
}

/** An nginx that ends TLS in front of a WebSocket server. */
async function startNginx(files: CertificateFolder, upstream: number): Promise<Nginx> {
  const folder = await Deno.makeTempDir({ prefix: "nodepass-nginx-" });
  const port = await freePort();
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`).join(" ");
  const config = `
    daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log notice;
    events { worker_connections 2048; }
    http {
      access_log off; ${paths}
      server {
        listen 127.0.0.1:${port} ssl;
        ssl_certificate ${files.chain}; ssl_certificate_key ${files.key};
        location /links {
          proxy_pass http://127.0.0.1:${upstream};
          proxy_http_version 1.1;
          proxy_set_header Upgrade $http_upgrade;
          proxy_set_header Connection upgrade;
          proxy_set_header Host $host;
          proxy_read_timeout 60s; proxy_buffering off;
        }
      }
    }`;
  const path = join(folder, "nginx.conf");
  await Deno.writeTextFile(path, config);
  const child = new Deno.Command(nginx!, {
    args: ["-p", folder, "-c", path, "-e", `${folder}/error.log`],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const log = (): Promise<string> => Deno.readTextFile(`${folder}/error.log`).catch(() => "");
  const stop = async (): Promise<void> => {
    try {
      child.kill("SIGTERM");
    } catch {
      // It did not start.
    }
    await child.status;
    await Deno.remove(folder, { recursive: true });
  };
  const workers = async (count: number): Promise<void> => {
    for (const deadline = performance.now() + 10_000;;) {
      if ((await log()).split("start worker process ").length > count) return;
      if (performance.now() > deadline) throw new Error(`nginx has no ${count} workers:\n${await log()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  try {
    await workers(1);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    async reload() {
      child.kill("SIGHUP");
      await workers(2);
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** The path of a program; null when it is missing. */
async function findProgram(name: string): Promise<string | null> {
  for (const folder of [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin"]) {
    const path = `${folder}/${name}`;
    if (await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return path;
  }
  return null;
}
