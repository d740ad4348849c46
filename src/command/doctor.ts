/**
 * `nodepass doctor`: what is wrong with a tunnel, seen from the masters of its ends.
 *
 * @module
 */
import { NodePassError } from "../errors.ts";
import { apiTarget, doctorFlags } from "./api_flags.ts";
import { type CommandContext, type ExitCode, print, printJson } from "./context.ts";
import type { Finding, Section } from "./doctor/finding.ts";
import { type Patient, patientsOf } from "./doctor/instance.ts";
import { examineMaster, type Master } from "./doctor/master.ts";
import { pairsOf } from "./doctor/pairs.ts";
import { aloneSection, pairSection } from "./doctor/sections.ts";
import { readArguments } from "./flags.ts";

/** `nodepass doctor [id...] --api URL --key K [--api2 URL --key2 K] [--json]` */
export async function doctorCommand(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  const given = readArguments(args, "doctor", doctorFlags);
  const { runtime } = context;
  const targets = [
    await apiTarget(given, "", true, runtime.files),
    await apiTarget(given, "2", false, runtime.files),
  ].filter((target) => target !== null);
  const examined = await Promise.all(targets.map((target) => examineMaster(target, runtime)));
  const sections: Section[] = examined.map(({ section }) => section);
  const masters = examined.flatMap(({ master }) => master === null ? [] : [master]);
  sections.push(...await examineInstances(masters, given.positionals, context));
  const findings = sections.flatMap(({ findings }) => findings);
  const count = (level: Finding["level"]): number => findings.filter((finding) => finding.level === level).length;
  if (given.flags.has("json")) {
    printJson(context, { ok: count("error") === 0, errors: count("error"), warnings: count("warning"), sections });
  } else {
    print(context, `${sections.map(textOf).join("\n\n")}\n\n${verdict(count("error"), count("warning"))}`);
  }
  return count("error") === 0 ? 0 : 1;
}

async function examineInstances(
  masters: readonly Master[],
  ids: readonly string[],
  context: CommandContext,
): Promise<Section[]> {
  const read = masters.map(patientsOf);
  const all = read.flatMap(({ patients }) => patients);
  for (const id of ids) {
    if (!all.some(({ view }) => view.id === id || view.alias === id)) {
      throw new NodePassError("usage", `Instance ${JSON.stringify(id)} does not exist: see "nodepass status"`);
    }
  }
  const { pairs, alone } = pairsOf(ids.length === 2 ? chosen(all, ids) : all);
  const wanted = (patient: Patient): boolean => ids.length === 0 || chosen([patient], ids).length > 0;
  const sections = await inTurn([
    ...pairs.filter(({ server, client }) => wanted(server) || wanted(client)).map((pair) => () =>
      pairSection(pair, context.runtime)
    ),
    ...alone.filter(wanted).map((patient) => () => aloneSection(patient, context.runtime)),
  ]);
  const unread = read.flatMap(({ findings }) => findings);
  if (unread.length > 0) sections.push({ subject: "Instances that cannot be examined", findings: unread });
  return sections;
}

function chosen(patients: readonly Patient[], ids: readonly string[]): Patient[] {
  return patients.filter(({ view }) => ids.includes(view.id) || view.alias !== "" && ids.includes(view.alias));
}

/** One after the other: a master dials ten addresses at once, and others want to as well. */
async function inTurn(work: readonly (() => Promise<Section>)[]): Promise<Section[]> {
  const sections: Section[] = [];
  for (const next of work) sections.push(await next());
  return sections;
}

function textOf({ subject, findings }: Section): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ level, check, text, advice }) => [
    `  ${level.padEnd(8)} ${check.padEnd(width)}  ${text}`,
    ...(advice === null ? [] : [`  ${"".padEnd(8)} ${"".padEnd(width)}  -> ${advice}`]),
  ]);
  return [subject, ...lines].join("\n");
}

function verdict(errors: number, warnings: number): string {
  const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;
  if (errors + warnings === 0) return "All is well";
  return `${count(errors, "error")}, ${count(warnings, "warning")}`;
}
