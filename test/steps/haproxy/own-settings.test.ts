import { describe, expect, it } from "vitest";
import { backendPolicy } from "../../../src/haproxy/backend-policy.ts";
import { haproxyParameters } from "../../../src/haproxy/parameters.ts";
import { haproxySettings } from "../../../src/haproxy/settings.ts";
import type { HaproxyDesired } from "../../../src/steps/haproxy/desired.ts";
import { mesh, service } from "../../haproxy/mesh.ts";
import { assessed, configText } from "./host.ts";

const db = service({
  name: "db",
  mode: "tcp",
  port: 3307,
  alsoBind: ["127.0.0.2"],
  servers: [{ name: "a", host: "10.0.0.9", port: 3306 }],
  check: { ...service().check, http: undefined, lines: ["option mysql-check user probe post-41"] },
});

function desired(): HaproxyDesired {
  const parameters = haproxyParameters.parse({
    maxconn: 9000,
    global: ["log /dev/log local1 notice"],
    defaults: ["option http-server-close"],
    stats: { port: 3212 },
  });
  const settings = haproxySettings(parameters, mesh([db]));
  return { parameters, settings, policy: backendPolicy(mesh([db]), settings), watched: false };
}

const ROWS = [
  "further lines of global",
  "further lines of defaults",
  "listen meshctl-stats",
  "listen meshctl-stats 127.0.0.1:3212",
  "db front end",
  "db front end 127.0.0.2:3307",
  "db front end's lines",
  "db back end",
];
const listeners = [
  ["127.0.0.1", 3307],
  ["127.0.0.2", 3307],
  ["127.0.0.1", 3212],
].map(([address, port]) => ({ address: String(address), port: Number(port), process: "haproxy" }));

describe("a service's own settings and what all services have", () => {
  it("are proven row by row on a converged host", () => {
    const { row } = assessed(desired(), {}, { listeners });
    for (const setting of ROWS) expect([setting, row(setting).verdict]).toEqual([setting, "proven"]);
  });

  it.each([
    ["log /dev/log local1 notice", "log /dev/log local2", "further lines of global"],
    ["    option http-server-close\n", "", "further lines of defaults"],
    ["stats uri /", "stats uri /hidden", "listen meshctl-stats"],
    ["bind 127.0.0.1:3212", "bind 0.0.0.0:3212", "listen meshctl-stats 127.0.0.1:3212"],
    ["timeout client 28800000ms", "timeout client 5s", "db front end's lines"],
    ["bind 127.0.0.2:3307", "bind 127.0.0.3:3307", "db front end's lines"],
    ["user probe post-41", "user root post-41", "db back end"],
    ["timeout server 28800000ms", "timeout server 5s", "db back end"],
  ])("are not where the file has another line than %j", (want, found, setting) => {
    const text = configText(desired());
    expect(text).toContain(want);
    const { row } = assessed(desired(), { config: text.replace(want, found) }, { listeners });
    expect(row(setting).verdict).toBe("different");
  });

  it("are not in force where HAProxy was loaded with another line", () => {
    const loaded = configText(desired()).replace("timeout client 28800000ms", "timeout client 5s");
    const { row } = assessed(desired(), { loaded }, { listeners });
    expect(row("db front end's lines").verdict).toBe("not-in-force");
    expect(row("db back end").verdict).toBe("proven");
  });

  it("are not in force where nobody listens on a further address", () => {
    const { row } = assessed(desired(), {}, { listeners: listeners.filter(({ port }) => port !== 3212) });
    expect(row("listen meshctl-stats 127.0.0.1:3212").verdict).toBe("not-in-force");
  });
});
