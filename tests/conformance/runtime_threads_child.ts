/** A thread that doubles what it hears, and fails when it is told to. */
import { detectRuntime } from "../../src/runtime/detect.ts";

const { parent } = (await detectRuntime()).threads;
parent?.onCrash((error) => parent.send(`crash: ${(error as Error).message}`));
parent?.onMessage((value) => {
  if (value === "fail") setTimeout(() => fail(), 0);
  else if (value instanceof SharedArrayBuffer) Atomics.add(new Int32Array(value), 0, 1);
  else parent.send((value as number) * 2);
});
parent?.send("ready");

function fail(): never {
  throw new Error("told to");
}
