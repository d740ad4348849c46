import { CertificateCheck } from "../../../../src/tunnel/nodepass_1_14/certificate_check.ts";
import { deepEqual, equal, match, ok, test } from "../../../harness.ts";
import { CLAIM_MS, LinksSide, settle, wasClosed } from "./raw_links_fixture.ts";

const FP = "sha256:AA:BB";

test("CertificateCheck names a link and its certificate once, when a link waits", async () => {
  const side = new LinksSide("ingress");
  const check = new CertificateCheck({ clock: side.clock, end: "ingress", links: side.links });
  equal(check.begin(), null);
  check.seen("00000007", FP);
  const other = side.add("00000007");
  deepEqual(check.begin(), { action: "verify", id: "00000007", fp: FP });
  ok(check.passed);
  check.seen("00000008", FP);
  side.add("00000008");
  equal(check.begin(), null);
  deepEqual([side.links.ready, side.links.sessions], [1, 1]);
  // The other end looks the link up, which takes it some time.
  side.clock.advance(4_999);
  equal(await wasClosed(other), false);
  side.clock.advance(1);
  ok(await wasClosed(other));
  equal(side.links.total, 1);
});

test("CertificateCheck closes the link that it named when it is closed itself", async () => {
  const side = new LinksSide("ingress");
  const check = new CertificateCheck({ clock: side.clock, end: "ingress", links: side.links });
  check.seen("00000007", FP);
  const other = side.add("00000007");
  check.begin();
  check.close();
  ok(await wasClosed(other));
  equal(side.clock.pending, 0);
});

test("CertificateCheck passes when both ends see the same certificate, however it is written", async () => {
  const { side, check } = egress();
  check.seen("00000007", FP);
  const other = side.add("00000007");
  equal(check.passed, false);
  equal(await check.result, false);
  const compared = check.compare("00000007", FP.toLowerCase());
  ok(await check.result);
  equal(await compared, null);
  ok(check.passed);
  ok(await wasClosed(other));
});

test("CertificateCheck refuses another certificate and names both", async () => {
  const { side, check } = egress();
  check.seen("00000007", FP);
  side.add("00000007");
  const error = await check.compare("00000007", "sha256:CC:DD");
  equal(error?.code, "certificate");
  match(error.message, /sha256:AA:BB here, sha256:CC:DD at the other end/);
  equal(await check.result, false);
  equal(check.passed, false);
});

test("CertificateCheck compares with a link that the other end has closed already", async () => {
  const { side, check } = egress();
  check.seen("00000007", FP);
  side.add("00000007").close();
  await settle();
  side.clock.advance(1_000);
  equal(side.links.total, 0);
  equal(await check.compare("00000007", FP), null);
});

test("CertificateCheck waits for the link that was named, for a while", async () => {
  const { side, check } = egress();
  const compared = check.compare("00000007", FP);
  await settle();
  check.seen("00000007", FP);
  side.add("00000007");
  equal(await compared, null);

  const never = egress();
  const error = never.check.compare("00000007", FP);
  await settle();
  never.side.clock.advance(CLAIM_MS);
  match((await error)!.message, /no link has the id 00000007/);
});

test("CertificateCheck remembers the certificates of 4,096 links", async () => {
  const { side, check } = egress();
  for (let id = 0; id <= 4_096; id++) check.seen(id.toString(16).padStart(8, "0"), FP);
  const error = check.compare("00000000", FP);
  await settle();
  side.clock.advance(CLAIM_MS);
  equal((await error)?.code, "protocol");
  equal(await check.compare("00000001", FP), null);
});

function egress() {
  const side = new LinksSide("egress");
  return { side, check: new CertificateCheck({ clock: side.clock, end: "egress", links: side.links }) };
}
