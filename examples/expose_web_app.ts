/**
 * A web app behind NAT becomes reachable at a public server: both ends in one program here, on two machines in reality.
 */
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { startClient } from "nodepass/client";
import { startServer } from "nodepass/server";

const KEY = "npk1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"; // yours comes from "nodepass keygen"

const app = createServer((_, response) => response.end("Hello from behind NAT")).listen(0, "127.0.0.1");
await once(app, "listening");
const appPort = (app.address() as AddressInfo).port;

// On the public machine. Visitors arrive at the second address; mode=1 says so without trying.
const server = await startServer(`server://${KEY}@127.0.0.1:0/127.0.0.1:0?mode=1`);
const tunnelPort = server.addr!.port;
const publicPort = server.entries[0]!.port;

// Beside the app. It dials out, so no port has to be open here.
const client = await startClient(`client://${KEY}@127.0.0.1:${tunnelPort}/127.0.0.1:${appPort}?mode=2&min=4`);

const response = await fetch(`http://127.0.0.1:${publicPort}/`, { headers: { connection: "close" } });
console.log(`visitor got: ${await response.text()}`);
console.log(`client sent ${client.stats().tcpTx} bytes to the app and received ${client.stats().tcpRx}`);

await client.close();
await server.close();
app.close();
