/**
 * The instances of a master: what is stored, what runs, what is told. Everything that changes goes through one
 * `#update`, which validates, stores, and only then shows and tells.
 *
 * @module
 */
import type { Settings } from "../config/types.ts";
import type { Secret } from "../config/secret.ts";
import type { Logger } from "../log/types.ts";
import type { SessionRecord } from "../report/types.ts";
import type { Clock, Random } from "../runtime/types.ts";
import { Announcer } from "./announcer.ts";
import { API_KEY_DIGITS, MasterIdentity } from "./api_key.ts";
import {
  addInstance,
  changeInstance,
  changeUrl,
  checkMatch,
  type Draft,
  notFound,
  refuseApiKey,
  removeInstance,
} from "./changes.ts";
import type { EventHub } from "./events/types.ts";
import { randomHex } from "./identifiers.ts";
import { API_KEY_ID, type InstanceView, type Status, type StoredInstance } from "./instance.ts";
import { InstanceRecord, revisionOf } from "./instance_record.ts";
import { type Inheritance, type InstanceUrl, readInstanceUrl, unreadableUrl } from "./instance_url.ts";
import { checkLength } from "./limits.ts";
import type { InstanceLogs } from "./logs.ts";
import type { IfMatch, InstanceChange, InstanceRegistry } from "./parts.ts";
import type { MasterState, StateStore } from "./state_file/types.ts";
import type { InstanceSupervisor, SupervisorEvents } from "./supervisor/types.ts";
import { type Change, WriteQueue } from "./write_queue.ts";

/** What an {@linkcode Instances} works with. */
export interface InstancesOptions {
  readonly store: StateStore;
  /** What the store has. */
  readonly state: MasterState;
  readonly logs: InstanceLogs;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly inherited: Inheritance;
  readonly settings: Settings;
  /** A log whose lines go to `write`: for what a master has to say about one instance. */
  readonly lines: (write: (line: string) => void) => Logger;
}

/** See the module. */
export class Instances implements InstanceRegistry {
  readonly #options: InstancesOptions;
  readonly #records = new Map<string, InstanceRecord>();
  readonly #identity: MasterIdentity;
  readonly #announcer: Announcer;
  readonly #writes: WriteQueue<Draft>;
  /** Instances that reported bytes which are not on disk. */
  #reported = new Set<InstanceRecord>();
  /** Those whose bytes are being written. */
  #inWrite = new Set<InstanceRecord>();
  #hub: EventHub | null = null;
  #supervisor: InstanceSupervisor | null = null;
  #frozen = false;

  /** What the supervisor tells. */
  readonly events: SupervisorEvents = {
    status: (id, status, message) => this.#onStatus(id, status, message),
    checkpoint: (id, gauges, delta, details) => {
      const record = this.#records.get(id);
      if (record === undefined) return;
      record.take(gauges, delta, details);
      if (!record.hasUnsaved) return this.#changed(record);
      this.#reported.add(record);
      this.#writes.counted();
    },
    log: (id, line) => this.#onLog(id, line),
  };

  constructor(options: InstancesOptions) {
    this.#options = options;
    const { state, clock, logger } = options;
    this.#announcer = new Announcer(clock);
    this.#identity = new MasterIdentity(state.masterId, state.alias, state.apiKey);
    for (const stored of state.instances) this.#records.set(stored.id, this.#recordOf(stored));
    this.#writes = new WriteQueue<Draft>({
      clock,
      logger,
      draft: () => this.#draft(),
      save: (draft, sync) => this.#save(draft, sync),
      saved: (draft) => this.#onSaved(draft),
      failed: () => this.#showReported(),
    });
  }

  /** Starts what is to run from the start on. */
  start(hub: EventHub, supervisor: InstanceSupervisor): void {
    this.#hub = hub;
    this.#supervisor = supervisor;
    this.#announcer.start(hub);
    const starting = [...this.#records.values()].filter(({ stored }) => stored.restart);
    for (const record of this.#records.values()) {
      record.stored = { ...record.stored, wanted: record.stored.restart };
    }
    supervisor.startAll(starting.map(({ stored, url }) => ({ id: stored.id, url: url.config })));
  }

  /** From now on nothing changes but counters: instances that end have not been stopped by anybody. */
  freeze(): void {
    this.#frozen = true;
    this.#announcer.close();
  }

  /** Writes what is left. Idempotent. */
  async close(): Promise<void> {
    this.freeze();
    await this.#writes.close();
  }

  get masterId(): string {
    return this.#identity.id;
  }

  get masterAlias(): string {
    return this.#identity.alias;
  }

  /** The API key of now. */
  get apiKey(): Secret {
    return this.#identity.key;
  }

  isApiKey(text: string): boolean {
    return this.#identity.isKey(text);
  }

  list(): readonly InstanceView[] {
    return [this.#identity.view(true), ...Array.from(this.#records.values(), (record) => record.view())];
  }

  get(id: string): InstanceView | null {
    return id === API_KEY_ID ? this.#identity.view(true) : this.#records.get(id)?.view() ?? null;
  }

  revision(id: string): string {
    return id === API_KEY_ID ? this.#identity.revision() : revisionOf(this.#record(id).stored);
  }

  async create({ url, alias }: { readonly url: string; readonly alias: string }): Promise<InstanceView> {
    checkLength("Instance alias", alias);
    const read = this.#read(url);
    return await this.#update((draft) => {
      const stored = addInstance(draft, url, alias, this.#options.random);
      return () => {
        const record = new InstanceRecord(stored, read);
        this.#records.set(stored.id, record);
        this.#announcer.created(record);
        this.#warn(record, read);
        this.#supervisor?.start(stored.id, read.config);
        return record.view();
      };
    });
  }

  async patch(id: string, change: InstanceChange, ifMatch: IfMatch): Promise<InstanceView> {
    if (id === API_KEY_ID) {
      checkMatch(this.#identity.revision(), ifMatch);
      return change.action === "restart" ? await this.rotateKey() : this.#identity.view(true);
    }
    return await this.#update((draft) => {
      const { before, after } = changeInstance(draft, id, change, ifMatch);
      return () => {
        const record = this.#record(id);
        record.stored = after;
        if (change.action === "reset") record.zeroed(before.counters);
        this.#act(record, change.action);
        this.#changed(record);
        return record.view();
      };
    });
  }

  async replaceUrl(id: string, url: string, ifMatch: IfMatch): Promise<InstanceView> {
    refuseApiKey(id);
    this.#read(url, this.#record(id).stored.wire);
    return await this.#update((draft) => {
      const read = this.#read(url, draft.instances.get(id)?.wire);
      const { after } = changeUrl(draft, id, url, ifMatch);
      return () => {
        const record = this.#record(id);
        record.stored = after;
        record.replaceUrl(read);
        this.#warn(record, read);
        this.#act(record, "restart");
        this.#changed(record);
        return record.view();
      };
    });
  }

  async remove(id: string, ifMatch: IfMatch): Promise<void> {
    refuseApiKey(id);
    await this.#update((draft) => {
      removeInstance(draft, id, ifMatch);
      return () => {
        const record = this.#record(id);
        this.#supervisor?.stop(id);
        this.#records.delete(id);
        this.#options.logs.remove(id);
        this.#announcer.deleted(record);
      };
    });
  }

  async rotateKey(): Promise<InstanceView> {
    const key = randomHex(this.#options.random, API_KEY_DIGITS);
    return await this.#update((draft) => {
      draft.apiKey = key;
      return () => {
        this.#identity.replaceKey(key);
        this.#announcer.emit("update", this.#identity.view(false));
        // Whoever listens does so with the old key.
        void this.#hub?.endAll();
        return this.#identity.view(true);
      };
    });
  }

  async setMasterAlias(alias: string): Promise<void> {
    checkLength("Master alias", alias);
    await this.#update((draft) => {
      draft.alias = alias;
      return () => {
        this.#identity.alias = alias;
        this.#announcer.emit("update", this.#identity.view(false));
      };
    });
  }

  async sessions(id: string): Promise<readonly SessionRecord[]> {
    if (id === API_KEY_ID) return [];
    this.#record(id);
    return await this.#supervisor?.sessions(id) ?? [];
  }

  async endSession(id: string, session: string): Promise<boolean> {
    if (id === API_KEY_ID) return false;
    this.#record(id);
    return await this.#supervisor?.endSession(id, session) ?? false;
  }

  logs(id: string, lines: number): readonly string[] {
    if (id !== API_KEY_ID) this.#record(id);
    return this.#options.logs.last(id, lines);
  }

  connections(): ReadonlyMap<string, number> {
    return new Map(Array.from(this.#records, ([id, record]) => [id, record.connections]));
  }

  rejections(): ReadonlyMap<string, Readonly<Record<string, number>>> {
    return new Map(Array.from(this.#records, ([id, record]) => [id, record.rejections]));
  }

  weakKey(id: string): boolean {
    return this.#records.get(id)?.weakKey ?? false;
  }

  /** The one way to change what is stored. */
  #update<Answer>(change: Change<Draft, Answer>): Promise<Answer> {
    return this.#writes.update(change);
  }

  #draft(): Draft {
    this.#inWrite = this.#reported;
    this.#reported = new Set();
    return {
      alias: this.#identity.alias,
      apiKey: this.#identity.key.reveal(),
      instances: new Map(Array.from(this.#records, ([id, record]) => [id, record.latest()])),
    };
  }

  async #save({ alias, apiKey, instances }: Draft, sync: boolean): Promise<void> {
    const { store, state: { masterId, run, wire } } = this.#options;
    await store.save({ masterId, alias, apiKey, run, wire, instances: [...instances.values()] }, { sync });
  }

  #onSaved({ instances }: Draft): void {
    for (const { id, counters } of instances.values()) this.#records.get(id)?.saved(counters);
    this.#showReported();
  }

  #showReported(): void {
    for (const record of this.#inWrite) this.#changed(record);
    this.#inWrite.clear();
  }

  #act(record: InstanceRecord, action: InstanceChange["action"]): void {
    const { stored: { id }, url: { config } } = record;
    switch (action) {
      case "start":
        if (record.status === "error") this.#supervisor?.restart(id, config);
        else this.#supervisor?.start(id, config);
        break;
      case "stop":
        this.#announcer.stopped(record);
        this.#supervisor?.stop(id);
        break;
      case "restart":
        this.#announcer.stopped(record);
        this.#supervisor?.restart(id, config);
    }
  }

  #onStatus(id: string, status: Status, message: string): void {
    const record = this.#records.get(id);
    if (record === undefined || this.#frozen) return;
    // What was on its way when somebody stopped it is no news.
    if (status !== "stopped" && !record.stored.wanted) return;
    if (status === "error") this.#explain(record, message);
    this.#announcer.status(record, status);
  }

  /** A failure stands in the log of the instance, whoever noticed it. */
  #explain(record: InstanceRecord, message: string): void {
    const { id } = record.stored;
    this.#options.logger.warn("Instance failed", { instance: id, reason: message });
    if (message === "" || this.#options.logs.last(id, 20).some((line) => line.includes(message))) return;
    this.#linesOf(record).error(message);
  }

  #warn(record: InstanceRecord, { warnings }: InstanceUrl): void {
    const lines = this.#linesOf(record);
    for (const warning of warnings) lines.warn(warning);
  }

  #linesOf({ stored: { id } }: InstanceRecord): Logger {
    return this.#options.lines((line) => this.#onLog(id, line));
  }

  #onLog(id: string, line: string): void {
    const record = this.#records.get(id);
    if (record !== undefined) this.#announcer.logged(record, this.#options.logs.append(id, line));
  }

  #changed(record: InstanceRecord): void {
    if (this.#records.get(record.stored.id) === record) this.#announcer.changed(record);
  }

  #record(id: string): InstanceRecord {
    const record = this.#records.get(id);
    if (record === undefined) throw notFound();
    return record;
  }

  /** @param wire of an instance that came from a Go master, where its URL names none */
  #read(url: string, wire: StoredInstance["wire"] = undefined): InstanceUrl {
    return readInstanceUrl(url, this.#inherited(wire), this.#options.settings);
  }

  #inherited(wire: StoredInstance["wire"]): Inheritance {
    const { inherited } = this.#options;
    return wire === undefined ? inherited : { ...inherited, wire };
  }

  /** What is stored was accepted once; another version may read it differently, and then its run says so. */
  #recordOf(stored: StoredInstance): InstanceRecord {
    try {
      return new InstanceRecord(stored, this.#read(stored.url, stored.wire));
    } catch {
      return new InstanceRecord(stored, unreadableUrl(stored.url, this.#inherited(stored.wire)));
    }
  }
}
