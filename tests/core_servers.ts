/**
 * PostgreSQL and Redis for tests: programs of this machine on free ports, with folders of their own.
 *
 * @module
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";

const STARTING_MS = 20_000;
const PAUSE_MS = 25;

/** Takes what ends a thing. */
export type Own = (close: () => Promise<void>) => void;

/** A server that a test stops and starts again. */
export interface TestServer {
  /** Of its first database. */
  readonly url: string;
  readonly port: number;
  /** Ends it as a crash would; its data stay. */
  kill(): Promise<void>;
  /** Starts it again on the same port. */
  again(): Promise<void>;
  /** Ends it and removes its data. Idempotent. */
  close(): Promise<void>;
}

/** Why there is no PostgreSQL here; undefined where there is. */
export function postgresMissing(): string | undefined {
  return postgresFolder() === null ? "needs PostgreSQL (apt-get install postgresql)" : undefined;
}

/** Why there is no Redis here; undefined where there is. */
export function redisMissing(): string | undefined {
  return inPath("redis-server") === null ? "needs Redis (apt-get install redis-server)" : undefined;
}

/** Starts PostgreSQL; `DATABASE_URL` of a new database. */
export async function startPostgres(own: Own): Promise<string> {
  const server = await postgresServer();
  own(() => server.close());
  return server.url;
}

/** Starts Redis; `REDIS_URL`. */
export async function startRedis(own: Own): Promise<string> {
  const server = await redisServer();
  own(() => server.close());
  return server.url;
}

/**
 * Starts PostgreSQL.
 *
 * @param durable whether a commit waits for the disk, as it does in earnest
 */
export async function postgresServer(durable: boolean = false): Promise<TestServer> {
  const programs = postgresFolder();
  if (programs === null) throw new Error("no PostgreSQL");
  const folder = mkdtempSync(join(tmpdir(), "nodepass-pg-"));
  const data = join(folder, "data");
  const port = await freePort();
  // It refuses to run as root.
  const asUser = process.getuid?.() === 0
    ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=KILL"]
    : [];
  if (asUser.length > 0) execFileSync("chown", ["postgres", folder]);
  chmodSync(folder, 0o755);
  const [first = "", ...rest] = [...asUser, join(programs, "initdb"), "-D", data, "-A", "trust", "-U", "core", "-N"];
  execFileSync(first, rest, { stdio: "ignore", cwd: folder });
  const settings = [
    `fsync=${durable ? "on" : "off"}`,
    "listen_addresses=127.0.0.1",
    "max_connections=200",
    "shared_buffers=64MB",
  ];
  const command = [
    ...[...asUser, join(programs, "postgres"), "-D", data, "-p", String(port), "-k", folder],
    ...settings.flatMap((setting) => ["-c", setting]),
  ];
  const server = new Server(command, folder, port, `postgres://core@127.0.0.1:${port}/postgres`);
  await server.again();
  return server;
}

/** Starts Redis. */
export async function redisServer(): Promise<TestServer> {
  const program = inPath("redis-server");
  if (program === null) throw new Error("no Redis");
  const folder = mkdtempSync(join(tmpdir(), "nodepass-redis-"));
  const port = await freePort();
  const command = [program, "--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder];
  const server = new Server(command, folder, port, `redis://127.0.0.1:${port}`);
  await server.again();
  return server;
}

class Server implements TestServer {
  readonly url: string;
  readonly port: number;
  readonly #command: readonly string[];
  readonly #folder: string;
  /** Nothing is left running when a test process ends early. */
  readonly #onExit = (): void => this.#remove();
  #child: ChildProcess | null = null;

  constructor(command: readonly string[], folder: string, port: number, url: string) {
    this.#command = command;
    this.#folder = folder;
    this.port = port;
    this.url = url;
    process.on("exit", this.#onExit);
  }

  async again(): Promise<void> {
    const [program = "", ...args] = this.#command;
    const child = spawn(program, args, { stdio: "ignore", cwd: this.#folder });
    this.#child = child;
    // The end of the process ends it: it must not keep the process from its end.
    child.unref();
    const until = Date.now() + STARTING_MS;
    while (!await this.#answers()) {
      if (child.exitCode !== null || Date.now() > until) throw new Error(`${program} does not start`);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.ref();
    // For PostgreSQL the end without a farewell; Redis writes nothing anyway.
    child.kill("SIGQUIT");
    await ended;
  }

  async close(): Promise<void> {
    await this.kill();
    process.off("exit", this.#onExit);
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #remove(): void {
    this.#child?.kill("SIGQUIT");
    try {
      rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
    } catch {
      // It may still write: the folder is a temporary one.
    }
  }

  /** Whether it takes connections and, for PostgreSQL, is done with its recovery: it answers to anything. */
  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, "127.0.0.1");
      const done = (answers: boolean): void => {
        socket.destroy();
        resolve(answers);
      };
      socket.setTimeout(1_000, () => done(false));
      socket.once("error", () => done(false));
      socket.once("data", (bytes) => done(!String(bytes).includes("starting up")));
      // A start-up message of PostgreSQL; Redis answers with an error.
      socket.once("connect", () => socket.write(this.url.startsWith("redis") ? "PING\r\n" : STARTUP));
    });
  }
}

const STARTUP = startupMessage({ user: "core", database: "postgres" });

function startupMessage(values: Readonly<Record<string, string>>): Uint8Array {
  const text = Object.entries(values).map(([name, value]) => `${name}\0${value}\0`).join("") + "\0";
  const bytes = new Uint8Array(8 + text.length);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, bytes.length);
  view.setInt32(4, 196_608);
  new TextEncoder().encodeInto(text, bytes.subarray(8));
  return bytes;
}

function postgresFolder(): string | null {
  const versions = "/usr/lib/postgresql";
  const found = existsSync(versions)
    ? readdirSync(versions).sort((a, b) => Number(b) - Number(a)).map((version) => join(versions, version, "bin"))
    : [];
  const named = inPath("initdb");
  return [...found, ...named === null ? [] : [named.slice(0, -"/initdb".length)]]
    .find((folder) => existsSync(join(folder, "initdb"))) ?? null;
}

function inPath(name: string): string | null {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
