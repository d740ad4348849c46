/**
 * Light, dark, or what the system prefers.
 *
 * @module
 */

/** What can be chosen. */
export type Theme = "auto" | "light" | "dark";

const NAME = "nodepass.theme";
const order: readonly Theme[] = ["auto", "light", "dark"];

/** What was chosen last time. */
export function storedTheme(): Theme {
  const found = readStored();
  return order.find((theme) => theme === found) ?? "auto";
}

/** Shows a theme and remembers it. */
export function applyTheme(theme: Theme): void {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(NAME, theme);
  } catch {
    // Storage may be switched off: the theme then lasts as long as the page.
  }
}

/** The theme after this one. */
export function nextTheme(theme: Theme): Theme {
  return order[(order.indexOf(theme) + 1) % order.length] ?? "auto";
}

function readStored(): string | null {
  try {
    return localStorage.getItem(NAME);
  } catch {
    return null;
  }
}
