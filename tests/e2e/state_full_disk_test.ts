import { writeFile } from "node:fs/promises";
import { readState } from "../../src/master/state_file/open.ts";
import type { NodePassError } from "../../src/errors.ts";
import { deepEqual, match, rejects, test } from "../harness.ts";
import { stateOf } from "../unit/master/state_file_fixture.ts";
import { empty, fill, mountMissing, onSmallDisk } from "./small_disk.ts";

const skip = await mountMissing();

test(
  "A full disk fails a save and leaves the old state, which goes on once there is room",
  () =>
    onSmallDisk(64, async (folder) => {
      const store = await folder.open();
      await store.save(stateOf(2));
      await fill(folder);
      const noRoom = (error: NodePassError): boolean =>
        error.code === "no_space" && /no space left/.test(error.message);
      for (const sync of [true, false]) await rejects(store.save(stateOf(40), { sync }), noRoom);
      deepEqual(await readState(folder.options), stateOf(2));
      deepEqual((await folder.names()).filter((name) => name.endsWith(".tmp")), []);
      await empty(folder);
      await store.save(stateOf(3));
      await store.close();
      deepEqual(await folder.run(), stateOf(3));
    }),
  { skip },
);

test("A state opens on a full disk, and says that it keeps no copy", () =>
  onSmallDisk(64, async (folder) => {
    await folder.run(stateOf(40));
    await fill(folder);
    deepEqual(await folder.run(), stateOf(40));
    match(folder.log.join(), /The previous state could not be kept/);
    // A copy that is good does not make up for room: nothing is lost meanwhile.
    await empty(folder);
    await folder.run();
    await writeFile(folder.at("nodepass.json"), "{");
    await fill(folder);
    await rejects(folder.open(), (error: NodePassError) => error.code === "no_space");
    await empty(folder);
    deepEqual(await folder.run(), stateOf(40));
  }), { skip });
