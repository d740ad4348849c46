import { equal, match, ok } from "../harness.ts";
import { inBrowser, openStage, signIn } from "./stage.ts";

Deno.test({
  ...inBrowser("the door opens with the key alone, keeps it out of the address, and closes behind who signs out"),
  fn: async () => {
    await using stage = await openStage();
    const { page, master, complaints } = stage;
    const response = await page.goto(stage.url);
    match(response?.headers()["content-security-policy"] ?? "", /default-src 'none'; script-src 'self'/);
    await page.getByLabel("API key").fill("0".repeat(32));
    await page.keyboard.press("Enter");
    await page.getByText("This is not the key of this master.").waitFor();
    ok(complaints.every((text) => text.includes("401")), complaints.join("\n"));
    complaints.length = 0;

    await signIn(stage);
    await page.getByRole("heading", { name: "No tunnels yet" }).waitFor();
    ok(!page.url().includes(master.key.reveal()));
    await page.reload();
    await page.getByText("Live", { exact: true }).waitFor();
    equal(await page.evaluate(() => localStorage.length), 1);
    equal(await page.evaluate(() => localStorage.getItem("nodepass.theme")), "auto");

    await page.getByRole("button", { name: "Menu" }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("API key").waitFor();
    equal(await page.evaluate(() => sessionStorage.length), 0);
  },
});

Deno.test({
  ...inBrowser(
    "a new API key is shown once and in use here; another page with the old one stands in front of the door",
  ),
  fn: async () => {
    await using stage = await openStage();
    const { page, master, complaints } = stage;
    await signIn(stage);
    const other = await page.context().newPage();
    await other.goto(stage.url);
    await other.getByLabel("API key").fill(master.key.reveal());
    await other.keyboard.press("Enter");
    await other.getByText("Live", { exact: true }).waitFor();
    const old = master.key.reveal();

    await page.bringToFront();
    await page.getByRole("button", { name: "Menu" }).click();
    await page.getByRole("button", { name: "New API key…" }).click();
    await page.getByRole("button", { name: "Make a new key" }).click();
    const dialog = page.getByRole("dialog", { name: "The new API key" });
    const shown = await dialog.locator("code").textContent();
    equal(shown, master.key.reveal());
    ok(shown !== old);
    await dialog.getByRole("button", { name: "Done" }).click();
    await page.getByText("Live", { exact: true }).waitFor();
    await stage.api("POST", "instances", { alias: "later", url: "client://127.0.0.1:0/127.0.0.1:9?mode=1" });
    await page.getByRole("link", { name: "later" }).waitFor();

    await other.getByText("This key is not valid any more: somebody made a new one.").waitFor();
    ok(complaints.every((text) => text.includes("401")), complaints.join("\n"));
    complaints.length = 0;
  },
});
