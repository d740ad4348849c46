import { ApiError } from "../../../src/http/api_error.ts";
import { readChange, readCreate, readMasterAlias, readReplace } from "../../../src/master/schemas.ts";
import { deepEqual, equal, test, throws } from "../../harness.ts";

const refused = (error: unknown): boolean =>
  error instanceof ApiError && error.status === 400 && error.message === "Invalid request body";

test("bodies are objects: lists, texts and null are refused", () => {
  for (const body of [[], [null], "x", 1, null, true]) {
    throws(() => readCreate(body), refused);
    throws(() => readReplace(body), refused);
    throws(() => readMasterAlias(body), refused);
    throws(() => readChange(body), refused);
    if (body === null) continue;
    throws(() => readChange({ meta: body }), refused);
    throws(() => readChange({ meta: { peer: body } }), refused);
    throws(() => readChange({ meta: { tags: body } }), refused);
  }
});

test("null and unknown members count as absent", () => {
  deepEqual(readChange({ alias: null, action: null, restart: null, meta: null, more: 1 }), {});
  deepEqual(readChange({ meta: { peer: null, tags: null } }), { meta: {} });
  equal(readMasterAlias({ alias: null }), null);
  deepEqual(readCreate({ url: "server://:1/:2", alias: null }), { url: "server://:1/:2", alias: "" });
});

test("notes: a member of null is cleared, an absent one stays, any name is taken", () => {
  deepEqual(readChange({ meta: { peer: { sid: null, alias: "a" } } }), { meta: { peer: { sid: "", alias: "a" } } });
  const { meta } = readChange({ meta: { tags: { constructor: "a", gone: null } } });
  deepEqual(Object.entries(meta?.tags ?? {}), [["constructor", "a"], ["gone", ""]]);
});
