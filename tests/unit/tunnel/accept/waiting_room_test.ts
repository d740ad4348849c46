import { deepEqual, equal, test } from "../../../harness.ts";
import { WaitingRoom } from "../../../../src/tunnel/accept/waiting_room.ts";
import type { Source, Standing } from "../../../../src/tunnel/accept/sources.ts";

const source = (key: string, standing: Standing = "stranger"): Source => ({ key, standing });
const never = (): void => {
  throw new Error("evicted");
};

test("WaitingRoom keeps 16 of a stranger and pushes out its oldest", () => {
  const room = new WaitingRoom();
  const evicted: number[] = [];
  for (let index = 0; index < 20; index++) room.enter(source("a"), () => evicted.push(index));
  deepEqual(evicted, [0, 1, 2, 3]);
  equal(room.size, 16);
});

test("WaitingRoom keeps 128 of a vouched source and 256 of a trusted one", () => {
  for (const [standing, limit] of [["vouched", 128], ["trusted", 256]] as const) {
    const room = new WaitingRoom();
    for (let index = 0; index < limit; index++) room.enter(source("a", standing), never);
    equal(room.size, limit);
  }
});

test("WaitingRoom never holds more than 256", () => {
  const room = new WaitingRoom();
  let evicted = 0;
  for (let index = 0; index < 5000; index++) room.enter(source(`s${index % 2000}`), () => evicted++);
  equal(room.size, 256);
  equal(evicted, 5000 - 256);
});

test("WaitingRoom pushes out the oldest of the heaviest source when it is full", () => {
  const room = new WaitingRoom();
  const evicted: string[] = [];
  for (let index = 0; index < 250; index++) room.enter(source(`s${index}`), () => evicted.push(`s${index}`));
  for (let index = 0; index < 6; index++) room.enter(source("heavy"), () => evicted.push(`heavy${index}`));
  room.enter(source("new"), never);
  deepEqual(evicted, ["heavy0"]);
});

test("WaitingRoom weighs a source against what it may have", () => {
  const room = new WaitingRoom();
  const evicted: string[] = [];
  for (let index = 0; index < 100; index++) room.enter(source("client", "vouched"), () => evicted.push("client"));
  for (let source_ = 0; source_ < 10; source_++) {
    for (let index = 0; index < 16; index++) room.enter(source(`loris${source_}`), () => evicted.push("loris"));
  }
  equal(room.size, 256);
  deepEqual([...new Set(evicted)], ["loris"]);
  equal(room.sizeOf("client"), 100);
});

test("WaitingRoom forgets a source whose last connection left, once", () => {
  const room = new WaitingRoom();
  const leave = room.enter(source("a"), never);
  leave();
  leave();
  equal(room.size, 0);
  equal(room.sizeOf("a"), 0);
  room.enter(source("a"), never);
  leave();
  equal(room.size, 1);
});
