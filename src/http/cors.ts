/**
 * Who may call an API from a browser: everyone who has the key, from any page.
 *
 * @module
 */

/** Headers of every answer, errors and event streams included. */
export const corsHeaders: Readonly<Record<string, string>> = Object.freeze({
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Methods": "GET, PATCH, POST, PUT, DELETE, OPTIONS",
  "Access-Control-Allow-Headers":
    "Content-Type, X-API-Key, Cache-Control, Authorization, Last-Event-ID, If-Match, Idempotency-Key",
  "Access-Control-Expose-Headers": "ETag, Retry-After",
});
