/**
 * One parameter in the form: a choice or a line of text, with what it means under it.
 *
 * @module
 */
import type { Parameter } from "../../../config/parameters.ts";
import { freshId, h, setAttribute, setText } from "./dom.ts";
import { type FieldGuide, hintOf } from "./field_guide.ts";

/** The field. */
export class ParameterField {
  readonly element: HTMLElement;
  readonly #input: HTMLInputElement | HTMLSelectElement;
  readonly #finding: HTMLElement;

  /**
   * A field.
   *
   * @param parameter what it is about
   * @param guide how it is shown
   * @param changed gets each new value; "" is the default
   */
  constructor(parameter: Parameter, guide: FieldGuide, changed: (value: string) => void) {
    const [id, hint, finding] = [freshId(parameter.name), freshId("hint"), freshId("finding")];
    const attributes = { id, "aria-describedby": `${hint} ${finding}`, "data-parameter": parameter.name };
    const { choices } = guide;
    if (choices === undefined) {
      const placeholder = parameter.defaultText === "-" ? "" : parameter.defaultText;
      const input = h("input", {
        ...attributes,
        type: "text",
        placeholder,
        autocomplete: "off",
        autocapitalize: "off",
        spellcheck: "false",
        oninput: () => changed(input.value.trim()),
      });
      this.#input = input;
    } else {
      const select = h("select", { ...attributes, onchange: () => changed(select.value) });
      const usual = choices[parameter.defaultText.split(" ")[0] ?? ""];
      select.append(h("option", { value: "" }, usual === undefined ? "Default" : `Default: ${usual}`));
      for (const value of parameter.values ?? Object.keys(choices)) {
        select.append(h("option", { value }, choices[value] ?? value));
      }
      this.#input = select;
    }
    this.#finding = h("p", { "class": "finding", id: finding });
    this.element = h(
      "div",
      { "class": "field parameter" },
      h("label", { "for": id }, guide.label, h("code", {}, parameter.name)),
      this.#input,
      h("p", { "class": "hint", id: hint }, hintOf(parameter, choices === undefined)),
      this.#finding,
    );
  }

  /** Shows the value and what is wrong with it. */
  show(value: string, finding: string | null): void {
    const input = this.#input;
    if (input instanceof HTMLSelectElement && ![...input.options].some((option) => option.value === value)) {
      input.append(h("option", { value }, value));
    }
    // Spaces at the end are on their way to something.
    if (input.value.trim() !== value) input.value = value;
    setText(this.#finding, finding ?? "");
    setAttribute(input, "aria-invalid", finding === null ? null : "true");
    setAttribute(this.element, "data-set", value === "" ? null : "");
  }
}
