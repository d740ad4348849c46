import { metricsText } from "../../../src/master/metrics.ts";
import type { MasterParts } from "../../../src/master/parts.ts";
import { equal, match, ok, test } from "../../harness.ts";
import { keyView, view } from "./events_fixture.ts";

function parts(): MasterParts {
  const views = [
    keyView(),
    view("aaaaaaaa", { alias: 'a "b" \\ c\nd', ping: 12, pool: 4, tcps: 3, udps: 2, tcprx: 10, tcptx: 20 }),
    view("bbbbbbbb", { status: "error", type: "client", udprx: 2 ** 40 }),
  ];
  return {
    runtime: { name: "node" },
    hub: { readers: 2, dropped: 5 },
    instances: {
      list: () => views,
      connections: () => new Map([["aaaaaaaa", 9]]),
      rejections: () => new Map([["aaaaaaaa", { slot: 3, no_link: 1 }]]),
    },
  } as unknown as MasterParts;
}

test("metricsText: instances, events and the build, in the text format", () => {
  const lines = metricsText(parts()).split("\n");
  for (
    const line of [
      "# TYPE nodepass_instance_up gauge",
      'nodepass_instance_up{instance="aaaaaaaa",alias="a \\"b\\" \\\\ c\\nd",type="server"} 1',
      'nodepass_instance_up{instance="bbbbbbbb",alias="",type="client"} 0',
      'nodepass_connections{instance="aaaaaaaa"} 3',
      'nodepass_connections_total{instance="aaaaaaaa"} 9',
      'nodepass_udp_sessions{instance="aaaaaaaa"} 2',
      'nodepass_pool_ready{instance="aaaaaaaa"} 4',
      'nodepass_ping_seconds{instance="aaaaaaaa"} 0.012',
      'nodepass_bytes_total{instance="aaaaaaaa",proto="tcp",direction="tx"} 20',
      'nodepass_bytes_total{instance="bbbbbbbb",proto="udp",direction="rx"} 1099511627776',
      'nodepass_limit_rejections_total{instance="aaaaaaaa",limit="no_link"} 1',
      "nodepass_sse_subscribers 2",
      "nodepass_sse_dropped_total 5",
    ]
  ) ok(lines.includes(line), `${line}\nin\n${lines.join("\n")}`);
  match(lines.join("\n"), /^nodepass_build_info\{version="\d+\.\d+\.\d+",runtime="node"\} 1$/m);
});

test("metricsText: every line is a comment or a sample, and no key or URL is in it", () => {
  const text = metricsText(parts());
  for (const line of text.split("\n").slice(0, -1)) {
    match(
      line,
      /^(# (HELP|TYPE) nodepass_\w+ .+|nodepass_\w+(\{\w+="([^"\\\n]|\\.)*"(,\w+="([^"\\\n]|\\.)*")*\})? -?[\d.e+]+)$/,
    );
  }
  equal(text.includes("server://"), false);
  equal(text.includes(keyView().url), false);
});
