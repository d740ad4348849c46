import type { InstanceView } from "../../src/master/instance.ts";
import { deepEqual, equal } from "../harness.ts";
import { inBrowser, openStage, signIn } from "./stage.ts";

Deno.test({
  ...inBrowser("the list follows the API, finds by words and by state, and moves with the arrows"),
  fn: async () => {
    await using stage = await openStage();
    const { page } = stage;
    const names = (): Promise<string[]> => page.locator(".row-name").allTextContents();
    await signIn(stage);
    const create = (alias: string, port: number): Promise<InstanceView> =>
      stage.api("POST", "instances", { alias, url: `client://127.0.0.1:0/127.0.0.1:${port}?mode=1` });
    for (const [alias, port] of [["web 10", 80], ["web 9", 81], ["mail", 25]] as const) await create(alias, port);
    await page.getByRole("link", { name: "web 10" }).waitFor();
    deepEqual(await names(), ["mail", "web 9", "web 10"]);

    await page.keyboard.press("/");
    await page.keyboard.type("WEB 127.0.0.1:81");
    await page.getByRole("link", { name: "mail" }).waitFor({ state: "detached" });
    deepEqual(await names(), ["web 9"]);
    await page.keyboard.type("x");
    await page.getByText("No tunnel matches").waitFor();
    await page.getByLabel("Search tunnels").fill("");

    await page.getByRole("button", { name: "Stop mail" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Stop" }).click();
    await page.getByRole("button", { name: "Stopped 1" }).click();
    await page.getByRole("link", { name: "web 9" }).waitFor({ state: "detached" });
    deepEqual(await names(), ["mail"]);
    await page.getByRole("button", { name: "All 3" }).click();
    await page.getByRole("link", { name: "mail" }).focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    equal(await page.evaluate<string>("document.activeElement.textContent"), "web 10");
  },
});

Deno.test({
  ...inBrowser("a master is renamed, and a tunnel is told whether to start with it"),
  fn: async () => {
    await using stage = await openStage();
    const { page } = stage;
    const url = "client://127.0.0.1:0/127.0.0.1:9?mode=1";
    const { id } = await stage.api<InstanceView>("POST", "instances", { alias: "one", url });
    await signIn(stage);
    await page.getByRole("button", { name: "Rename this master" }).click();
    await page.getByLabel("Name", { exact: true }).fill("fra-1");
    await page.getByRole("button", { name: "Rename", exact: true }).click();
    await page.getByRole("button", { name: "fra-1" }).waitFor();
    equal((await stage.api<{ alias: string }>("GET", "info")).alias, "fra-1");
    equal(await page.title(), "fra-1 · NodePass");

    await page.getByRole("link", { name: "one" }).click();
    const before = await stage.api<InstanceView>("GET", `instances/${id}`);
    const choice = page.getByRole("switch", { name: "Start with the master" });
    await choice.click();
    await page.getByText(before.restart ? "It will not start with the master" : "It will start with the master")
      .waitFor();
    equal((await stage.api<InstanceView>("GET", `instances/${id}`)).restart, !before.restart);
  },
});
