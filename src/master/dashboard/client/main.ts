/**
 * The dashboard: the door, then the page.
 *
 * @module
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { Api, apiBase } from "./api.ts";
import { showLogin } from "./login_view.ts";
import { Page } from "./page.ts";
import { applyTheme, storedTheme } from "./theme.ts";

const KEY = "nodepass.key";
const base = apiBase(location.href);
const place = document.body;

applyTheme(storedTheme());
const stored = sessionStorage.getItem(KEY);
if (stored === null) askForKey("");
else enter(stored);

function askForKey(reason: string): void {
  sessionStorage.removeItem(KEY);
  showLogin(place, { base, reason, opened: enter });
}

function enter(key: string): void {
  sessionStorage.setItem(KEY, key);
  let page: Page | null = null;
  const leave = (reason: string): void => {
    page?.close();
    askForKey(reason);
  };
  const api = new Api(base, key, () => leave("This key is not valid any more: somebody made a new one."));
  page = new Page(place, api, { signedOut: () => leave(""), newKey: enter });
}
