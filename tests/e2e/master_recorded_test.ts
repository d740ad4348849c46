/**
 * What a Go master of version 1.14 answered, asked again: same status, same members and types, same words.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path/posix";
import { ROOT } from "../../scripts/gate/files.ts";
import { openApiDocument } from "../../src/master/openapi/document.ts";
import { startMaster } from "../../src/start/master.ts";
import { deepEqual, equal, ok, test } from "../harness.ts";
import { freePort } from "../unit/tunnel/forward_fixture.ts";
import { inStateFolder } from "../unit/master/state_file_fixture.ts";
import { DocumentCheck } from "./document_check.ts";

interface Pair {
  readonly note: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
  };
}

/** Where the answer is another one on purpose: number of the pair, our status, and why. */
const DIFFERENT: ReadonlyMap<number, { readonly status: number; readonly why: string }> = new Map([
  [19, { status: 400, why: "broken JSON in a PATCH is refused" }],
  [44, { status: 404, why: "an unknown path is answered with JSON" }],
  [46, { status: 400, why: "mode=9 does not exist" }],
  [47, { status: 404, why: "it was not made" }],
]);

/** Every answer is held against what our document says. */
const DOCUMENT = new DocumentCheck(openApiDocument("/api"));

/** Members that ours has on top. */
const EXTRA = new Set(["message", "mem_free", "swap_free", "impl", "impl_version"]);

/** Names, types and lists of a value: what clients rely on. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value;
  const members = Object.entries(value).filter(([name]) => !EXTRA.has(name));
  return Object.fromEntries(members.map(([name, member]) => [name, name === "tags" ? "object" : shapeOf(member)]));
}

class Replay {
  readonly #base: string;
  readonly #ports: ReadonlyMap<string, number>;
  readonly #ids = new Map<string, string>();
  #key: string;

  constructor(base: string, key: string, ports: ReadonlyMap<string, number>) {
    this.#base = base;
    this.#key = key;
    this.#ports = ports;
  }

  async check(number: number, { note, request, response }: Pair): Promise<void> {
    const { method, path } = request;
    const what = `pair ${number}: ${method} ${path} (${note})`;
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, value === "<key>" ? this.#key : value]),
    );
    const body = typeof request.body === "string" ? request.body : JSON.stringify(request.body);
    const answer = await fetch(this.#base + this.#ours(path), {
      method,
      headers,
      ...(request.body === null ? {} : { body: this.#ours(body) }),
    });
    const text = await answer.text();
    if (path.startsWith("/api/v1/")) {
      const place = this.#ours(path).slice("/api/v1".length).split("?")[0]!;
      deepEqual(
        DOCUMENT.problems({ method, path: place, status: answer.status, headers: answer.headers, text }),
        [],
        what,
      );
    }
    const different = DIFFERENT.get(number);
    equal(answer.status, different?.status ?? response.status, `${what}: ${different?.why ?? ""} ${text}`);
    if (different !== undefined) return void ok(JSON.parse(text).error.length > 0);
    this.#checkHeaders(what, answer.headers, response.headers);
    if (typeof response.body === "string") return this.#checkText(what, text, response.body);
    const ours = JSON.parse(text);
    deepEqual(shapeOf(ours), shapeOf(response.body), what);
    this.#checkValues(what, ours, response.body as Record<string, unknown>);
    if (note === "rotate key") ok(ours.url !== this.#key && /^[0-9a-f]{32}$/.test(ours.url), what);
  }

  #checkHeaders(what: string, ours: Headers, theirs: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(theirs)) {
      const own = ours.get(name) ?? "";
      if (name === "Content-Type") ok(own.startsWith(value), `${what}: ${name} is ${own}`);
      else for (const part of value.split(", ")) ok(own.includes(part), `${what}: ${name} lacks ${part}`);
    }
  }

  #checkText(what: string, ours: string, theirs: string): void {
    if (theirs.startsWith("<OpenAPI")) ok(JSON.parse(ours).openapi.startsWith("3.1"), what);
    else if (theirs.startsWith("<html")) ok(/<html/i.test(ours), what);
    else equal(ours, theirs, what);
  }

  /** What a client chose, and the words of errors. */
  #checkValues(what: string, ours: Record<string, unknown>, theirs: Record<string, unknown>): void {
    if (Array.isArray(theirs)) return;
    for (const name of ["alias", "type", "restart", "meta", "error", "target", "connected"]) {
      if (theirs[name] === undefined) continue;
      const expected = typeof theirs[name] === "string" ? this.#ours(theirs[name]) : theirs[name];
      deepEqual(ours[name], expected, `${what}: ${name}`);
    }
    if (typeof theirs.id === "string" && typeof ours.id === "string") this.#ids.set(theirs.id, ours.id);
  }

  /** The same with the ports and ids of this run. */
  #ours(text: string): string {
    let result = text;
    for (const [port, own] of this.#ports) result = result.replaceAll(`:${port}`, `:${own}`);
    for (const [id, own] of this.#ids) result = result.replaceAll(id, own);
    return result;
  }
}

test("A master answers all that a Go master of 1.14 was asked as that one did", () =>
  inStateFolder(async ({ path: stateDir }) => {
    const file = join(ROOT, "tests/fixtures/master_api/go_1_14.json");
    const pairs = JSON.parse(await readFile(file, "utf8")) as Pair[];
    equal(pairs.length, 50);
    const ports = new Map<string, number>();
    for (const port of ["10101", "10022", "5302"]) ports.set(port, await freePort());
    const master = await startMaster("master://127.0.0.1:0/api", { stateDir });
    try {
      // The target of the tcping that is answered: the master itself.
      ports.set("5302", master.addr.port);
      const replay = new Replay(`http://127.0.0.1:${master.addr.port}`, master.key.reveal(), ports);
      for (const [number, pair] of pairs.entries()) await replay.check(number, pair);
    } finally {
      await master.close({ graceMs: 0 });
    }
  }));
