/**
 * What both ends of a WebSocket agree on.
 *
 * @module
 */

/** Options of `ws`: no compression of what is encrypted or compressed already, and a bound on what one message holds. */
export const webSocketOptions: { perMessageDeflate: false; maxPayload: number } = {
  perMessageDeflate: false,
  maxPayload: 2 * 1024 * 1024,
};
