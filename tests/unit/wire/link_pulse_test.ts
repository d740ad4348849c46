import fc from "fast-check";
import { LinkPulse, type PulseState, type PulseVerdict } from "../../../src/wire/secure/link_pulse.ts";
import { deepEqual, equal, test } from "../../harness.ts";

const QUIET: Omit<PulseState, "now"> = {
  heard: false,
  wrote: false,
  reading: true,
  writing: false,
  openedAt: null,
  controlLostAt: null,
};

/** Looks once a second; what came of it, by second. */
function looks(seconds: number, state: (second: number) => Partial<PulseState>): Record<number, PulseVerdict> {
  const pulse = new LinkPulse(0);
  const verdicts: Record<number, PulseVerdict> = {};
  for (let second = 1; second <= seconds; second++) {
    const verdict = pulse.look({ ...QUIET, now: second * 1_000, ...state(second) });
    if (verdict !== null) verdicts[second] = verdict;
  }
  return verdicts;
}

test("LinkPulse asks after 10 silent seconds, once, and gives up after 15", () => {
  deepEqual(looks(15, () => ({})), { 10: "ping", 15: "silent" });
});

test("LinkPulse starts over with every byte that arrives", () => {
  deepEqual(looks(39, (second) => ({ heard: second === 12 || second === 24 })), {
    10: "ping",
    22: "ping",
    34: "ping",
    39: "silent",
  });
});

test("LinkPulse gives an OPEN 2 s, and asks before", () => {
  const pulse = new LinkPulse(0);
  const look = (now: number): PulseVerdict => pulse.look({ ...QUIET, now, openedAt: 9_000 });
  deepEqual([9_500, 9_900, 10_500, 10_999, 11_000].map(look), [null, "ping", null, null, "silent"]);
  equal(pulse.silentMs, 2_000);
});

test("LinkPulse counts an OPEN from its own time, however long the link was silent before", () => {
  const pulse = new LinkPulse(0);
  equal(pulse.look({ ...QUIET, now: 9_500, openedAt: 9_400 }), null);
});

test("LinkPulse does not judge an other end that it does not listen to, and shows it signs of life", () => {
  const verdicts = looks(12, () => ({ reading: false }));
  deepEqual(verdicts, {
    4: "pong",
    5: "pong",
    6: "pong",
    7: "pong",
    8: "pong",
    9: "pong",
    10: "pong",
    11: "pong",
    12: "pong",
  });
  deepEqual(looks(12, (second) => ({ reading: false, wrote: [5, 9].includes(second) })), { 4: "pong" });
});

test("LinkPulse says nothing behind a frame under way", () => {
  deepEqual(looks(100, () => ({ reading: false, writing: true })), {});
});

test("LinkPulse gives a stuck writer up 15 s after the control channel died, and no earlier", () => {
  const stuck = { reading: false, writing: true };
  deepEqual(looks(30, () => ({ ...stuck, controlLostAt: 10_000 })), {
    25: "blocked",
    26: "blocked",
    27: "blocked",
    28: "blocked",
    29: "blocked",
    30: "blocked",
  });
  deepEqual(looks(30, (second) => ({ ...stuck, writing: second !== 20, controlLostAt: 1_000 })), {
    16: "blocked",
    17: "blocked",
    18: "blocked",
    19: "blocked",
    20: "pong",
  });
  deepEqual(looks(30, (second) => ({ ...stuck, controlLostAt: second > 10 ? null : 1_000 })), {});
});

test("LinkPulse never calls a link silent that was heard within 2 s", () => {
  const state = fc.record({
    wrote: fc.boolean(),
    reading: fc.boolean(),
    writing: fc.boolean(),
    opened: fc.boolean(),
    lost: fc.boolean(),
    heard: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(state, { maxLength: 60 }), (states) => {
    const pulse = new LinkPulse(0);
    let heardAt = 0;
    states.forEach(({ opened, lost, ...state }, at) => {
      const now = at * 1_000;
      if (state.heard) heardAt = now;
      const verdict = pulse.look({ ...state, now, openedAt: opened ? 0 : null, controlLostAt: lost ? 0 : null });
      if (now - heardAt < 2_000) equal(verdict === "silent", false);
      if (verdict === "blocked") equal(state.writing && lost, true);
    });
  }));
});
