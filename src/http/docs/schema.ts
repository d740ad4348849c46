/**
 * Schemas on the documentation page.
 *
 * @module
 */
import { escapeHtml, phrase, prose } from "./text.ts";
import type { Json, Schema } from "../openapi/types.ts";

/** A table of the members of an object; a line for every other schema. */
export function schemaTable(schema: Schema): string {
  const head = typeof schema.description === "string" ? prose(schema.description) : "";
  const members = membersOf(schema, "");
  if (members.length === 0) return `${head}<p>${typeText(schema)}</p>`;
  const rows = members.map(({ name, required, schema: member }) => {
    const meaning = typeof member.description === "string" ? phrase(member.description) : "";
    return `<tr><th scope="row"><code>${escapeHtml(name)}</code>${
      required ? ' <span class="must">required</span>' : ""
    }</th><td>${typeText(member)}</td><td>${meaning}</td></tr>`;
  });
  return `${head}<div class="wide"><table><thead><tr><th scope="col">Member</th><th scope="col">Type</th>` +
    `<th scope="col">Meaning</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

/** What a schema accepts, in a few words of HTML. */
export function typeText(schema: Schema): string {
  const target = referenceName(schema);
  if (target !== null) return `<a href="#schema-${target}">${target}</a>`;
  if (Array.isArray(schema.oneOf)) return schema.oneOf.map((one) => typeText(asSchema(one))).join(" or ");
  if (schema.contentSchema !== undefined) return `frames of ${typeText(asSchema(schema.contentSchema))}`;
  if (schema.type === "array") return `array of ${typeText(asSchema(schema.items))}`;
  const types = Array.isArray(schema.type) ? schema.type : [schema.type ?? "any"];
  const parts = [types.map((type) => escapeHtml(String(type))).join(" or ")];
  if (Array.isArray(schema.enum)) {
    parts.push(schema.enum.map((value) => `<code>${escapeHtml(JSON.stringify(value))}</code>`).join(" "));
  }
  if (typeof schema.pattern === "string") parts.push(`<code>${escapeHtml(schema.pattern)}</code>`);
  if (typeof schema.minimum === "number") parts.push(`from ${schema.minimum}`);
  if (typeof schema.maximum === "number") parts.push(`to ${schema.maximum}`);
  if (typeof schema.maxLength === "number") parts.push(`at most ${schema.maxLength} characters`);
  return parts.join(", ");
}

interface Member {
  readonly name: string;
  readonly required: boolean;
  readonly schema: Schema;
}

function membersOf(schema: Schema, prefix: string): Member[] {
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(asSchema(schema.properties)).flatMap(([name, value]) => {
    const member = asSchema(value);
    const path = prefix + name;
    return [{ name: path, required: required.includes(name), schema: member }, ...membersOf(member, `${path}.`)];
  });
}

function referenceName(schema: Schema): string | null {
  return typeof schema.$ref === "string" ? schema.$ref.split("/").at(-1) ?? null : null;
}

function asSchema(value: Json | undefined): Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value as Schema : {};
}
