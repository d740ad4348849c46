/** Does as its first argument says; for the suite of processes. */
import process from "node:process";

const [what, rest] = process.argv.slice(2);
switch (what) {
  case "echo":
    process.stdin.pipe(process.stdout);
    process.stdin.on("end", () => process.stderr.write("end of input"));
    break;
  case "env":
    process.stdout.write(
      `${process.env[rest ?? ""] ?? "unset"} ${process.env["PATH"] === undefined ? "bare" : "full"}`,
    );
    break;
  case "exit":
    process.exit(Number(rest));
    break;
  default:
    // Reads nothing, and only a signal ends it.
    process.stdout.write("ready");
    setInterval(() => {}, 1_000);
}
