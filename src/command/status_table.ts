/**
 * The instances of a master as a table for people.
 *
 * @module
 */
import { formatDuration } from "../config/duration.ts";
import { redactUrl } from "../config/tunnel_url.ts";
import { escapeValue } from "../log/escape.ts";
import { API_KEY_ID, type InstanceView } from "../master/instance.ts";
import type { MasterInfo } from "./api_client.ts";
import type { Rate } from "./rates.ts";

/** What the table shows. */
export interface StatusPicture {
  readonly name: string;
  readonly info: MasterInfo;
  readonly instances: readonly InstanceView[];
  /** Null: rates were not asked for. */
  readonly rate: ((id: string) => Rate | null) | null;
}

/** How it is drawn. */
export interface TableStyle {
  readonly columns: number;
  readonly color: boolean;
}

const LONGEST_ALIAS = 20;
const SHORTEST_URL = 24;
const GAP = "  ";

/** The lines of the table. */
export function statusTable(picture: StatusPicture, { columns, color }: TableStyle): string {
  const shown = picture.instances.filter(({ id }) => id !== API_KEY_ID);
  const lines = [masterLine(picture), ""];
  if (shown.length === 0) {
    return [...lines, "No instances: create one in the dashboard or with POST /instances"].join("\n");
  }
  const head = ["ID", "NAME", "TYPE", "STATUS", "PING", "LINKS", "TCP", "UDP"];
  const measured = picture.rate !== null;
  head.push(...(measured ? ["IN/S", "OUT/S"] : []), "IN", "OUT", "URL");
  const rows = shown.map((instance) => rowOf(instance, picture));
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]!.length)));
  const used = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0);
  const room = Math.max(SHORTEST_URL, columns - used);
  const text = (row: readonly string[]): string =>
    row.map((cell, at) => {
      if (at === row.length - 1) return cut(cell, room);
      return at < 4 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!);
    }).join(GAP);
  lines.push(text(head));
  for (const [at, row] of rows.entries()) {
    const line = text(row);
    lines.push(color && shown[at]!.status === "error" ? `\x1b[31m${line}\x1b[0m` : line);
  }
  return lines.join("\n");
}

function masterLine({ name, info, instances }: StatusPicture): string {
  const label = info.alias === "" ? info.mid : `"${escapeValue(info.alias)}" (${info.mid})`;
  const version = info.impl_version === undefined ? info.ver : `${info.impl ?? "nodepass"} ${info.impl_version}`;
  const count = instances.filter(({ status }) => status === "running").length;
  const parts = [`up ${formatDuration(info.uptime * 1000)}`, `${count} running`];
  if (info.cpu >= 0) parts.push(`CPU ${info.cpu} %`);
  if (info.mem_total > 0) parts.push(`memory ${bytes(info.mem_used)} of ${bytes(info.mem_total)}`);
  return `Master ${label} at ${name}: ${escapeValue(version)}, ${parts.join(", ")}`;
}

function rowOf(instance: InstanceView, { rate }: StatusPicture): string[] {
  const running = instance.status === "running";
  const measured = rate?.(instance.id) ?? null;
  return [
    instance.id,
    cut(escapeValue(instance.alias) || "-", LONGEST_ALIAS),
    instance.type,
    instance.status,
    running && instance.ping > 0 ? `${instance.ping} ms` : "-",
    String(instance.pool),
    String(instance.tcps),
    String(instance.udps),
    ...(rate === null
      ? []
      : measured === null || !running
      ? ["-", "-"]
      : [perSecond(measured.rx), perSecond(measured.tx)]),
    bytes(instance.tcprx + instance.udprx),
    bytes(instance.tcptx + instance.udptx),
    escapeValue(redactUrl(instance.url)),
  ];
}

function perSecond(value: number): string {
  return `${bytes(value)}/s`;
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** A number of bytes for people: three digits and a unit. */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let size = value;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${unit === 0 || size >= 99.95 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}
