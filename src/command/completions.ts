/**
 * `nodepass completions bash|zsh|fish`: scripts made from the table of commands.
 *
 * @module
 */
import { NodePassError } from "../errors.ts";
import { commands, type CommandSummary, shells } from "./commands.ts";
import { type CommandContext, type ExitCode, print } from "./context.ts";
import { type Flag, helpFlag, onlyPositional, readArguments } from "./flags.ts";
import { topics } from "./help_topics.ts";

/** `nodepass completions bash|zsh|fish` */
export function completionsCommand(args: readonly string[], context: CommandContext): ExitCode {
  const shell = onlyPositional(readArguments(args, "completions", [helpFlag]), "<shell>", "bash, zsh or fish");
  print(context, completions(shell));
  return 0;
}

/**
 * The script for one shell.
 *
 * @throws {NodePassError} code `usage` when the shell is not known
 */
export function completions(shell: string): string {
  switch (shell) {
    case "bash":
      return bash();
    case "zsh":
      // zsh runs bash completions; one script less to go wrong.
      return `autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bash()}`;
    case "fish":
      return fish();
    default:
      throw new NodePassError("usage", `Shell ${JSON.stringify(shell)} is not known: expected ${shells.join(", ")}`);
  }
}

function positionalsOf({ completes }: CommandSummary): readonly string[] {
  if (completes === "shells") return shells;
  return completes === "topics" ? [...commands, ...topics].map(({ name }) => name) : [];
}

function bash(): string {
  const names = commands.map(({ name }) => name).join(" ");
  return `_nodepass() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${names} server:// client:// master://" -- "$word"))
    return
  fi
  case "$command:$before" in
${commands.flatMap(bashValues).join("\n")}
  esac
  case "$command" in
${commands.map(bashCommand).join("\n")}
  esac
}
complete -o nosort -F _nodepass nodepass 2>/dev/null || complete -F _nodepass nodepass
`;
}

function bashValues(command: CommandSummary): string[] {
  return command.flags.filter(({ placeholder }) => placeholder !== null).map(({ name, short, values, file }) => {
    const pattern = [`${command.name}:--${name}`, ...(short === undefined ? [] : [`${command.name}:-${short}`])].join(
      "|",
    );
    const reply = file
      ? 'COMPREPLY=($(compgen -f -- "$word"))'
      : `COMPREPLY=($(compgen -W "${(values ?? []).join(" ")}" -- "$word"))`;
    return `    ${pattern}) ${reply}; return ;;`;
  });
}

function bashCommand(command: CommandSummary): string {
  const words = [...positionalsOf(command), ...command.flags.map(({ name }) => `--${name}`)].join(" ");
  const files = command.completes === "files" ? ' $(compgen -f -- "$word")' : "";
  return `    ${command.name}) COMPREPLY=($(compgen -W "${words}" -- "$word")${files}) ;;`;
}

function fish(): string {
  const lines = ["complete -c nodepass -f"];
  for (const command of commands) {
    const first = `complete -c nodepass -n __fish_use_subcommand -a ${command.name} -d ${fishText(command.summary)}`;
    const inside = `complete -c nodepass -n ${fishText(`__fish_seen_subcommand_from ${command.name}`)}`;
    lines.push(first, ...command.flags.map((flag) => `${inside} ${fishFlag(flag)}`));
    const words = positionalsOf(command);
    if (words.length > 0) lines.push(`${inside} -a ${fishText(words.join(" "))}`);
    if (command.completes === "files") lines.push(`${inside} -F`);
  }
  return `${lines.join("\n")}\n`;
}

function fishFlag({ name, short, placeholder, values, file, meaning }: Flag): string {
  return [
    ...(short === undefined ? [] : [`-s ${short}`]),
    `-l ${name}`,
    ...(placeholder === null ? [] : [file ? "-r -F" : "-x"]),
    ...(values === undefined ? [] : [`-a ${fishText(values.join(" "))}`]),
    `-d ${fishText(meaning)}`,
  ].join(" ");
}

function fishText(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
