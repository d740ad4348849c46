/**
 * `/info`: the master and the machine that it runs on.
 *
 * @module
 */
import { VERSION } from "../../version.ts";
import { machine } from "../machine.ts";
import type { MasterParts } from "../parts.ts";
import { answerJson, bodyOf, type Handler } from "../request.ts";
import { readMasterAlias } from "../schemas.ts";

/** Version of the API that clients compare with what they need. */
const COMPATIBLE_WITH = "1.14.0";
/** Which program this is, among those that serve this API. */
const IMPLEMENTATION = "nodepass-ts";

const TLS_CODES = { plain: "0", derived: "1", files: "2" } as const;

/** What the master and the machine are. */
export const getInfo: Handler = async (_, parts) => answerJson(await infoOf(parts));

/** Gives the master another name. */
export const changeInfo: Handler = async (c, parts) => {
  const alias = readMasterAlias(await bodyOf(c));
  if (alias !== null) await parts.instances.setMasterAlias(alias);
  return answerJson(await infoOf(parts));
};

async function infoOf(
  { config, instances, system, runtime, startedAt }: MasterParts,
): Promise<Record<string, unknown>> {
  const sample = await system.sample();
  const files = config.tls.kind === "files" ? config.tls.files : { chain: "", key: "" };
  const { os, arch, name } = await machine(runtime.files);
  return {
    mid: instances.masterId,
    alias: instances.masterAlias,
    os,
    arch,
    ...sample,
    ver: COMPATIBLE_WITH,
    name: config.listen.host === "" ? name : config.listen.host,
    uptime: Math.max(0, Math.floor((runtime.clock.now() - startedAt) / 1000)),
    log: config.log,
    tls: TLS_CODES[config.tls.kind],
    crt: files.chain,
    key: files.key,
    impl: IMPLEMENTATION,
    impl_version: VERSION,
  };
}
