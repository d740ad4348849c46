/**
 * Headers of pages: nothing from elsewhere, nobody's frame.
 *
 * @module
 */

/** Headers of every answer, whatever it holds. */
export const guardHeaders: Readonly<Record<string, string>> = Object.freeze({
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
});

/**
 * The content security policy of a page: its own scripts, styles and pictures, calls to its own origin.
 *
 * @param styleHashes of `<style>` elements in the page: `'sha256-...'`
 */
export function pagePolicy(styleHashes: readonly string[] = []): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    ["style-src 'self'", ...styleHashes].join(" "),
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/** Hashes of the `<style>` elements of a page, as a policy names them. */
export async function styleHashesOf(html: string): Promise<string[]> {
  const texts = [...html.matchAll(/<style[^>]*>([\s\S]*?)<\/style>/g)].map((match) => match[1] ?? "");
  return await Promise.all(texts.map(async (text) => {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    return `'sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}'`;
  }));
}
