import { deepEqual, equal, ok } from "../harness.ts";
import type { InstanceView } from "../../src/master/instance.ts";
import { faintTexts, namelessControls, overflow } from "./examine.ts";
import { inBrowser, openStage, signIn, type Stage } from "./stage.ts";

/** Tunnels in every state. */
async function populate(stage: Stage): Promise<void> {
  const create = (alias: string, url: string): Promise<InstanceView> => stage.api("POST", "instances", { alias, url });
  await create("ready", "client://127.0.0.1:0/127.0.0.1:9?mode=1");
  await create("weak", "server://short@0.0.0.0:0/127.0.0.1:0?mode=1");
  const { id } = await create("at rest", "client://127.0.0.1:0/[2001:db8::17]:9090?mode=1");
  await stage.api("PATCH", `instances/${id}`, { action: "stop" });
  await create("fails", "server://192.0.2.1:1/127.0.0.1:0?mode=1");
}

/** Every place of the dashboard, one after the other. */
async function visitAll(stage: Stage, look: (place: string) => Promise<void>): Promise<void> {
  const { page } = stage;
  await look("door");
  await populate(stage);
  await signIn(stage);
  await page.getByRole("link", { name: "weak" }).waitFor();
  await page.getByText("Error", { exact: true }).first().waitFor();
  await look("list");
  await page.getByRole("link", { name: "weak" }).click();
  for (const tab of ["Overview", "Sessions", "Log"]) {
    await page.getByRole("tab", { name: tab }).click();
    await look(tab);
  }
  await page.getByRole("link", { name: "Edit" }).click();
  for (const group of await page.locator(".group summary").all()) await group.click();
  await page.getByLabel("Speed limit").fill("fast");
  await look("form");
  await page.getByRole("button", { name: "Cancel" }).click();
  await look("question");
}

for (const colorScheme of ["light", "dark"] as const) {
  Deno.test({
    ...inBrowser(`every control has a name and every text stands out (${colorScheme})`),
    fn: async () => {
      await using stage = await openStage({ colorScheme });
      await visitAll(stage, async (place) => {
        // What moves in has arrived.
        await stage.page.evaluate("Promise.all(document.getAnimations().map((animation) => animation.finished))");
        deepEqual(await namelessControls(stage.page), [], place);
        deepEqual(await faintTexts(stage.page), [], place);
      });
    },
  });
}

Deno.test({
  ...inBrowser("nothing is wider than a screen of 380 pixels"),
  fn: async () => {
    await using stage = await openStage({ width: 380, height: 740, touch: true });
    await visitAll(stage, async (place) => {
      ok(await overflow(stage.page) <= 0, `${place} is ${await overflow(stage.page)} px too wide`);
    });
  },
});

Deno.test({
  ...inBrowser("colours follow the system until somebody chooses, and the choice stays"),
  fn: async () => {
    await using stage = await openStage({ colorScheme: "dark" });
    const { page } = stage;
    const ground = (): Promise<string> => page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
    await signIn(stage);
    const dark = await ground();
    await page.getByRole("button", { name: "Colours: as the system" }).click();
    ok(await ground() !== dark);
    await page.reload();
    await page.getByRole("button", { name: "Colours: light" }).click();
    equal(await ground(), dark);
  },
});

Deno.test({
  ...inBrowser("the keyboard alone signs in, makes a tunnel, stops it and deletes it"),
  fn: async () => {
    await using stage = await openStage();
    const { page, master } = stage;
    const { keyboard } = page;
    const focused = (): Promise<string> =>
      page.evaluate<string>(
        "document.activeElement.ariaLabel || document.activeElement.labels?.[0]?.textContent || document.activeElement.textContent",
      );
    const tabTo = async (name: string): Promise<void> => {
      for (let presses = 0; !(await focused()).trim().startsWith(name); presses++) {
        ok(presses < 60, `The keyboard does not get to "${name}", it is at "${await focused()}"`);
        await keyboard.press("Tab");
      }
    };
    await keyboard.type(master.key.reveal());
    await keyboard.press("Enter");
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByRole("heading", { name: "No tunnels yet" }).waitFor();

    await keyboard.press("n");
    await page.getByRole("dialog").waitFor();
    await keyboard.press("Shift+Tab");
    await keyboard.type("by hand");
    await tabTo("Clients connect to");
    await keyboard.type("127.0.0.1:0");
    await tabTo("Visitors connect to");
    await keyboard.type("127.0.0.1:0");
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: "by hand" }).waitFor();
    equal(await focused(), "by hand");
    await page.getByRole("complementary").getByText("Running").waitFor();
    await tabTo("Stop");
    await tabTo("Stop");
    await keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    equal(await focused(), "Cancel");
    await tabTo("Stop");
    await tabTo("Stop");
    await keyboard.press("Enter");
    await page.getByRole("complementary").getByText("Stopped").waitFor();
    await keyboard.press("Escape");
    await page.getByRole("complementary").waitFor({ state: "detached" });
    equal(await focused(), "by hand");

    await keyboard.press("Enter");
    await page.getByRole("complementary").waitFor();
    await tabTo("Delete");
    await keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await tabTo("Delete");
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: "No tunnels yet" }).waitFor();
  },
});

Deno.test({
  ...inBrowser("what others wrote is text: names, tags and log lines run nothing"),
  fn: async () => {
    await using stage = await openStage();
    const { page } = stage;
    const alias = '<img src=x onerror="document.title=1"><b>bold</b>';
    const url = "client://127.0.0.1:0/127.0.0.1:9?mode=1&<script>=<i>";
    await stage.api("POST", "instances", { alias, url });
    await signIn(stage);
    await page.getByRole("link", { name: alias }).click();
    await page.getByRole("heading", { name: alias }).waitFor();
    await page.getByRole("tab", { name: "Log" }).click();
    await page.getByText("Live, last").waitFor();
    equal(await page.locator("main img, main b.bold, aside img, aside i").count(), 0);
  },
});
