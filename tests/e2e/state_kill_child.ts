/** Saves states without end and prints the number of each that is acknowledged. */
import { runtime, StateFolder, stateOf } from "../unit/master/state_file_fixture.ts";

const [path] = runtime.process.args;
const store = await new StateFolder(path ?? "").open();
let number = store.initial?.run ?? 0;
runtime.process.stdout(`start ${number}\n`);
for (;;) {
  number++;
  await store.save(stateOf(number % 50, { run: number }));
  runtime.process.stdout(`${number}\n`);
}
