/** Instances of a master over memory: what is stored, told and started is seen at once. */
import { defaultSettings } from "../../../src/config/settings.ts";
import type { Settings } from "../../../src/config/types.ts";
import type { NodePassError } from "../../../src/errors.ts";
import { createLogger } from "../../../src/log/logger.ts";
import type { InstanceEvent } from "../../../src/master/events/types.ts";
import { Instances } from "../../../src/master/instances.ts";
import type { Inheritance } from "../../../src/master/instance_url.ts";
import { InstanceLogs } from "../../../src/master/logs.ts";
import type { MasterState } from "../../../src/master/state_file/types.ts";
import type { CheckpointDetails } from "../../../src/master/supervisor/types.ts";
import type { Counters, Gauges } from "../../../src/report/types.ts";
import { systemRandom } from "../../../src/runtime/random.ts";
import { FakeClock } from "../../fake_clock.ts";

/** An API key of tests. */
export const API_KEY = "00112233445566778899aabbccddeeff";
/** A URL that nobody ever starts here. */
export const URL_A = "client://127.0.0.1:1001/127.0.0.1:80?mode=1";
/** Another one. */
export const URL_B = "server://k@127.0.0.1:1002/127.0.0.1:81";

/** Gauges of a running instance. */
export const GAUGES: Gauges = { mode: 1, ping: 2, pool: 3, tcps: 4, udps: 5 };
/** Nothing but numbers. */
export const DETAILS: CheckpointDetails = { connections: 0, rejections: {}, weakKey: false };

/** Counters with received TCP bytes. */
export function received(tcprx: number): Counters {
  return { tcprx, tcptx: 0, udprx: 0, udptx: 0 };
}

/** Instances, and everything around them. */
export class InstancesWorld {
  readonly clock: FakeClock = new FakeClock();
  readonly events: InstanceEvent[] = [];
  /** What the supervisor was told. */
  readonly commands: string[] = [];
  /** States that were written, oldest first. */
  readonly written: MasterState[] = [];
  /** Whether each of them was asked to survive a power cut. */
  readonly synced: boolean[] = [];
  /** How often all readers were sent away. */
  ended = 0;
  /** Set: writes fail with it. */
  failure: NodePassError | null = null;
  /** Set: writes wait for it. */
  hold: Promise<void> | null = null;
  readonly instances: Instances;

  constructor(
    { state = {}, inherited = {}, settings = {} }: {
      readonly state?: Partial<MasterState>;
      readonly inherited?: Partial<Inheritance>;
      readonly settings?: Partial<Settings>;
    } = {},
  ) {
    const full: MasterState = {
      ...{ masterId: "0123456789abcdef", alias: "", apiKey: API_KEY, run: 1, wire: "secure", instances: [] },
      ...state,
    };
    const lines = (write: (line: string) => void) =>
      createLogger({ level: "debug", format: "text", color: false, write, wall: () => 0 });
    this.instances = new Instances({
      store: {
        initial: full,
        save: async (state, { sync } = { sync: true }) => {
          await this.hold;
          if (this.failure !== null) throw this.failure;
          this.written.push(state);
          this.synced.push(sync);
        },
        close: () => Promise.resolve(),
      },
      state: full,
      logs: new InstanceLogs(),
      clock: this.clock,
      random: systemRandom,
      logger: lines(() => {}),
      inherited: { log: "info", tls: { kind: "plain" }, wire: "secure", ...inherited },
      settings: { ...defaultSettings, ...settings },
      lines,
    });
    const command = (name: string) => (id: string, detail = "") => void this.commands.push(`${name} ${id} ${detail}`);
    this.instances.start({
      emit: (event) => void this.events.push(event),
      attach: () => {},
      endAll: () => {
        this.ended++;
        return Promise.resolve();
      },
      readers: 0,
      dropped: 0,
    }, {
      start: command("start"),
      startAll: (list) => list.forEach(({ id, url }) => command("start")(id, url)),
      stop: command("stop"),
      restart: command("restart"),
      sessions: () => Promise.resolve([]),
      endSession: () => Promise.resolve(false),
      reload: () => {},
      engines: () => [],
      close: () => Promise.resolve(),
    });
  }

  /** `type status` of every event about instances, in order; forgets them. */
  told(): string[] {
    return this.events.splice(0).map(({ type, instance }) => `${type} ${instance?.status ?? ""}`.trim());
  }
}

/** Lets everything that is ready happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
