/**
 * A game server behind a tunnel: players send datagrams, each player has a session, datagrams stay whole.
 */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { startClient } from "nodepass/client";
import { startServer } from "nodepass/server";

const KEY = "npk1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"; // yours comes from "nodepass keygen"

const game = await bound();
game.on("message", (move: Uint8Array, player: RemoteInfo) => game.send(`ack ${move}`, player.port, player.address));

// notcp=1: a game like this needs UDP alone.
const server = await startServer(`server://${KEY}@127.0.0.1:0/127.0.0.1:0?mode=1&notcp=1`);
const entry = server.entries[0]!;
const client = await startClient(
  `client://${KEY}@127.0.0.1:${server.addr!.port}/127.0.0.1:${game.address().port}?mode=2&min=1&read=10s`,
);

const players = await Promise.all(["Ada", "Grace", "Edsger"].map(async (name) => ({ name, socket: await bound() })));
await Promise.all(players.map(async ({ name, socket }) => {
  // Datagrams may get lost, also before the first link for them is up: a game sends its state again and again.
  const sending = setInterval(() => socket.send(`${name} moves`, entry.port, entry.host), 50);
  const [answer] = await once(socket, "message");
  clearInterval(sending);
  console.log(`${name}: ${answer}`);
}));
console.log(`${server.stats().udpSessions} players have a session`);

for (const { socket } of players) socket.close();
await client.close();
await server.close();
game.close();

async function bound(): Promise<Socket> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}
