/** Each end of ours against what the Go program said, cut in every way. */
import type net from "node:net";
import { deepEqual, equal, match, ok } from "../harness.ts";
import { CONTROL_ID } from "../peer_1_14/dialect.ts";
import { type Cut, Player } from "../peer_1_14/playback.ts";
import { announcements, bytesFrom, readRecording, type Recording } from "../peer_1_14/recordings.ts";
import { connectTo, listenOn } from "../peer_1_14/sockets.ts";
import { ownedTest } from "../unit/tunnel/forward_fixture.ts";
import { until, within } from "./load.ts";
import { Target } from "./targets.ts";
import {
  chunksOf,
  hearAnnouncement,
  hearPulse,
  linesOf,
  startOurs,
  undated,
  WORDS,
  wordsVisitor,
} from "./wire_1_14_replay.ts";

const LOOPBACK = { host: "127.0.0.1", port: 0 };

for (const flow of ["reverse", "forward"] as const) {
  for (const cut of ["recorded", "bytewise", "joined"] as const) {
    ownedTest(`a server understands the recorded client (${flow}, ${cut})`, async (own) => {
      const recording = await readRecording(flow);
      const target = flow === "reverse" ? LOOPBACK : (await own(Target.listen())).address;
      const server = await startOurs(own, recording, { role: "server", tunnel: LOOPBACK, target });
      const connect = async (): Promise<Player> => await own(new Player(await connectTo(server.addr!)));

      const request = await connect();
      await request.say(chunksOf(recording.handshake, "client"), cut);
      equal(undated(await request.toEnd()), undated(bytesFrom(recording.handshake, "server").toString("latin1")));

      const opened = new Map<string, Player>();
      for (let count = 0; count < recording.ids.length; count++) {
        const player = await connect();
        await player.hear("an id", (text) => text.length >= 4);
        opened.set(player.heard.toString("hex"), player);
      }
      const [first, ...others] = opened.keys();
      equal(first, CONTROL_ID);
      deepEqual(others, recording.ids.filter((id) => id !== CONTROL_ID));
      const control = opened.get(CONTROL_ID)!;

      if (flow === "forward" && cut === "joined") {
        // What the visitors said is there before they are announced.
        for (const { id } of announcements(recording)) {
          await opened.get(id)!.say(chunksOf(recording.links.get(id)!, "client"), cut);
        }
      }
      await control.say(chunksOf(recording.control, "client"), cut);
      await hearPulse(control, 4, recording);
      if (flow === "reverse") {
        for (const action of ["tcp", "udp"] as const) {
          const visitor = await own(wordsVisitor(action, server.entries[0]!));
          const visit = visitor.run();
          const id = await hearAnnouncement(control, 4, { action, remote: visitor.remote, key: recording.key });
          await answerWords(opened.get(id)!, action, 4, cut);
          await visit;
        }
      } else {
        for (const { id } of announcements(recording)) {
          const connection = recording.links.get(id)!;
          if (cut !== "joined") await opened.get(id)!.say(chunksOf(connection, "client"), cut);
          const expected = bytesFrom(connection, "server").toString("latin1");
          await opened.get(id)!.hear(JSON.stringify(expected), (text) => text === expected);
        }
      }
      equal(new Set(linesOf(control.text, 4)).size, flow === "reverse" ? 4 : 2);
    });

    ownedTest(`a client understands the recorded server (${flow}, ${cut})`, async (own) => {
      const recording = await readRecording(flow);
      const target = flow === "forward" ? LOOPBACK : (await own(Target.listen())).address;
      const stage = await own(Stage.open(recording, cut));
      const client = await startOurs(own, recording, { role: "client", tunnel: stage.address, target });
      const control = await within(8_000, "the control connection", stage.control);
      const request = await within(8_000, "the request", stage.request);
      const [asked, recorded] = [headOf(request), headOf(bytesFrom(recording.handshake, "client").toString("latin1"))];
      deepEqual([asked.line, asked.host, asked.authorization], [recorded.line, recorded.host, recorded.authorization]);
      match(request, /\r\n\r\n$/);

      await hearPulse(control, 0, recording);
      if (flow === "forward") {
        await until("the client listens", () => client.entries.length > 0);
        for (const action of ["tcp", "udp"] as const) {
          const visitor = await own(wordsVisitor(action, client.entries[0]!));
          const visit = visitor.run();
          const id = await hearAnnouncement(control, 0, { action, remote: visitor.remote, key: recording.key });
          await answerWords(stage.link(id), action, 0, cut);
          await visit;
        }
      } else {
        for (const { id } of announcements(recording)) {
          const expected = bytesFrom(recording.links.get(id)!, "client").toString("latin1");
          await stage.link(id).hear(JSON.stringify(expected), (text) => text === expected);
        }
      }
      equal(new Set(linesOf(control.text, 0)).size, flow === "forward" ? 4 : 2);
      equal(stage.requests, 1);
    });
  }
}

/** Waits for the words of a visitor on its link and says them back, as the recorded target did. */
async function answerWords(link: Player, action: "tcp" | "udp", skip: 0 | 4, cut: Cut): Promise<void> {
  let expected = "";
  for (const word of WORDS[action]) {
    expected += word;
    await link.hear(JSON.stringify(expected), (text) => text.slice(skip) === expected);
    // A datagram that comes in pieces is several: there are no boundaries on the link.
    await link.say([new TextEncoder().encode(word)], action === "udp" ? "joined" : cut);
  }
}

function headOf(request: string): { line: string; host: string | undefined; authorization: string | undefined } {
  const header = (name: string): string | undefined => new RegExp(`^${name}: ([^\r]*)\r$`, "im").exec(request)?.[1];
  return { line: request.split("\r\n")[0]!, host: header("host"), authorization: header("authorization") };
}

/** A port on which the recorded server is played. */
class Stage implements AsyncDisposable {
  /** What the first connection asked. */
  readonly request: Promise<string>;
  /** The control connection, when its id was said. */
  readonly control: Promise<Player>;
  requests = 0;
  readonly #recording: Recording;
  readonly #cut: Cut;
  readonly #links = new Map<string, Player>();
  readonly #sockets = new Set<net.Socket>();
  readonly #playing: Promise<void>[] = [];
  readonly #listener: ReturnType<typeof listenOn>;
  #opened = 0;
  #port = 0;
  #setRequest!: (text: string) => void;
  #setControl!: (player: Player) => void;

  private constructor(recording: Recording, cut: Cut) {
    this.#recording = recording;
    this.#cut = cut;
    this.request = new Promise((resolve) => this.#setRequest = resolve);
    this.control = new Promise((resolve) => this.#setControl = resolve);
    this.#listener = listenOn("127.0.0.1", 0, (socket) => {
      this.#sockets.add(socket);
      const player = new Player(socket);
      const playing = this.requests === 0 ? this.#answer(player) : this.#welcome(player);
      this.#playing.push(playing.catch(() => void socket.destroy()));
    });
  }

  static async open(recording: Recording, cut: Cut): Promise<Stage> {
    const stage = new Stage(recording, cut);
    stage.#port = (await stage.#listener).port;
    return stage;
  }

  get address(): { host: string; port: number } {
    return { host: "127.0.0.1", port: this.#port };
  }

  link(id: string): Player {
    const link = this.#links.get(id);
    ok(link !== undefined, `no link ${id} was opened, only ${[...this.#links.keys()]}`);
    return link;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([...this.#playing, (await this.#listener).close()]);
  }

  async #answer(player: Player): Promise<void> {
    this.requests++;
    this.#setRequest(await player.hear("a request", (text) => text.includes("\r\n\r\n")));
    await player.say(chunksOf(this.#recording.handshake, "server"), this.#cut);
    player.end();
  }

  /** Each connection plays the recorded one that was opened at its place; further ones are idle links. */
  async #welcome(player: Player): Promise<void> {
    const { ids, links, control, flow } = this.#recording;
    const id = ids[this.#opened++];
    if (id === undefined) return await player.say([crypto.getRandomValues(new Uint8Array(4))], this.#cut);
    const chunks = chunksOf(id === CONTROL_ID ? control : links.get(id)!, "server");
    if (id !== CONTROL_ID) this.#links.set(id, player);
    // At the end that dials, a visitor's first bytes may come with the id, before the visitor is announced.
    const all = this.#cut === "joined" && (id === CONTROL_ID || flow === "reverse");
    await player.say(all ? chunks : chunks.slice(0, 1), this.#cut);
    if (id === CONTROL_ID) this.#setControl(player);
    if (all) return;
    if (id === CONTROL_ID) await player.say(chunks.slice(1), this.#cut);
    else if (flow === "reverse") await player.say(chunks.slice(1), this.#cut);
  }
}
