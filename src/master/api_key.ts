/**
 * The API key of a master, and the pseudo instance that carries it.
 *
 * @module
 */
import { Secret } from "../config/secret.ts";
import { equalInConstantTime, fingerprint } from "./identifiers.ts";
import { API_KEY_ID, EMPTY_META, type InstanceView } from "./instance.ts";

/** Digits of a key. */
export const API_KEY_DIGITS = 32;

/** The master itself: its names and its key. */
export class MasterIdentity {
  /** 16 hex digits, made once. */
  readonly id: string;
  alias: string;
  #key: Secret;
  #keys = 0;

  constructor(id: string, alias: string, key: string) {
    this.id = id;
    this.alias = alias;
    this.#key = new Secret(key);
  }

  /** The API key. */
  get key(): Secret {
    return this.#key;
  }

  /** Another key counts from now on. */
  replaceKey(key: string): void {
    this.#key = new Secret(key);
    this.#keys++;
  }

  /** Whether this is the key; takes the same time for every text of a length. */
  isKey(text: string): boolean {
    return equalInConstantTime(text, this.#key.reveal());
  }

  /** Changes with the alias and the key. */
  revision(): string {
    return fingerprint(JSON.stringify([this.id, this.alias, this.#keys]));
  }

  /** What the API shows. @param shown false: without the key, for events */
  view(shown: boolean): InstanceView {
    return {
      ...{ id: API_KEY_ID, alias: this.alias, type: "", status: "", url: shown ? this.#key.reveal() : "" },
      ...{ config: this.id, restart: false, meta: EMPTY_META, mode: 0, ping: 0, pool: 0, tcps: 0, udps: 0 },
      ...{ tcprx: 0, tcptx: 0, udprx: 0, udptx: 0 },
    };
  }
}
