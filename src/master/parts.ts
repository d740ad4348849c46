/**
 * What the routes of a master work with.
 *
 * @module
 */
import type { MasterConfig } from "../config/master_url.ts";
import type { Settings } from "../config/types.ts";
import type { Logger } from "../log/types.ts";
import type { SessionRecord } from "../report/types.ts";
import type { Runtime } from "../runtime/types.ts";
import type { EventHub } from "./events/types.ts";
import type { InstanceView, Meta } from "./instance.ts";

/** What a PATCH may say; what is absent stays. */
export interface InstanceChange {
  /** "" means unchanged. */
  readonly alias?: string;
  readonly action?: "start" | "stop" | "restart" | "reset";
  readonly restart?: boolean;
  readonly meta?: { readonly peer?: Partial<Meta["peer"]>; readonly tags?: Meta["tags"] };
}

/** Refuses a change when somebody else made one: the revisions that `If-Match` named; null when it named none. */
export type IfMatch = ((revision: string) => boolean) | null;

/** The instances of a master. Every method that changes something resolves once it is on disk. */
export interface InstanceRegistry {
  list(): readonly InstanceView[];
  get(id: string): InstanceView | null;
  /** Changes with alias, url, restart and meta, not with counters. */
  revision(id: string): string;
  create(options: { readonly url: string; readonly alias: string }): Promise<InstanceView>;
  patch(id: string, change: InstanceChange, ifMatch: IfMatch): Promise<InstanceView>;
  replaceUrl(id: string, url: string, ifMatch: IfMatch): Promise<InstanceView>;
  remove(id: string, ifMatch: IfMatch): Promise<void>;
  /** A new API key: the old one is refused from now on, its event streams end. */
  rotateKey(): Promise<InstanceView>;
  sessions(id: string): Promise<readonly SessionRecord[]>;
  endSession(id: string, session: string): Promise<boolean>;
  /** The last lines, oldest first. */
  logs(id: string, lines: number): readonly string[];
  readonly masterId: string;
  readonly masterAlias: string;
  setMasterAlias(alias: string): Promise<void>;
  /** Whether this is the API key; takes the same time for every text. */
  isApiKey(text: string): boolean;
  /** TCP sessions of all runs since the master started, by instance, for metrics. */
  connections(): ReadonlyMap<string, number>;
  /** Rejections of all runs by instance and reason, for metrics. */
  rejections(): ReadonlyMap<string, Readonly<Record<string, number>>>;
  /** Whether the key of this instance is short or made from its port. */
  weakKey(id: string): boolean;
}

/** What `/info` says about the machine; -1 and 0 where it is not known. All integers. */
export interface SystemSample {
  readonly cpu: number;
  readonly mem_total: number;
  readonly mem_used: number;
  readonly mem_free: number;
  readonly swap_total: number;
  readonly swap_used: number;
  readonly swap_free: number;
  readonly netrx: number;
  readonly nettx: number;
  readonly diskr: number;
  readonly diskw: number;
  readonly sysup: number;
}

/** Answer of a tcping. */
export interface TcpingResult {
  readonly target: string;
  readonly connected: boolean;
  /** Milliseconds. */
  readonly latency: number;
  readonly error: string | null;
}

/** All parts. */
export interface MasterParts {
  readonly config: MasterConfig;
  readonly settings: Settings;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly instances: InstanceRegistry;
  readonly hub: EventHub;
  /** The latest sample: taken in the background while somebody asks. */
  readonly system: { sample(): Promise<SystemSample>; close(): void };
  readonly tcping: (target: string) => Promise<TcpingResult>;
  /** False while the master is starting or ending. */
  readonly ready: () => boolean;
  /** Milliseconds of the clock at the start. */
  readonly startedAt: number;
}
