import type { InstanceView } from "../../src/master/instance.ts";
import { equal, match, ok } from "../harness.ts";
import { Target } from "../e2e/targets.ts";
import { ask, bytesOf, firstWords, visit } from "../e2e/visitors.ts";
import { freePort } from "../unit/tunnel/forward_fixture.ts";
import { inBrowser, openStage, signIn, type Stage } from "./stage.ts";

/** Fills the form for a forwarder in; does not send it. */
async function fillForwarder(
  { page }: Stage,
  options: { name: string; entry: string; service: string },
): Promise<void> {
  await page.getByRole("link", { name: "Create the first tunnel" }).click();
  await page.getByRole("radio", { name: "Forwarder" }).check();
  await page.getByLabel("Name optional").fill(options.name);
  await page.getByLabel("Visitors connect to").fill(options.entry);
  await page.getByLabel("Service", { exact: true }).fill(options.service);
}

Deno.test({
  ...inBrowser("a tunnel is made with the form, carries traffic that shows, is edited, stopped, started and deleted"),
  fn: async () => {
    await using target = await Target.listen();
    await using stage = await openStage();
    const { page } = stage;
    const entry = { host: "127.0.0.1", port: await freePort() };
    const service = `127.0.0.1:${target.address.port}`;
    await signIn(stage);

    await fillForwarder(stage, { name: "echo", entry: `127.0.0.1:${entry.port}`, service });
    await page.getByRole("button", { name: "Test" }).click();
    await page.getByText(`This machine reaches ${service}`).waitFor();
    await page.getByRole("button", { name: "Create and start" }).click();
    const panel = page.getByRole("complementary");
    await panel.getByRole("heading", { name: "echo" }).waitFor();
    await panel.getByText("Running").waitFor();
    const [, made] = await stage.api<InstanceView[]>("GET", "instances");
    equal(made?.url, `client://127.0.0.1:${entry.port}/${service}?mode=1`);

    equal(await ask(entry, "hello"), "hello");
    await page.locator(".numbers").filter({ hasText: /Received\s*5 B/ }).waitFor();

    await panel.getByRole("link", { name: "Edit" }).click();
    await page.getByLabel("Name optional").fill("echo two");
    await page.getByText("Limits", { exact: true }).click();
    await page.getByLabel("Speed limit").fill("fast");
    await page.getByText('Parameter "rate" is "fast": expected an integer >= 0, in Mbit/s').first().waitFor();
    await page.getByLabel("Speed limit").fill("80");
    await page.getByRole("button", { name: "Save" }).click();
    await panel.getByRole("heading", { name: "echo two" }).waitFor();
    const [, changed] = await stage.api<InstanceView[]>("GET", "instances");
    equal(changed?.url, `client://127.0.0.1:${entry.port}/${service}?mode=1&rate=80`);
    equal(changed?.alias, "echo two");
    await panel.getByText("Running").waitFor();
    equal(await ask(entry, "again"), "again");

    await panel.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Stop" }).click();
    await panel.getByText("Stopped").waitFor();
    await panel.getByRole("button", { name: "Start" }).click();
    await panel.getByText("Running").waitFor();
    equal(await ask(entry, "third"), "third");

    await panel.getByRole("button", { name: "Reset counters" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Reset counters" }).click();
    await page.locator(".numbers").filter({ hasText: /Received\s*0 B/ }).waitFor();

    await panel.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await panel.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByRole("heading", { name: "No tunnels yet" }).waitFor();
    equal((await stage.api<InstanceView[]>("GET", "instances")).length, 1);
  },
});

Deno.test({
  ...inBrowser("a server shows the URL of its client, and both ends find each other"),
  fn: async () => {
    await using target = await Target.listen();
    await using stage = await openStage();
    const { page } = stage;
    const [tunnel, entry] = [await freePort(), await freePort()];
    await signIn(stage);
    await page.keyboard.press("n");
    await page.getByLabel("Clients connect to").fill(`127.0.0.1:${tunnel}`);
    await page.getByLabel("Visitors connect to").fill(`127.0.0.1:${entry}`);
    await page.getByRole("button", { name: "Generate" }).click();
    match(await page.getByLabel("Tunnel key", { exact: true }).inputValue(), /^npk1_.{43}$/);
    await page.getByRole("button", { name: "Create and start" }).click();
    const box = page.locator(".url-box").nth(1);
    await box.getByRole("button", { name: "Show key" }).click();
    const url = await box.locator("code").textContent() ?? "";
    match(url, /^client:\/\/npk1_.{43}@127\.0\.0\.1:\d+\/127\.0\.0\.1:8080\?mode=2$/);

    await page.goto(`${stage.url}#/new`);
    await page.getByRole("button", { name: "Edit as text" }).click();
    await page.getByLabel("URL as text").fill(url.replace("127.0.0.1:8080", `127.0.0.1:${target.address.port}`));
    equal(await page.getByRole("radio", { name: "Client", exact: true }).isChecked(), true);
    await page.getByLabel("Name optional").fill("the other end");
    await page.getByRole("button", { name: "Create and start" }).click();
    await page.locator(".numbers").filter({ hasText: /Ready links\s*[1-9]/ }).waitFor();
    equal(await ask({ host: "127.0.0.1", port: entry }, "through both"), "through both");
  },
});

Deno.test({
  ...inBrowser("log lines and sessions appear as they come, and a session ends at a click"),
  fn: async () => {
    await using target = await Target.listen();
    await using stage = await openStage();
    const { page } = stage;
    const entry = { host: "127.0.0.1", port: await freePort() };
    const url = `client://127.0.0.1:${entry.port}/127.0.0.1:${target.address.port}?mode=1&log=debug`;
    const { id } = await stage.api<InstanceView>("POST", "instances", { alias: "watched", url });
    await signIn(stage);
    await page.getByRole("link", { name: "watched" }).click();
    await page.getByRole("tab", { name: "Log" }).click();
    const log = page.getByRole("log");
    await log.locator("p").first().waitFor();

    const visitor = await visit(entry);
    await visitor.write(bytesOf("stay"));
    equal(await firstWords(visitor), "stay");
    await page.getByRole("tab", { name: "Sessions" }).click();
    await page.getByText("1 live").waitFor();
    await page.getByRole("button", { name: /^End session of 127\.0\.0\.1:/ }).click();
    await page.getByText(/The session of 127\.0\.0\.1:\d+ was ended/).waitFor();
    equal(await firstWords(visitor), "");
    visitor.close();
    equal((await stage.api<unknown[]>("GET", `instances/${id}/sessions`)).length, 0);
    await page.getByRole("tab", { name: "Log" }).click();
    await log.locator("p").first().waitFor();
  },
});

Deno.test({
  ...inBrowser("a master that was away is found again, with what changed meanwhile"),
  fn: async () => {
    await using stage = await openStage();
    const { page } = stage;
    const url = "client://127.0.0.1:0/127.0.0.1:9?mode=1";
    const { id } = await stage.api<InstanceView>("POST", "instances", { alias: "goes", url });
    await stage.api("POST", "instances", { alias: "stays", url });
    await signIn(stage);
    await page.getByRole("link", { name: "goes" }).waitFor();
    await stage.restart(async () => await page.getByText("Reconnecting", { exact: true }).waitFor());
    await stage.api("DELETE", `instances/${id}`);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByRole("link", { name: "goes" }).waitFor({ state: "detached" });
    await page.getByRole("link", { name: "stays" }).waitFor();
    ok(
      stage.complaints.every((text) => text.includes("Failed to load resource: net::ERR_")),
      stage.complaints.join("\n"),
    );
    stage.complaints.length = 0;
  },
});
