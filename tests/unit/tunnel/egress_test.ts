import { NodePassError } from "../../../src/errors.ts";
import { deepEqual, equal, ok, test } from "../../harness.ts";
import { opening, Recorder, send, settle } from "../wire/frame_link_fixture.ts";
import { EgressSide } from "./session_sides.ts";

const bytes = (...values: number[]) => new Uint8Array(values);

/** Announces a visitor and waits for the dial. */
async function announced(side: EgressSide) {
  const { link, told } = side.addLiveLink();
  const receiver = new Recorder();
  const session = link.open(opening, receiver);
  session.announce();
  await settle();
  return { link, told, receiver, session, dial: side.dials.at(-1)! };
}

test("Egress dials for an announced visitor; what came before the target did is not lost", async () => {
  const side = new EgressSide();
  const { link, session, receiver, dial } = await announced(side);
  await send(session, [1, 2, 3]);
  await session.end();
  await settle();
  const target = dial.accept();
  const buffer = new Uint8Array(8);
  equal(await target.read(buffer), 3);
  deepEqual(buffer.subarray(0, 3), bytes(1, 2, 3));
  equal(await target.read(buffer), null);
  await target.write(bytes(9));
  await target.closeWrite();
  equal(await session.finished, null);
  deepEqual([receiver.bytes, receiver.ended], [[9], true]);
  await settle();
  deepEqual([link.state, side.links.ready, side.owned.context.ledger.tcp], ["ready", 1, 0]);
  await side.end();
});

test("Egress closes a target that answers after the visitor is gone", async () => {
  const side = new EgressSide();
  const { link, session, dial } = await announced(side);
  session.abort("reset");
  await settle();
  deepEqual([link.state, side.links.ready], ["ready", 1]);
  const target = dial.accept();
  equal(await target.read(bytes(0)), null);
  await settle();
  equal(side.owned.context.ledger.tcp, 0);
  await side.end();
});

test("Egress says that it could not dial, counts it, and the link serves the next visitor", async () => {
  const side = new EgressSide();
  const { link, session, receiver, dial } = await announced(side);
  await send(session, [1]);
  dial.fail(new NodePassError("connection_refused", "Cannot connect: connection refused"));
  equal(await session.finished, "dial");
  equal(receiver.aborted, "dial");
  await settle();
  deepEqual([link.state, side.links.ready], ["ready", 1]);
  deepEqual(side.owned.context.ledger.rejections, { dial: 1 });
  const next = link.open(opening, new Recorder());
  next.announce();
  await settle();
  side.dials.at(-1)!.accept().close();
  await next.end();
  equal(await next.finished, null);
  await side.end();
});

test("Egress gives up dials that are under way when it shuts down", async () => {
  const side = new EgressSide();
  const { session, dial } = await announced(side);
  ok(dial.options.signal instanceof AbortSignal);
  side.cutDials.abort();
  equal(await session.finished, "dial");
  await settle();
  equal(side.owned.context.ledger.tcp, 0);
  await side.end();
});

test("Egress closes the target when the link is lost, before and after it answered", async () => {
  for (const early of [true, false]) {
    const side = new EgressSide();
    const { link, dial } = await announced(side);
    const accepted = early ? null : dial.accept();
    await settle();
    link.close();
    await settle();
    const target = accepted ?? dial.accept();
    equal(await target.read(bytes(0)), null);
    await settle();
    equal(side.owned.context.ledger.tcp, 0);
    await side.end();
  }
});

test("Egress refuses visitors above slot, and TCP where it is switched off, without a dial", async () => {
  for (const [changes, reason] of [[{ slots: 1 }, "slot"], [{ tcp: false }, "dial"]] as const) {
    const side = new EgressSide(changes);
    if (reason === "slot") side.owned.context.ledger.open("udp", "192.0.2.9:1");
    const { session } = await announced(side);
    equal(await session.finished, reason);
    equal(side.dials.length, 0);
    await side.end();
  }
});

test("Egress cuts a session on request, before and after the target answered", async () => {
  for (const early of [true, false]) {
    const side = new EgressSide();
    const { session, dial } = await announced(side);
    const target = early ? null : dial.accept();
    await settle();
    ok(side.owned.context.ledger.cut(side.owned.context.ledger.list()[0]!.id));
    equal(await session.finished, "cut");
    equal(await (target ?? dial.accept()).read(bytes(0)), null);
    await settle();
    equal(side.links.ready, 1);
    await side.end();
  }
});
