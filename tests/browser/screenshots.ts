/**
 * Makes the pictures in docs/screenshots from a master that runs tunnels: `deno run -A tests/browser/screenshots.ts`.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import type { InstanceView } from "../../src/master/instance.ts";
import { Target } from "../e2e/targets.ts";
import { bytesOf, visit } from "../e2e/visitors.ts";
import { freePort } from "../unit/tunnel/forward_fixture.ts";
import { openStage, signIn, type Stage } from "./stage.ts";

const FOLDER = fileURLToPath(new URL("../../docs/screenshots/", import.meta.url));
const KEY = "npk1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const SECONDS = Number(Deno.args[0] ?? 75);

async function shoot(page: Page, name: string): Promise<void> {
  await page.evaluate("Promise.all(document.getAnimations().map((animation) => animation.finished))");
  await page.screenshot({ path: `${FOLDER}${name}.png` });
}

/** Visitors of one entrance for as long as the pictures are made. */
async function keepBusy(
  port: number,
  options: { visitors: number; bytes: number; signal: AbortSignal },
): Promise<void> {
  const run = async (index: number): Promise<void> => {
    const conn = await visit({ host: "127.0.0.1", port });
    const buffer = new Uint8Array(65_536);
    try {
      for (let round = 0; !options.signal.aborted; round++) {
        const length = Math.round(options.bytes * (1 + Math.sin(round / 9 + index)) / 2) + 100;
        await conn.write(bytesOf("x".repeat(length)));
        for (let left = length; left > 0;) left -= await conn.read(buffer) ?? left;
        await new Promise((resolve) => setTimeout(resolve, 250 + 50 * index));
      }
    } finally {
      conn.close();
    }
  };
  await Promise.all(Array.from({ length: options.visitors }, (_, index) => run(index)));
}

/** Tunnels in every state; the ports where visitors come in. */
async function populate(stage: Stage, service: number): Promise<{ web: number; games: number; id: string }> {
  const create = (alias: string, url: string): Promise<InstanceView> => stage.api("POST", "instances", { alias, url });
  const [tunnel, web, games] = [await freePort(), await freePort(), await freePort()];
  const { id } = await create("web shop", `server://${KEY}@127.0.0.1:${tunnel}/127.0.0.1:${web}?mode=1&rate=200&max=8`);
  await create("workshop, behind NAT", `client://${KEY}@127.0.0.1:${tunnel}/127.0.0.1:${service}?mode=2&min=8`);
  await create("game lobby", `client://127.0.0.1:${games}/127.0.0.1:${service}?mode=1&lbs=1`);
  await create("ssh for the night shift", "server://short@:0/:0?mode=1");
  const { id: resting } = await create("old printer", "client://127.0.0.1:0/192.168.1.9:9100?mode=1");
  await stage.api("PATCH", `instances/${resting}`, { action: "stop" });
  await create("office", "server://npk1_0123456789abcdef@192.0.2.1:10101/127.0.0.1:9000?mode=1");
  await stage.api("POST", "info", { alias: "fra-1" });
  return { web, games, id };
}

await Deno.mkdir(FOLDER, { recursive: true });
await using target = await Target.listen();
await using stage = await openStage({ width: 1360, height: 820 });
const { page } = stage;
await shoot(page, "sign-in");
await signIn(stage);
await page.getByRole("heading", { name: "No tunnels yet" }).waitFor();
await shoot(page, "empty");
const { web, games, id } = await populate(stage, target.address.port);
const end = new AbortController();
await page.getByRole("link", { name: "web shop" }).waitFor();
await new Promise((resolve) => setTimeout(resolve, 2_000));
const busy = Promise.allSettled([
  keepBusy(web, { visitors: 6, bytes: 120_000, signal: end.signal }),
  keepBusy(games, { visitors: 3, bytes: 30_000, signal: end.signal }),
]);
await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
await shoot(page, "list");
await page.goto(`${stage.url}#/tunnel/${id}`);
await shoot(page, "tunnel");
await page.getByRole("tab", { name: "Sessions" }).click();
await page.getByText(/^\d+ live/).waitFor();
await shoot(page, "sessions");
await page.emulateMedia({ colorScheme: "dark" });
await page.getByRole("tab", { name: "Log" }).click();
await page.getByText("Live, last").waitFor();
await shoot(page, "log-dark");
await page.goto(`${stage.url}#/`);
await shoot(page, "list-dark");
await page.emulateMedia({ colorScheme: "light" });
await page.goto(`${stage.url}#/new`);
await page.getByLabel("Clients connect to").fill(":10101");
await page.getByLabel("Visitors connect to").fill(":8080");
await page.getByLabel("Tunnel key", { exact: true }).fill("secret");
await page.getByText("Limits", { exact: true }).click();
await page.getByLabel("Speed limit").fill("100");
await shoot(page, "form");
await page.getByRole("button", { name: "Cancel" }).click();
await page.getByRole("button", { name: "Discard" }).click();
await page.setViewportSize({ width: 380, height: 780 });
await page.goto(`${stage.url}#/`);
await shoot(page, "small-list");
await page.goto(`${stage.url}#/tunnel/${id}`);
await shoot(page, "small-tunnel");
await page.goto(`${stage.url}#/new`);
await shoot(page, "small-form");
end.abort();
await busy;
