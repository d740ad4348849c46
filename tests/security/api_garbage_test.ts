/** Bytes that are no requests, and requests without an end. */
import process from "node:process";
import { ok, test } from "../harness.ts";
import { type FakeMaster, fakeMaster, KEY } from "../unit/http/fake_master.ts";
import { rawSocket } from "../unit/http/raw.ts";
import { fullProfile } from "../unit/tunnel/accept/front_door.ts";

const BLOBS = fullProfile ? 100_000 : 1_000;
const MIB = 1024 * 1024;

/** Sends until the other side ends the connection; how many bytes it was given. */
async function pour(port: number, first: string, chunk: Uint8Array | string, limit: number): Promise<number> {
  const socket = await rawSocket(port);
  socket.on("data", () => {});
  socket.write(first);
  let sent = 0;
  while (!socket.destroyed && sent < limit) {
    sent += chunk.length;
    if (!socket.write(chunk)) {
      await new Promise<void>((resolve) => {
        const go = (): void => {
          socket.off("drain", go).off("close", go);
          resolve();
        };
        socket.on("drain", go).on("close", go);
      });
    } else await new Promise((resolve) => setImmediate(resolve));
  }
  const { bytesWritten } = socket;
  socket.destroy();
  return bytesWritten;
}

async function isAlive({ call }: FakeMaster): Promise<void> {
  const response = await call("/instances");
  ok(response.status === 200);
  await response.body?.cancel();
}

test("the API ends connections that send garbage, and goes on", async () => {
  const master = await fakeMaster();
  const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));
  for (let sent = 0; sent < BLOBS; sent += 20) {
    await Promise.all(Array.from({ length: 20 }, async (_, index) => {
      const socket = await rawSocket(master.port, `127.0.1.${index + 1}`);
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket.on("data", () => {});
      socket.end(random(1 + Math.floor(Math.random() * 2_000)));
      await closed;
    }));
  }
  await isAlive(master);
  await master.close();
});

test("an endless header, an endless line and a body of 1 GiB are not read into memory by the API", async () => {
  const master = await fakeMaster();
  await isAlive(master);
  const before = process.memoryUsage().rss;
  const chunk = new Uint8Array(65_536).fill(0x78);
  const key = `Host: x\r\nX-API-Key: ${KEY}\r\n`;
  const cases: [name: string, first: string, most: number][] = [
    ["line", "GET /", 8 * MIB],
    ["header", `GET /api/info HTTP/1.1\r\n${key}X-A: `, 8 * MIB],
    ["body", `POST /api/instances HTTP/1.1\r\n${key}Content-Length: ${1028 * MIB}\r\n\r\n`, 16 * MIB],
    [
      "body without a key",
      `POST /api/instances HTTP/1.1\r\nHost: x\r\nContent-Length: ${1028 * MIB}\r\n\r\n`,
      16 * MIB,
    ],
  ];
  const taken: Record<string, number> = {};
  for (const [name, first, most] of cases) {
    taken[name] = await pour(master.port, first, chunk, 256 * MIB);
    ok(taken[name]! < most, `${name}: ${taken[name]} bytes went out before the end of the connection`);
  }
  const chunked = `POST /api/instances HTTP/1.1\r\n${key}Transfer-Encoding: chunked\r\n\r\n`;
  taken["chunked"] = await pour(master.port, chunked, `10000\r\n${"x".repeat(0x10000)}\r\n`, 256 * MIB);
  ok(taken["chunked"]! < 16 * MIB, `chunked: ${taken["chunked"]}`);
  const growth = process.memoryUsage().rss - before;
  console.log(JSON.stringify({ taken, growthMiB: Math.round(growth / MIB) }));
  ok(growth < 48 * MIB, `memory grew by ${Math.round(growth / MIB)} MiB`);
  await isAlive(master);
  await master.close();
});

test("requests that two servers could read in two ways are refused by the API", async () => {
  const master = await fakeMaster();
  const smuggled = [
    `POST /api/info HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `POST /api/info HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`,
    `GET /api/info HTTP/1.1\r\nHost: x\r\nContent-Length : 4\r\n\r\nabcd`,
    `GET /api/info HTTP/1.1\r\n Host: x\r\n\r\n`,
  ];
  for (const text of smuggled) {
    const socket = await rawSocket(master.port);
    const chunks: Uint8Array[] = [];
    socket.on("data", (chunk: Uint8Array) => chunks.push(chunk));
    socket.write(text);
    await new Promise((resolve) => socket.once("close", resolve));
    const answer = chunks.map((chunk) => new TextDecoder().decode(chunk)).join("");
    ok(/^HTTP\/1\.1 400 /.test(answer), `${JSON.stringify(text)}: ${answer.slice(0, 60)}`);
  }
  await master.close();
});
