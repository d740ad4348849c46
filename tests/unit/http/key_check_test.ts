import { FakeClock } from "../../fake_clock.ts";
import { equal, test } from "../../harness.ts";
import { ApiError } from "../../../src/http/api_error.ts";
import { KeyCheck } from "../../../src/http/key_check.ts";

function statusOf(check: KeyCheck, headers: Record<string, string>, address = "192.0.2.1"): number {
  try {
    check.check(new Headers(headers), address);
    return 200;
  } catch (error) {
    return error instanceof ApiError ? error.status : 0;
  }
}

function made(clock: FakeClock): KeyCheck {
  return new KeyCheck({ isKey: (text) => text === "right", now: () => clock.now() });
}

test("KeyCheck takes the key from either header", () => {
  const check = made(new FakeClock());
  equal(statusOf(check, { "X-API-Key": "right" }), 200);
  equal(statusOf(check, { "x-api-key": "right" }), 200);
  equal(statusOf(check, { Authorization: "Bearer right" }), 200);
  equal(statusOf(check, { Authorization: "bearer  right" }), 200);
  equal(statusOf(check, { Authorization: "Basic right" }), 401);
  equal(statusOf(check, { "X-API-Key": "" }), 401);
  equal(statusOf(check, { "X-API-Key": "wrong", Authorization: "Bearer right" }), 401);
});

test("KeyCheck stops answering an address after ten failures in a minute, but never refuses the key", () => {
  const clock = new FakeClock();
  const check = made(clock);
  for (let index = 0; index < 10; index++) equal(statusOf(check, index % 2 ? {} : { "X-API-Key": "wrong" }), 401);
  equal(statusOf(check, {}), 429);
  equal(statusOf(check, { "X-API-Key": "right" }), 200);
  equal(statusOf(check, {}, "192.0.2.2"), 401);
  equal(statusOf(check, {}, "::ffff:192.0.2.1"), 429);
  clock.advance(59_999);
  equal(statusOf(check, {}), 429);
  clock.advance(1);
  equal(statusOf(check, {}), 401);
});

test("KeyCheck counts an IPv6 network as one address and says how long to wait", () => {
  const clock = new FakeClock();
  const check = made(clock);
  for (let index = 0; index < 10; index++) statusOf(check, {}, `2001:db8::${index}`);
  clock.advance(10_500);
  try {
    check.check(new Headers(), "2001:db8::ffff");
  } catch (error) {
    equal((error as ApiError).status, 429);
    equal((error as ApiError).headers["Retry-After"], "50");
  }
});

test("KeyCheck remembers a bounded number of addresses", () => {
  const check = made(new FakeClock());
  for (let index = 0; index < 11; index++) statusOf(check, {}, "192.0.2.1");
  equal(statusOf(check, {}), 429);
  for (let index = 0; index < 10_001; index++) {
    statusOf(check, {}, `10.${index >> 16}.${index >> 8 & 255}.${index & 255}`);
  }
  equal(statusOf(check, {}), 401);
});
