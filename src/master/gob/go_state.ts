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
import { API_KEY_ID, type StoredInstance } from "../instance.ts";
import { type Inheritance, namedWire, readInstanceUrl } from "../instance_url.ts";
import type { MasterState } from "../state_file/types.ts";
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
  let master = emptyGoInstance;
  for (const [name, instance] of readGoInstances(bytes)) {
    if (name === API_KEY_ID) {
      master = instance;
      continue;
    }
    const id = idOf(name, instances, random);
    if (id !== name) changes.add(`instance ${JSON.stringify(name)} is ${id} now`);
    instances.set(id, storedOf(id, instance, changes));
  }
  const newKey = !isHex(master.URL, API_KEY_DIGITS);
  if (newKey) changes.add("a new API key was made: none was there");
  const newMasterId = !isHex(master.Config, MASTER_ID_DIGITS);
  if (newMasterId) changes.add("a new master id was made: none was there");
  const state: MasterState = {
    masterId: newMasterId ? randomHex(random, MASTER_ID_DIGITS) : master.Config,
    alias: master.Alias,
    apiKey: newKey ? randomHex(random, API_KEY_DIGITS) : master.URL,
    run: 0,
    wire: master.Wire ?? "1.14",
    instances: [...instances.values()],
  };
  return { state, newKey, changes: changes.list() };
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
    meta: {
      peer: { sid: Meta.Peer.SID, type: Meta.Peer.Type, alias: Meta.Peer.Alias },
      tags: Meta.Tags ?? {},
    },
    counters: { tcprx, tcptx, udprx, udptx },
    ...(keepsWire ? { wire: Wire } : {}),
  };
  changes.tried(instance);
  return instance;
}

/** What changed, counted. */
class Changes {
  keptWire = 0;
  readonly #single: string[] = [];
  readonly #broken: string[] = [];
  #cut = 0;

  add(change: string): void {
    this.#single.push(change);
  }

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
      this.#broken.push(`instance ${id} cannot run: ${messageOf(error)}`);
    }
  }

  list(): readonly string[] {
    const wire = `${instancesOf(this.keptWire)} without wire= in the URL keep speaking wire=1.14 to Go peers`;
    const cut = `${this.#cut} counters beyond ${LARGEST} were set to it`;
    return [
      ...(this.keptWire === 0 ? [] : [wire]),
      ...some(this.#single),
      ...(this.#cut === 0 ? [] : [cut]),
      ...some(this.#broken),
    ];
  }
}

const NOTHING_INHERITED: Inheritance = { log: "info", tls: { kind: "plain" }, wire: "1.14" };

function some(texts: readonly string[]): readonly string[] {
  if (texts.length <= MOST_NAMED) return texts;
  return [...texts.slice(0, MOST_NAMED), `${texts.length - MOST_NAMED} more of this kind`];
}

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
