/**
 * PEM: DER in text (RFC 7468).
 *
 * @module
 */

/** The text of one value. */
export function encodePem(label: "CERTIFICATE" | "PRIVATE KEY", der: ArrayBuffer | Uint8Array): string {
  const base64 = btoa(Array.from(new Uint8Array(der), (byte) => String.fromCharCode(byte)).join(""));
  const lines = base64.match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`].join("\n");
}

/** The DER of the first certificate in a text; null when there is none. */
export function firstCertificate(pem: string): Uint8Array<ArrayBuffer> | null {
  const body = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/.exec(pem)?.[1]?.trim() ?? "";
  if (body === "") return null;
  try {
    return Uint8Array.from(atob(body), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}
