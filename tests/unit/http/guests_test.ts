import { FakeClock } from "../../fake_clock.ts";
import { equal, test } from "../../harness.ts";
import { Guests } from "../../../src/http/guests.ts";

class FakeSocket {
  destroyed = false;
  readonly remotePort: number;
  readonly remoteAddress: string;
  #onClose: () => void = () => {};

  constructor(remotePort: number, remoteAddress = "192.0.2.1") {
    this.remotePort = remotePort;
    this.remoteAddress = remoteAddress;
  }

  destroy(): void {
    this.destroyed = true;
    this.#onClose();
  }

  once(_: "close", run: () => void): void {
    this.#onClose = run;
  }
}

function crowd(guests: Guests, count: number, address?: string): FakeSocket[] {
  return Array.from({ length: count }, (_, index) => {
    const socket = new FakeSocket(1_000 + index, address);
    guests.enter(socket);
    return socket;
  });
}

const gone = (sockets: readonly FakeSocket[]): number => sockets.filter(({ destroyed }) => destroyed).length;

test("Guests lets a burst of one address in and pushes out the oldest that stay silent", () => {
  const clock = new FakeClock();
  const guests = new Guests(clock);
  const sockets = crowd(guests, 60);
  clock.advance(250);
  equal(gone(sockets), 0);
  clock.advance(250);
  equal(gone(sockets), 44);
  equal(gone(sockets.slice(0, 44)), 44);
  clock.advance(6_000);
  equal(gone(sockets), 60);
  equal(guests.size, 0);
  equal(clock.pending, 0);
});

test("Guests keeps the crowd below its total by pushing out of the largest group", () => {
  const clock = new FakeClock();
  const guests = new Guests(clock);
  const few = crowd(guests, 3, "198.51.100.1");
  const many = crowd(guests, 400);
  equal(guests.opening, 256);
  equal(gone(few), 0);
  equal(gone(many), 147);
  for (const socket of [...few, ...many]) if (!socket.destroyed) socket.destroy();
  equal(clock.pending, 0);
});

test("Guests leaves those alone that sent a request, and bounds those without a key", () => {
  const clock = new FakeClock();
  const guests = new Guests(clock, { unproven: 20 });
  const sockets = crowd(guests, 40);
  sockets.slice(0, 30).forEach((socket) => guests.request(socket));
  equal(gone(sockets), 10);
  sockets.slice(30).forEach((socket) => {
    guests.request(socket);
    guests.admit(socket);
  });
  equal(gone(sockets.slice(30)), 0);
  clock.advance(60_000);
  equal(gone(sockets.slice(30)), 0);
  guests.destroyAll();
  equal(guests.size, 0);
  equal(clock.pending, 0);
});
