/**
 * A second link for a session whose first one broke before anything of it was sent.
 *
 * @module
 */
import type { FrameLink } from "../../wire/secure/frame_link.ts";
import type { FrameSession } from "../../wire/secure/frame_session.ts";
import type { Matchmaker } from "./matchmaker.ts";

/** Moves the session to the next link that is ready, or ends it. Never rejects. */
export async function replaceSession(
  matchmaker: Pick<Matchmaker<FrameLink>, "take">,
  session: FrameSession,
): Promise<void> {
  try {
    const found = matchmaker.take();
    const link = found instanceof Promise ? await found : found;
    if (session.over || session.aborted !== null) {
      link.release();
      return;
    }
    link.adopt(session);
    session.announce();
  } catch {
    session.fail("link_lost");
    session.settle();
  }
}
