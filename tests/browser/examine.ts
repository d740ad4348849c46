/**
 * What can be measured about a page as somebody sees or hears it.
 *
 * @module
 */
import type { Page } from "playwright-core";

/** Controls that a screen reader could only call "button". */
export function namelessControls(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`(() => {
    const named = (element) =>
      element.getAttribute("aria-label") || element.getAttribute("aria-labelledby") || element.labels?.length > 0 ||
      element.textContent.trim() !== "";
    return [...document.querySelectorAll("a, button, input, select, textarea, summary, [tabindex='0']")]
      .filter((element) => element.checkVisibility() && !named(element) && !element.closest("[role=tabpanel]:focus"))
      .map((element) => element.outerHTML.slice(0, 200));
  })()`);
}

/** How far the page, or something in it that does not scroll, is wider than the screen, in pixels. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate<number>(`(() => {
    const widths = [...document.querySelectorAll("body *")].filter((element) => element.checkVisibility() && !element.closest("svg, .unseen, thead"))
      .map((element) => element.getBoundingClientRect()).filter(({ width }) => width > 1).map(({ right }) => right);
    return Math.max(document.documentElement.scrollWidth, ...widths) - innerWidth;
  })()`);
}

/** Texts whose colour is too close to what is behind them: less than 4.5 to 1, or 3 to 1 for what cannot be used. */
export function faintTexts(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`(() => {
    const parse = (text) => {
      const canvas = new OffscreenCanvas(1, 1).getContext("2d");
      canvas.fillStyle = text;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = ([r, g, b]) => {
      const [x, y, z] = [r, g, b].map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
      return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const ground = (element) => {
      for (let at = element; at !== null; at = at.parentElement) {
        const colour = parse(getComputedStyle(at).backgroundColor);
        if (colour[3] > 200) return colour;
      }
      return [255, 255, 255, 255];
    };
    return [...document.querySelectorAll("body *")].flatMap((element) => {
      const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== "");
      if (!own || !element.checkVisibility() || element.closest(".unseen, :disabled, [inert], noscript")) return [];
      if (document.querySelector("dialog[open]") !== null && element.closest("dialog") === null) return [];
      const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
      const ratio = (a + 0.05) / (b + 0.05);
      return ratio >= 4.5 ? [] : [element.textContent.trim().slice(0, 60) + " " + ratio.toFixed(2)];
    });
  })()`);
}
