/**
 * What a master must still know after it was killed: all that it acknowledged, and of each change that was on its way
 * either all or nothing.
 *
 * @module
 */
import type { InstanceView } from "../../../src/master/instance.ts";

/** One change that a client asks for. */
export interface Step {
  readonly kind: "create" | "patch" | "put" | "delete";
  readonly method: string;
  readonly path: string;
  /** Undefined for `create`. */
  readonly id?: string;
  /** Where the instance listens. */
  readonly port: number;
  readonly body?: {
    readonly alias?: string;
    readonly url?: string;
    readonly restart?: boolean;
    readonly action?: string;
  };
}

/** One instance as its client knows it. */
export interface KnownInstance {
  readonly id: string;
  readonly worker: number;
  readonly port: number;
  readonly alias: string;
  readonly url: string;
  readonly restart: boolean;
}

/** See the module. */
export class Expected {
  #known = new Map<string, KnownInstance>();
  readonly #pending = new Map<number, Step>();

  /** All that should be there. */
  get instances(): readonly KnownInstance[] {
    return [...this.#known.values()];
  }

  /** Those of one client. */
  of(worker: number): readonly KnownInstance[] {
    return this.instances.filter((instance) => instance.worker === worker);
  }

  /** A client has asked. */
  begin(worker: number, step: Step): void {
    this.#pending.set(worker, step);
  }

  /** The master has answered. */
  acknowledge(worker: number, view: InstanceView | null): void {
    const step = this.#pending.get(worker)!;
    this.#pending.delete(worker);
    if (step.kind === "delete") this.#known.delete(step.id!);
    else if (view !== null) {
      const { id, alias, url, restart } = view;
      this.#known.set(id, { id, worker, port: step.port, alias, url, restart });
    }
  }

  /** Compares with what is there after a kill and goes on from that; says what is lost or was never asked for. */
  settle(found: readonly InstanceView[]): string[] {
    const problems: string[] = [];
    const now = new Map<string, KnownInstance>();
    for (const [id, before] of this.#known) {
      const view = found.find((instance) => instance.id === id);
      const step = [...this.#pending.values()].find((pending) => pending.id === id);
      if (view === undefined) {
        if (step?.kind !== "delete") problems.push(`${id} is gone`);
        continue;
      }
      const after = { ...before, ...step?.body };
      if (!same(view, before) && !same(view, after)) {
        problems.push(
          `${id} is ${view.alias} ${view.restart} ${view.url}, not ${before.alias} ${before.restart} ${before.url}`,
        );
      }
      now.set(id, { ...before, alias: view.alias, url: view.url, restart: view.restart });
    }
    for (const { id, alias, url, restart } of found.filter((view) => !this.#known.has(view.id))) {
      const maker = [...this.#pending].find(([, { kind, body }]) => kind === "create" && body?.alias === alias);
      if (maker === undefined) problems.push(`${id} was deleted or never made`);
      else now.set(id, { id, worker: maker[0], port: maker[1].port, alias, url, restart });
    }
    this.#known = now;
    this.#pending.clear();
    return problems;
  }
}

function same(view: InstanceView, known: Omit<KnownInstance, "worker">): boolean {
  return view.alias === known.alias && view.url === known.url && view.restart === known.restart;
}
