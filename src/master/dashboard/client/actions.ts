/**
 * What one can do to an instance: asks first where something is lost, tells how it went.
 *
 * @module
 */
import { textOf } from "./api.ts";
import type { Context } from "./context.ts";
import { confirm, type Question } from "./dialogs.ts";
import { plural } from "./format.ts";
import type { InstanceView } from "../../instance.ts";
import { nameOf } from "./naming.ts";

/** An action. */
export type Action = "start" | "stop" | "restart" | "reset" | "delete";

const done: Readonly<Record<Action, string>> = {
  start: "was started",
  stop: "was stopped",
  restart: "was restarted",
  reset: "counts from zero again",
  delete: "was deleted",
};

/** Does it; resolves to whether it was done. */
export async function act(context: Context, view: InstanceView, action: Action): Promise<boolean> {
  const question = questionOf(view, action);
  if (question !== null && !await confirm(question)) return false;
  try {
    if (action === "delete") {
      await context.api.remove(view.id);
      context.model.remove(view.id);
    } else {
      context.model.put(await context.api.change(view.id, { action }));
    }
    context.notices.done(`${nameOf(view)} ${done[action]}`);
    return true;
  } catch (error) {
    context.notices.failed(`Cannot ${action} ${nameOf(view)}: ${textOf(error)}`);
    return false;
  }
}

function questionOf(view: InstanceView, action: Action): Question | null {
  const name = nameOf(view);
  const sessions = view.tcps + view.udps;
  const live = sessions === 0 ? "" : `${plural(sessions, "live session")} may go on for a few seconds, then ends. `
    .replace("ends", sessions === 1 ? "ends" : "end");
  switch (action) {
    case "start":
      return null;
    case "stop":
      return {
        title: `Stop ${name}?`,
        text: `${live}New visitors are turned away until it is started.`,
        action: "Stop",
      };
    case "restart":
      return sessions === 0
        ? null
        : { title: `Restart ${name}?`, text: `${live}New visitors are served at once.`, action: "Restart" };
    case "reset":
      return {
        title: `Reset the counters of ${name}?`,
        text: "Bytes received and sent start at zero again. This cannot be undone.",
        action: "Reset counters",
        danger: true,
      };
    case "delete":
      return {
        title: `Delete ${name}?`,
        text: `${live}Its URL, name and counters are gone for good.`,
        action: "Delete",
        danger: true,
      };
  }
}
