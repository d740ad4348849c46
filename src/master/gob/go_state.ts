/**
 * The state of a Go master as a state of ours, and back.
 *
 * @module
 */
import { defaultSettings } from "../../config/settings.ts";
import { splitUrl } from "../../config/url_text.ts";
import { messageOf } from "../../errors.ts";
import type { Counters } from "../../report/types.ts";
import type { Random } from "../../runtime/types.ts";
import { API_KEY_DIGITS } from "../api_key.ts";
import { randomHex } from "../identifiers.ts";
import { API_KEY_ID, EMPTY_META, type Meta, type StoredInstance } from "../instance.ts";
import { type Inheritance, namedWire, readInstanceUrl } from "../instance_url.ts";
import type { MasterState } from "../state_file/types.ts";
import { COST, GobBudget } from "./budget.ts";
import { emptyGoInstance, type GoInstance, readGoInstances, writeGoInstances } from "./go_instance.ts";

/** A state that came from elsewhere. */
export interface ImportedState {
  readonly state: MasterState;
  /** The API key was made now: nobody knows it yet. */
  readonly newKey: boolean;
  /** What is not as it was there, and what does not work here, for people. */
  readonly changes: readonly string[];
}

/** A state for a Go master. */
export interface ExportedState {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What will not work there, for people. */
  readonly notes: readonly string[];
}

/** More are counted, not named. */
const MOST_NAMED = 10;
const LARGEST = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * Reads the state file of a Go master.
 *
 * Instances whose URL names no wire get 1.14, which their peers speak; the URLs stay as they are.
 *
 * @throws {NodePassError} as `readGoInstances`
 */
export function fromGoState(bytes: Uint8Array, random: Random): ImportedState {
  const changes = new Changes();
  const instances = new Map<string, StoredInstance>();
  const budget = new GobBudget(bytes.length);
  let master = emptyGoInstance;
  for (const [name, instance] of readGoInstances(bytes, budget)) {
    if (name === API_KEY_ID) {
      master = instance;
      continue;
    }
    const id = idOf(name, instances, random);
    if (id !== name) changes.renamed.add(`instance ${JSON.stringify(name)} is ${id} now`);
    const stored = storedOf(id, instance, changes);
    instances.set(id, stored);
    budget.keep(costOf(stored));
  }
  const newKey = !isHex(master.URL, API_KEY_DIGITS);
  const newMasterId = !isHex(master.Config, MASTER_ID_DIGITS);
  const made = [
    ...(newKey ? ["a new API key was made: none was there"] : []),
    ...(newMasterId ? ["a new master id was made: none was there"] : []),
  ];
  const state: MasterState = {
    masterId: newMasterId ? randomHex(random, MASTER_ID_DIGITS) : master.Config,
    alias: master.Alias,
    apiKey: newKey ? randomHex(random, API_KEY_DIGITS) : master.URL,
    run: 0,
    wire: master.Wire ?? "1.14",
    instances: [...instances.values()],
  };
  return { state, newKey, changes: [...changes.list(), ...made] };
}

/** Makes the state file of a Go master 1.14. */
export function toGoState({ masterId, alias, apiKey, wire, instances }: MasterState): ExportedState {
  const Meta = { ...emptyGoInstance.Meta, Tags: {} };
  const all = new Map<string, GoInstance>([
    [API_KEY_ID, { ...emptyGoInstance, ID: API_KEY_ID, Alias: alias, URL: apiKey, Config: masterId, Meta, Wire: wire }],
  ]);
  let secure = 0;
  for (const instance of instances) {
    const Wire = instance.wire ?? wire;
    all.set(instance.id, { ...goInstanceOf(instance), Wire });
    if (!isSingleEnd(instance.url) && (namedWire(instance.url) ?? Wire) === "secure") secure++;
  }
  const notes = secure === 0 ? [] : [
    `${instancesOf(secure)} with wire=secure: a Go master runs them with its own wire, so both ends have to be Go's`,
  ];
  return { bytes: writeGoInstances(all), notes };
}

/** Memory of an instance, rounded up; short texts are shared, but nobody knows which. */
function costOf({ alias, url, meta: { peer, tags } }: StoredInstance): number {
  const texts = [url, alias, peer.sid, peer.type, peer.alias, ...Object.entries(tags).flat()];
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  return COST_OF_INSTANCE + COST.text + characters + COST_OF_TAG * Object.keys(tags).length;
}
const COST_OF_INSTANCE = 320;
const COST_OF_TAG = 64;

const MASTER_ID_DIGITS = 16;
const ID_DIGITS = 8;

function idOf(name: string, taken: ReadonlyMap<string, unknown>, random: Random): string {
  let id = name;
  while (!isHex(id, ID_DIGITS) || taken.has(id)) id = randomHex(random, ID_DIGITS);
  return id;
}

function isHex(text: string, digits: number): boolean {
  return text.length === digits && /^[0-9a-f]+$/.test(text);
}

function storedOf(
  id: string,
  { Alias, URL, Status, Restart, Meta, Wire = "1.14", ...go }: GoInstance,
  changes: Changes,
): StoredInstance {
  const keepsWire = Wire === "1.14" && namedWire(URL) === null;
  if (keepsWire) changes.keptWire++;
  const tcprx = changes.counter(go.TCPRX);
  const tcptx = changes.counter(go.TCPTX);
  const udprx = changes.counter(go.UDPRX);
  const udptx = changes.counter(go.UDPTX);
  const instance: StoredInstance = {
    id,
    alias: Alias,
    url: URL,
    restart: Restart,
    wanted: Status === "running" || Status === "error",
    meta: metaOf(Meta),
    counters: { tcprx, tcptx, udprx, udptx },
    ...(keepsWire ? { wire: Wire } : {}),
  };
  changes.tried(instance);
  return instance;
}

/** Most have no notes: those share one value. */
function metaOf({ Peer: { SID: sid, Type: type, Alias: alias }, Tags }: GoInstance["Meta"]): Meta {
  const tags = Tags ?? EMPTY_META.tags;
  const empty = sid === "" && type === "" && alias === "" && Object.keys(tags).length === 0;
  return empty ? EMPTY_META : { peer: { sid, type, alias }, tags };
}

/** Texts of one kind: the first ones, and how many more there are. */
class Some {
  readonly #first: string[] = [];
  #more = 0;

  add(text: string): void {
    if (this.#first.length < MOST_NAMED) this.#first.push(text);
    else this.#more++;
  }

  list(): readonly string[] {
    return this.#more === 0 ? this.#first : [...this.#first, `${this.#more} more of this kind`];
  }
}

/** What changed, counted. */
class Changes {
  keptWire = 0;
  readonly renamed: Some = new Some();
  readonly #broken: Some = new Some();
  #cut = 0;

  /** Counters have 53 bits here; a larger one is one that once went below zero. */
  counter(value: bigint): number {
    if (value <= LARGEST && value >= 0n) return Number(value);
    this.#cut++;
    return value < 0n ? 0 : Number.MAX_SAFE_INTEGER;
  }

  /** Go takes values that mean nothing. */
  tried({ id, url }: StoredInstance): void {
    try {
      readInstanceUrl(url, NOTHING_INHERITED, defaultSettings);
    } catch (error) {
      this.#broken.add(`instance ${id} cannot run: ${messageOf(error)}`);
    }
  }

  list(): readonly string[] {
    const wire = `${instancesOf(this.keptWire)} without wire= in the URL keep speaking wire=1.14 to Go peers`;
    const cut = `${this.#cut} counters beyond ${LARGEST} were set to it`;
    return [
      ...(this.keptWire === 0 ? [] : [wire]),
      ...this.renamed.list(),
      ...(this.#cut === 0 ? [] : [cut]),
      ...this.#broken.list(),
    ];
  }
}

const NOTHING_INHERITED: Inheritance = { log: "info", tls: { kind: "plain" }, wire: "1.14" };

function instancesOf(count: number): string {
  return count === 1 ? "1 instance" : `${count} instances`;
}

function isSingleEnd(url: string): boolean {
  const parts = splitUrl(url);
  return parts?.scheme === "client" && parts.query.some(({ name, value }) => name === "mode" && value === "1");
}

function goInstanceOf({ id, alias, url, restart, wanted, meta, counters }: StoredInstance): GoInstance {
  return {
    ...emptyGoInstance,
    ID: id,
    Alias: alias,
    Type: splitUrl(url)?.scheme === "server" ? "server" : "client",
    Status: wanted ? "running" : "stopped",
    URL: url,
    Restart: restart,
    Meta: { Peer: { SID: meta.peer.sid, Type: meta.peer.type, Alias: meta.peer.alias }, Tags: meta.tags },
    ...goCountersOf(counters),
  };
}

/** No run of a Go master counted any of it: all of it is the base that the next run adds to. */
function goCountersOf({ tcprx, tcptx, udprx, udptx }: Counters): Partial<GoInstance> {
  const [TCPRX, TCPTX, UDPRX, UDPTX] = [BigInt(tcprx), BigInt(tcptx), BigInt(udprx), BigInt(udptx)];
  return { TCPRX, TCPTX, UDPRX, UDPTX, TCPRXBase: TCPRX, TCPTXBase: TCPTX, UDPRXBase: UDPRX, UDPTXBase: UDPTX };
}
