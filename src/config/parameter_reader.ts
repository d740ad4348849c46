/**
 * Takes the query of one URL apart and collects everything that is wrong with it.
 *
 * @module
 */
import * as v from "valibot";
import { parameterNamed, parametersOf, type Role } from "./parameters.ts";
import { parameterSchemas, type ParameterValues } from "./schemas.ts";
import { suggest } from "./suggest.ts";
import type { QueryEntry } from "./url_text.ts";

/** A value for a message: quoted, on one line, cut. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}...` : text);
}

/** The parameters of one URL. */
export class ParameterReader {
  /** What makes the URL unacceptable, one line each. */
  readonly findings: string[] = [];
  /** What is accepted and probably not meant. */
  readonly warnings: string[] = [];
  /** Parameters nobody knows: only when lenient. */
  readonly unknown: QueryEntry[] = [];
  readonly #role: Role;
  readonly #strict: boolean;
  readonly #values = new Map<string, string>();

  /**
   * @param role whose URL it is
   * @param query its parameters, in order
   * @param strict whether an unknown parameter is an error
   */
  constructor(role: Role, query: readonly QueryEntry[], strict: boolean) {
    this.#role = role;
    this.#strict = strict;
    for (const entry of query) this.#add(entry);
  }

  /** Whether the parameter has a value. */
  has(name: keyof ParameterValues): boolean {
    return this.#values.has(name);
  }

  /** The typed value, or `fallback` when the parameter is absent; a bad value is a finding. */
  get<N extends keyof ParameterValues, F>(name: N, fallback: F): ParameterValues[N] | F {
    const text = this.#values.get(name);
    if (text === undefined) return fallback;
    const result = v.safeParse<ParameterSchema<N>>(parameterSchemas[name], text);
    if (result.success) return result.output as ParameterValues[N];
    this.reject(name);
    return fallback;
  }

  /** The value of a parameter is not acceptable (beside the others). */
  reject(name: keyof ParameterValues, expected: string = parameterNamed(name)?.accepted ?? "another value"): void {
    this.findings.push(`Parameter "${name}" is ${quote(this.#values.get(name) ?? "")}: expected ${expected}`);
  }

  #add({ name, value }: QueryEntry): void {
    if (value === "" || name === "" && value === null) return;
    const known = name === "cert" ? "crt" : name;
    if (known !== name) this.warnings.push('Parameter "cert" is read as "crt", its name here');
    const parameter = parameterNamed(known);
    if (parameter === null || parameter.roles.every((role) => (role === "master") !== (this.#role === "master"))) {
      this.#addUnknown({ name, value });
    } else if (value === null) {
      this.#complain(`Parameter "${name}" has no value: expected ${parameter.accepted}`);
    } else if (!parameter.roles.includes(this.#role)) {
      this.warnings.push(`Parameter "${name}" belongs to the ${parameter.roles[0]}, the ${this.#role} ignores it`);
    } else {
      if (this.#values.has(known)) {
        this.warnings.push(`Parameter "${known}" is given more than once, the last one counts`);
      }
      this.#values.set(known, value);
    }
  }

  #addUnknown(entry: QueryEntry): void {
    const names = parametersOf(this.#role).map((parameter) => parameter.name);
    const close = suggest(entry.name, names);
    const hint = close === null ? `a ${this.#role} takes ${names.join(", ")}` : `did you mean "${close}"?`;
    const value = entry.value === null ? "has no value" : `is ${quote(entry.value)}`;
    this.#complain(`Parameter ${quote(entry.name)} ${value}: there is no parameter of this name, ${hint}`);
    if (!this.#strict) this.unknown.push(entry);
  }

  #complain(text: string): void {
    (this.#strict ? this.findings : this.warnings).push(text);
  }
}

type ParameterSchema<N extends keyof ParameterValues> = (typeof parameterSchemas)[N];
