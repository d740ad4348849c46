import { deepEqual, equal, ok, test } from "../../../harness.ts";
import { CLAIM_MS, LinksSide, settle, wasClosed } from "./raw_links_fixture.ts";

test("RawLinks gives the link that came last, and takes back what was not used", () => {
  const { links, ...side } = sideWith("00000001", "00000002");
  const link = links.take()!;
  equal(link.id, "00000002");
  deepEqual([links.ready, links.sessions, links.total], [1, 1, 2]);
  link.release();
  deepEqual([links.ready, links.sessions], [2, 0]);
  equal(links.take()?.id, "00000002");
  equal(links.take()?.id, "00000001");
  equal(links.take(), null);
  equal(side.changes(), 6);
});

test("RawLinks closes links above the limit, and a second one of the same id", async () => {
  const side = new LinksSide("ingress", 2);
  side.add("00000001");
  ok(await wasClosed(side.add("00000001")));
  side.add("00000002");
  ok(await wasClosed(side.add("00000003")));
  equal(side.links.total, 2);
});

test("RawLinks.claim finds a link that waits, or waits for it", async () => {
  const side = new LinksSide("egress");
  side.add("00000001");
  const found = side.links.claim("00000001");
  ok(found !== null && !(found instanceof Promise));
  equal(found.state, "taken");
  equal(side.links.claim("00000001"), null);

  const late = side.links.claim("00000002");
  ok(late instanceof Promise);
  equal(side.links.claim("00000002"), null);
  side.add("00000002");
  equal((await late)?.id, "00000002");
  deepEqual([side.links.ready, side.links.sessions], [0, 2]);
  equal(side.clock.pending, 0);
});

test("RawLinks.claim gives up after its time, which counts as an error", async () => {
  const side = new LinksSide("egress");
  const late = side.links.claim("00000002");
  side.clock.advance(CLAIM_MS);
  equal(await late, null);
  equal(side.links.errors, 1);
  ok(side.links.failing);
  equal(side.links.claim("00000000"), null);
});

test("RawLinks.claim bounds how many signals wait", () => {
  const side = new LinksSide("egress");
  for (let id = 0; id < 1_024; id++) ok(side.links.claim(String(id + 1).padStart(8, "0")) instanceof Promise);
  equal(side.links.claim("ffffffff"), null);
  side.links.retire();
  equal(side.clock.pending, 0);
});

test("RawLinks counts links that break while they wait, and not the young ones that the other end has no use for", async () => {
  const side = new LinksSide();
  const [first, second] = [side.add("00000001"), side.add("00000002")];
  side.add("00000003");
  first.close();
  await settle();
  deepEqual([side.links.ready, side.links.errors, side.spurned], [2, 0, 1]);
  side.clock.advance(2_000);
  second.close();
  await settle();
  deepEqual([side.links.ready, side.links.errors, side.spurned], [1, 1, 1]);
  ok(side.links.failing);
});

test("RawLinks.flush closes what waits and leaves sessions alone", async () => {
  const side = new LinksSide();
  const [idle, busy] = [side.add("00000001"), side.add("00000002")];
  side.links.take();
  side.links.errors = 3;
  side.links.flush();
  ok(await wasClosed(idle));
  equal(await wasClosed(busy), false);
  deepEqual([side.links.ready, side.links.sessions, side.links.errors], [0, 1, 0]);
  side.add("00000003");
  equal(side.links.ready, 1);
});

test("RawLinks.retire takes nothing more; close ends sessions, too", async () => {
  const side = new LinksSide("egress");
  const busy = side.add("00000001");
  const link = side.links.take()!;
  const waiting = side.links.claim("00000009");
  side.links.retire();
  equal(await waiting, null);
  ok(await wasClosed(side.add("00000002")));
  equal(side.links.total, 1);
  link.release();
  equal(side.links.total, 0);
  ok(await wasClosed(busy));
  const other = new LinksSide();
  const served = other.add("00000001");
  other.links.take();
  other.links.close();
  ok(await wasClosed(served));
  equal(other.links.total, 0);
});

function sideWith(...ids: readonly string[]) {
  const side = new LinksSide();
  for (const id of ids) side.add(id);
  return { links: side.links, changes: () => side.changes };
}
