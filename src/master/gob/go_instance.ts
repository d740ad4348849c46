/**
 * What a Go master keeps of an instance, under Go's names, and the file that it keeps them in.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import type { GobBudget } from "./budget.ts";
import { readGobEntries } from "./reader.ts";
import {
  BOOL,
  type GobDefinition,
  GobMap,
  type GobSchema,
  GobStruct,
  type GobStructDefinition,
  type GobValue,
  INT,
  STRING,
  UINT,
} from "./types.ts";
import { writeGob } from "./writer.ts";

/** Names of a peer. */
export interface GoPeer {
  readonly SID: string;
  readonly Type: string;
  readonly Alias: string;
}

/** Notes of clients of the API. */
export interface GoMeta {
  readonly Peer: GoPeer;
  /** Null where the master that wrote the file knew none. */
  readonly Tags: Readonly<Record<string, string>> | null;
}

const TEXTS = ["ID", "Alias", "Type", "Status", "URL", "Config"] as const;
const GAUGES = ["Mode", "Ping", "Pool", "TCPS", "UDPS"] as const;
/** Bytes over all runs; at the start of the run of now; of that run, up to the last reset. */
// deno-fmt-ignore
const COUNTERS = [
  "TCPRX", "TCPTX", "UDPRX", "UDPTX",
  "TCPRXBase", "TCPTXBase", "UDPRXBase", "UDPTXBase",
  "TCPRXReset", "TCPTXReset", "UDPRXReset", "UDPTXReset",
] as const;

/** An instance as a Go master 1.14 stores it; what an older one does not know is zero. */
export type GoInstance =
  & Readonly<Record<typeof TEXTS[number], string>>
  & {
    readonly Restart: boolean;
    readonly Meta: GoMeta;
    /** Ours, and passed over by Go masters: what the instance speaks, or all that say nothing. */
    readonly Wire?: "secure" | "1.14";
  }
  & Readonly<Record<typeof GAUGES[number] | typeof COUNTERS[number], bigint>>;

const INSTANCE = 64;
const META = 65;
const PEER = 66;
const TAGS = 67;
const INSTANCES = 68;

function struct(name: string, fields: readonly (readonly [name: string, type: number])[]): GobStructDefinition {
  return { kind: "struct", name, fields: fields.map(([name, type]) => ({ name, type })) };
}

const instanceType = struct("", [
  ...TEXTS.map((name) => [name, STRING] as const),
  ["Restart", BOOL],
  ["Meta", META],
  ...GAUGES.map((name) => [name, INT] as const),
  ...COUNTERS.map((name) => [name, UINT] as const),
  ["Wire", STRING],
]);
const metaType = struct("Meta", [["Peer", PEER], ["Tags", TAGS]]);
const peerType = struct("Peer", [["SID", STRING], ["Type", STRING], ["Alias", STRING]]);

/** The types of a state file, with the numbers and names that Go gives them. */
const schema: GobSchema = {
  root: INSTANCES,
  types: new Map<number, GobDefinition>([
    [INSTANCE, instanceType],
    [META, metaType],
    [PEER, peerType],
    [TAGS, { kind: "map", name: "map[string]string", key: STRING, element: STRING }],
    [INSTANCES, { kind: "map", name: "", key: STRING, element: INSTANCE }],
  ]),
};

/** An instance without anything. */
export const emptyGoInstance: GoInstance = Object.freeze({
  ...Object.fromEntries(TEXTS.map((name) => [name, ""])) as Record<typeof TEXTS[number], string>,
  Restart: false,
  Meta: Object.freeze({ Peer: Object.freeze({ SID: "", Type: "", Alias: "" }), Tags: null }),
  ...Object.fromEntries([...GAUGES, ...COUNTERS].map((name) => [name, 0n])) as Record<
    typeof GAUGES[number] | typeof COUNTERS[number],
    bigint
  >,
});

/**
 * The instances of a state file, in its order, by the names that the file gives them. Each is checked when it comes, and
 * the file when the last one was taken.
 *
 * @param budget is charged for one instance at a time, and for what the caller keeps
 * @throws {NodePassError} as `readGobEntries`; `corrupt` where the file holds something else
 */
export function* readGoInstances(
  bytes: Uint8Array,
  budget: GobBudget,
): Generator<readonly [id: string, instance: GoInstance]> {
  for (const [id, instance] of readGobEntries(bytes, budget)) {
    if (!(instance instanceof GobStruct) || typeof id !== "string") {
      throw new NodePassError("corrupt", "Byte 0: the file does not hold the instances of a Go master");
    }
    yield [id, instanceOf(instance)];
  }
}

/** The bytes of a state file that a Go master 1.14 loads, instances in the order of their names. */
export function writeGoInstances(instances: ReadonlyMap<string, GoInstance>): Uint8Array<ArrayBuffer> {
  const ids = [...instances.keys()].sort();
  return writeGob(schema, new GobMap(ids, ids.map((id) => structOf(instances.get(id) ?? emptyGoInstance))));
}

function instanceOf(value: GobStruct): GoInstance {
  const instance: Record<string, unknown> = { ...emptyGoInstance };
  for (const [name, member] of value.members()) {
    if (name === "Wire" && (member === "secure" || member === "1.14")) instance[name] = member;
    // A later master may keep more than this one knows.
    if (!Object.hasOwn(emptyGoInstance, name)) continue;
    if (name === "Meta") instance[name] = metaOf(member, value.offset);
    else if (typeof member === typeof instance[name]) instance[name] = member;
    else throw strange(value.offset, `${name} of an instance`);
  }
  return instance as GoInstance;
}

function metaOf(value: GobValue, offset: number): GoMeta {
  if (!(value instanceof GobStruct)) throw strange(offset, "Meta of an instance");
  let { Peer, Tags } = emptyGoInstance.Meta;
  for (const [name, member] of value.members()) {
    if (name === "Peer") Peer = peerOf(member, value.offset);
    else if (name === "Tags") Tags = tagsOf(member, value.offset);
  }
  return { Peer, Tags };
}

function peerOf(value: GobValue, offset: number): GoPeer {
  if (!(value instanceof GobStruct)) throw strange(offset, "A peer");
  const peer: Record<keyof GoPeer, string> = { ...emptyGoInstance.Meta.Peer };
  for (const [name, member] of value.members()) {
    if (!isPeerName(name)) continue;
    if (typeof member !== "string") throw strange(value.offset, `${name} of a peer`);
    peer[name] = member;
  }
  return peer;
}

function isPeerName(name: string): name is keyof GoPeer {
  return Object.hasOwn(emptyGoInstance.Meta.Peer, name);
}

function tagsOf(value: GobValue, offset: number): Readonly<Record<string, string>> {
  if (!(value instanceof GobMap)) throw strange(offset, "The list of tags");
  return Object.fromEntries(Array.from(value.entries(), ([name, text]) => {
    if (typeof name !== "string" || typeof text !== "string") throw strange(value.offset, "A tag");
    return [name, text];
  }));
}

function strange(offset: number, what: string): NodePassError {
  return new NodePassError("corrupt", `Byte ${offset}: ${what} is not what a Go master writes`);
}

function structOf(instance: GoInstance): GobStruct {
  const { Peer, Tags } = instance.Meta;
  const names = Object.keys(Tags ?? {}).sort();
  const tags = Tags === null ? undefined : new GobMap(names, names.map((name) => Tags[name] ?? ""));
  const meta = new GobStruct(metaType, [new GobStruct(peerType, [Peer.SID, Peer.Type, Peer.Alias]), tags]);
  return new GobStruct(instanceType, [
    ...TEXTS.map((name) => instance[name]),
    instance.Restart,
    meta,
    ...[...GAUGES, ...COUNTERS].map((name) => instance[name]),
    instance.Wire,
  ]);
}
