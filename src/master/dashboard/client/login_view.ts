/**
 * The door: asks for the API key and tries it.
 *
 * @module
 */
import { Api, ApiFailure, textOf } from "./api.ts";
import { fill, h } from "./dom.ts";
import { icon, mark } from "./icons.ts";

/** Shows the door in `place`; `opened` gets the key that fits. `reason` says why one stands here again. */
export function showLogin(
  place: Element,
  options: { readonly base: string; readonly reason: string; readonly opened: (key: string) => void },
): void {
  const problem = h("p", { "class": "login-problem", id: "login-problem", role: "alert" }, options.reason);
  problem.hidden = options.reason === "";
  const input = h("input", {
    id: "login-key",
    type: "password",
    autocomplete: "current-password",
    spellcheck: "false",
    required: true,
    "aria-describedby": "login-hint login-problem",
  });
  const reveal = h(
    "button",
    {
      type: "button",
      "class": "icon-button",
      "aria-label": "Show key",
      "aria-pressed": "false",
      onclick: () => {
        const shown = input.type === "password";
        input.type = shown ? "text" : "password";
        reveal.setAttribute("aria-pressed", String(shown));
      },
    },
    icon("eye"),
  );
  const submit = h("button", { type: "submit", "class": "button button-primary button-wide" }, "Sign in");
  const form = h(
    "form",
    {
      "class": "login-card",
      onsubmit: (event) => {
        event.preventDefault();
        void attempt();
      },
    },
    h("div", { "class": "login-head" }, mark(), h("h1", {}, "NodePass")),
    h("label", { "for": "login-key" }, "API key"),
    h("div", { "class": "input-row" }, input, reveal),
    h(
      "p",
      { "class": "hint", id: "login-hint" },
      "The master printed it at its first start. On its machine this shows it again: ",
      h("code", {}, "nodepass state key"),
    ),
    problem,
    submit,
    h("p", { "class": "hint login-foot" }, "The key stays in this tab until you close it or sign out."),
  );
  const attempt = async (): Promise<void> => {
    const key = input.value.trim();
    submit.disabled = true;
    submit.textContent = "Signing in…";
    try {
      await new Api(options.base, key).instances();
      options.opened(key);
    } catch (error) {
      problem.hidden = false;
      problem.textContent = error instanceof ApiFailure && error.status === 401
        ? "This is not the key of this master."
        : textOf(error);
      input.select();
    } finally {
      submit.disabled = false;
      submit.textContent = "Sign in";
    }
  };
  fill(place, h("main", { "class": "login" }, form));
  input.focus();
}
