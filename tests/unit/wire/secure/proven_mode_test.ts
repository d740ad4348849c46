import { ProvenMode } from "../../../../src/wire/secure/proven_mode.ts";
import { deepEqual, equal, test } from "../../../harness.ts";

test("ProvenMode tries what the URL pins and nothing else", () => {
  const proven = new ProvenMode();
  proven.prove("plain");
  deepEqual(proven.candidates("derived"), ["derived"]);
  deepEqual(proven.candidates("files"), ["files"]);
});

test("ProvenMode tries everything first, then what worked", () => {
  const proven = new ProvenMode();
  deepEqual(proven.candidates("discover"), ["derived", "files", "plain"]);
  equal(proven.prove("plain"), true);
  deepEqual(proven.candidates("discover"), ["plain", "derived", "files"]);
  equal(proven.prove("plain"), false);
});

test("ProvenMode never offers plain again once TLS was proved", () => {
  for (const mode of ["derived", "files"] as const) {
    const proven = new ProvenMode();
    proven.prove("plain");
    proven.prove(mode);
    equal(proven.candidates("discover").includes("plain"), false);
    equal(proven.candidates("discover")[0], mode);
  }
});
