import { gunzip } from "../../src/core/composition/gzip_splice.ts";
import { isFailure } from "../../src/core/failure.ts";
import { deepEqual, equal, ok, rejects } from "../harness.ts";
import { addLink, addNode, addProtocol, addUser, composedTest } from "./core_composition_stage.ts";

const ANNA = "0d4c7f2a-91b6-4e38-8a55-2f7be1c09d14";
const BERT = "b1c6a1de-0b43-4a57-9e0e-55a1f5a3f3aa";
const AGENT = { agentServices: [] };

composedTest("createComposition() gives a node with nothing assigned a revision and empty maps", async (stage) => {
  const node = await addNode(stage.db, "a");
  const latest = await stage.composition.latest(node, AGENT);
  deepEqual(latest.config, { revision: 1, clientMap: {}, mtprotoClientMap: {}, services: {} });
  equal(latest.etag, `"1-${(await stage.composition.revisions(node))[0]?.hash.slice(0, 16)}"`);
});

composedTest("createComposition() composes services, maps and emails", async (stage) => {
  const { db, composition } = stage;
  const node = await addNode(db, "a");
  const vless = await addProtocol(db, node, "vless", {
    port: 443,
    settings: { decryption: "none" },
    client: { flow: "xtls-rprx-vision" },
  });
  const telegram = await addProtocol(db, node, "mtproto", { port: 8443, tlsDomain: "example.com" });
  const anna = await addUser(db, "anna");
  await addLink(db, ANNA, anna, [vless]);
  await addLink(db, BERT, [anna[0], null], "everywhere", "mtproto");
  await db.exec(
    `INSERT INTO node_tunnels (node_id, instance_id, alias, url, created_at, updated_at)
      VALUES ($1, 'aabbccdd', 'web', 'server://:0/:80', 0, 0)`,
    [node],
  );
  const latest = await composition.latest(node, { agentServices: ["nodepass"] });
  deepEqual(latest.config, {
    revision: 1,
    clientMap: { [ANNA]: { userId: anna[0], subscriptionId: anna[1] } },
    mtprotoClientMap: { [BERT]: { userId: anna[0], subscriptionId: null } },
    services: {
      xray: {
        inbounds: [{
          port: 443,
          tag: "vless-443",
          nodeProtocolId: vless,
          protocol: "vless",
          settings: {
            clients: [{ id: ANNA, email: `${ANNA}.${vless}`, flow: "xtls-rprx-vision" }],
            decryption: "none",
          },
        }],
        outbounds: [{ tag: "direct", protocol: "freedom" }],
        routing: { rules: [] },
      },
      mtproto: {
        inbounds: [{
          tag: "mtproto-443",
          nodeProtocolId: telegram,
          listen: "0.0.0.0",
          port: 8443,
          tlsDomain: "example.com",
          modes: { classic: false, secure: false, tls: true },
          users: [{ uuid: BERT, secret: BERT.replaceAll("-", "") }],
        }],
      },
      nodepass: { instances: [{ id: "aabbccdd", alias: "web", url: "server://:0/:80" }] },
    },
  });
  deepEqual(JSON.parse(new TextDecoder().decode(await gunzip(latest.gz))), latest.config);
  deepEqual(JSON.parse(latest.servicesJson), latest.config.services);
  deepEqual(JSON.parse(latest.clientMapJson), latest.config.clientMap);

  const plain = await composition.latest(node, AGENT);
  const { nodepass: _, ...others } = latest.config.services;
  deepEqual(plain.config, { ...latest.config, services: others });
  const hashes = [latest, plain].map(({ etag }) => etag.slice(3, -1));
  for (const hash of hashes) equal((await composition.heartbeat(node, 1, hash)).needSync, false, hash);
  equal((await composition.heartbeat(node, 1, "0".repeat(16))).needSync, true);

  const pairs = await db.query("SELECT node_protocol_id, user_id, subscription_id FROM delivered_pairs ORDER BY 1");
  deepEqual(pairs.map((row) => Object.values(row).map(Number)), [[vless, ...anna], [telegram, anna[0], 0]]);
});

composedTest("createComposition() lets nobody in who is disabled, expired or over the limit", async (stage) => {
  const { db, composition, clock } = stage;
  const node = await addNode(db, "a");
  const vless = await addProtocol(db, node, "vless", { port: 443 });
  const uuids = Array.from({ length: 6 }, (_, index) => ANNA.replace("0d", `0${index}`));
  const users = [];
  for (const [index, uuid] of uuids.entries()) {
    users.push(await addUser(db, `user ${index}`));
    await addLink(db, uuid, users[index]!, [vless]);
  }
  await db.exec("UPDATE users SET status = 'disabled' WHERE id = $1", [users[0]![0]]);
  await db.exec("UPDATE subscriptions SET status = 'limited' WHERE id = $1", [users[1]![1]]);
  await db.exec("UPDATE subscriptions SET expires_at = $2 WHERE id = $1", [users[2]![1], clock.wall() - 1]);
  await db.exec("UPDATE subscription_links SET enabled = 0 WHERE uuid = $1", [uuids[3]!]);
  await db.exec("UPDATE subscriptions SET limit_bytes = 10, used_up = 4, used_down = 6 WHERE id = $1", [users[4]![1]]);
  const { config } = await composition.latest(node, AGENT);
  deepEqual(Object.keys(config.clientMap), [uuids[5]]);
});

composedTest(
  "changed() issues a revision where it makes a difference, one for several changes in a row",
  async (stage) => {
    const { db, composition, clock } = stage;
    const [a, b] = [await addNode(db, "a"), await addNode(db, "b")];
    const vless = await addProtocol(db, a, "vless", { port: 443 });
    const anna = await addUser(db, "anna");
    await composition.latest(a, AGENT);
    await composition.latest(b, AGENT);
    await addLink(db, ANNA, anna, [vless]);
    composition.changed("all");
    composition.changed({ nodeIds: [a] });
    composition.changed({ nodeIds: [a, b] });
    clock.advance(1_000);
    await composition.flush();
    const places = await db.query("SELECT desired_revision, sync_status FROM nodes ORDER BY id");
    deepEqual(places.map(({ desired_revision, sync_status }) => [Number(desired_revision), sync_status]), [
      [2, "pending"],
      [1, "delivering"],
    ]);
    equal((await composition.heartbeat(a, 1, null)).needSync, true);
    equal((await composition.heartbeat(a, null, null)).needSync, true);
    equal((await composition.heartbeat(b, 1, null)).needSync, false);
  },
);

composedTest("changed() loses nothing when the process ends before the revision was issued", async (stage) => {
  const { db, composition } = stage;
  const node = await addNode(db, "a");
  const vless = await addProtocol(db, node, "vless", { port: 443 });
  await composition.latest(node, AGENT);
  await addLink(db, ANNA, await addUser(db, "anna"), [vless]);
  await db.transaction((tx) => composition.mark(tx, { nodeIds: [node] }));
  // What another process does after the end of this one.
  await composition.flush();
  equal((await composition.heartbeat(node, 1, null)).needSync, true);
});

composedTest("applied() follows a node to its revision and refuses what was never issued", async (stage) => {
  const { db, composition, events } = stage;
  const node = await addNode(db, "a");
  const status = async (): Promise<unknown> => {
    const [row] = await db.query("SELECT status, sync_status, applied_revision FROM nodes WHERE id = $1", [node]);
    return Object.values(row!).map((value) => typeof value === "bigint" ? Number(value) : value);
  };
  await composition.latest(node, AGENT);
  deepEqual(await status(), ["offline", "delivering", 0]);
  await composition.failed(node);
  await composition.failed(node);
  await db.exec("UPDATE nodes SET status = 'error', error_from_sync = 1 WHERE id = $1", [node]);
  deepEqual(await status(), ["error", "failed", 0]);
  await composition.applied(node, 1);
  await composition.applied(node, 1);
  deepEqual(await status(), ["online", "synced", 1]);
  equal(await composition.resync(node), 2);
  await composition.applied(node, 1);
  deepEqual(await status(), ["online", "pending", 1]);
  await rejects(composition.applied(node, 3), (error) => isFailure(error, "REVISION_AHEAD"));
  await composition.applied(node, 2);
  deepEqual(events.map(({ type }) => type), ["node.sync_failed", "node.synced", "node.synced"]);
});

composedTest("heartbeat() jumps over the number of a node that is ahead", async (stage) => {
  const { db, composition } = stage;
  const node = await addNode(db, "a");
  const { etag } = await composition.latest(node, AGENT);
  equal((await composition.heartbeat(node, 41, null)).needSync, true);
  const latest = await composition.latest(node, AGENT);
  equal(latest.revision, 42);
  equal(latest.etag.slice(3), etag.slice(2));
  ok((await composition.heartbeat(node, Number.MAX_SAFE_INTEGER, null)).needSync);
  ok(Number.isSafeInteger((await composition.latest(node, AGENT)).revision));
});

composedTest(
  "rollback() issues an old body under a new number, which stays until the assignment changes",
  async (stage) => {
    const { db, composition } = stage;
    const node = await addNode(db, "a");
    const vless = await addProtocol(db, node, "vless", { port: 443 });
    const anna = await addUser(db, "anna");
    await composition.latest(node, AGENT);
    await addLink(db, ANNA, anna, [vless]);
    composition.changed("all");
    await composition.flush();
    equal(await composition.rollback(node, 1), 3);
    composition.changed("all");
    await composition.flush();
    const rolledBack = await composition.latest(node, AGENT);
    deepEqual([rolledBack.revision, rolledBack.config.clientMap], [3, {}]);
    await addLink(db, BERT, anna, [vless]);
    composition.changed("all");
    await composition.flush();
    const changed = await composition.latest(node, AGENT);
    deepEqual([changed.revision, Object.keys(changed.config.clientMap)], [4, [ANNA, BERT]]);
    await rejects(composition.rollback(node, 77), (error) => isFailure(error, "NOT_FOUND"));
    deepEqual((await composition.revision(node, 2))?.config.revision, 2);
  },
);

composedTest("revisions() keeps the latest 20", async (stage) => {
  const node = await addNode(stage.db, "a");
  for (let count = 0; count < 30; count++) await stage.composition.resync(node);
  const revisions = (await stage.composition.revisions(node)).map(({ revision }) => revision);
  deepEqual(revisions, Array.from({ length: 20 }, (_, index) => 31 - index));
});
