import { describe, expect, it } from "vitest";
import type { Service } from "../../src/contract/mesh.ts";
import { uncheckedOptions } from "../../src/haproxy/check-words.ts";
import { compareHaproxyConfig, parseHaproxyConfig, renderHaproxyConfig } from "../../src/haproxy/config.ts";
import { panicAltered, panicOf, panicWords } from "../../src/haproxy/panic-state.ts";
import { haproxyParameters } from "../../src/haproxy/parameters.ts";
import type { ServerState } from "../../src/haproxy/server-state.ts";
import { descriptionOf, haproxySettings, settingsDigest } from "../../src/haproxy/settings.ts";
import { mesh, service } from "./mesh.ts";

const settingsOf = (change: Partial<Service> = {}) =>
  haproxySettings(haproxyParameters.parse({}), mesh([service({ panicPercent: 50, ...change })]));
const panicOfService = (change: Partial<Service> = {}) => settingsOf(change).services[0]!.panic;

describe("a service with a panic threshold", () => {
  it("has rules behind its own lines, and a second back end with the first one's lines", () => {
    const lines = {
      frontend: ["use_backend own if TRUE"],
      backend: ["http-request set-header X-Kind backup", "default-server inter 1s weight 5"],
      server: "",
    };
    const [only] = settingsOf({ lines }).services;
    expect(only!.frontend.indexOf("use_backend own if TRUE")).toBeLessThan(
      only!.frontend.indexOf(only!.panic!.rules[0]!),
    );
    expect(only!.panic!.backend.at(-1)).toBe("default-server weight 5");
    expect(only!.panic!.backend.slice(0, -1)).toEqual(only!.backend.slice(0, -1));
  });

  it.each<[string, Partial<Service>]>([
    ["it is turned off", { panicPercent: 0 }],
    ["it has none", { panicPercent: undefined }],
    ["its servers are not checked", { check: { ...service().check, off: true } }],
    [
      "a server stands in for the others",
      { servers: [{ name: "a", host: "10.0.0.9", port: 80, options: "backup" }] },
    ],
    ["all its servers are backups", { lines: { frontend: [], backend: [], server: "backup" } }],
    [
      "all that register are backups",
      {
        discovery: { by: "zookeeper", path: "/s" },
        servers: [],
        lines: { frontend: [], backend: ["default-server backup"], server: "" },
      },
    ],
  ])("has neither where %s", (_, change) => {
    const settings = settingsOf(change);
    expect(settings.services[0]!.panic).toBeUndefined();
    expect(settings.services[0]!.frontend.join()).not.toContain("panic");
  });

  it("keeps the digest of before where it is off", () => {
    const before = haproxySettings(haproxyParameters.parse({}), mesh([service()]));
    expect(settingsDigest(settingsOf({ panicPercent: 0 }))).toBe(settingsDigest(before));
    expect(settingsDigest(settingsOf())).not.toBe(settingsDigest(before));
    expect(settingsDigest(settingsOf({ panicPercent: 40 }))).not.toBe(settingsDigest(settingsOf()));
  });
});

it.each([
  ["check inter 350 fastinter 100 rise 2 fall 2 observe layer4 error-limit 3 on-error mark-down", ""],
  ["check inter 350 rise 2 fall 2 port 81 weight 10 maxconn 5", "weight 10 maxconn 5"],
  ["ssl verify none check-ssl check-sni x.example sni str(x)", "ssl verify none sni str(x)"],
  ["weight 3 track other/a", "weight 3"],
  ["disabled", "disabled"],
])("options without those about checks: %s", (options, wanted) => {
  expect(uncheckedOptions(options)).toBe(wanted);
});

const server = (backend: string, name: string, status: string, weight = 1): ServerState => ({
  backend,
  name,
  status,
  weight,
  address: undefined,
  limit: 0,
  check: { status: status === "no check" ? "" : "L4OK", code: "", words: "" },
});
/** `up` servers of `of`, of which so many more left or have no weight. */
const worker = (up: number, of: number, gone = 0) => [
  ...Array.from({ length: of }, (_, at) => server("user-api", `s${at}`, at < up ? "UP" : "DOWN")),
  ...Array.from({ length: of }, (_, at) => server("user-api:panic", `s${at}`, "no check")),
  ...Array.from({ length: gone }, (_, at) => server("user-api", `g${at}`, "MAINT")),
  ...Array.from({ length: gone }, (_, at) => server("user-api:panic", `g${at}`, "MAINT")),
  server("user-api", "meshctl-probe_10.0.0.2:1", "UP", 0),
  server("user-api:panic", "meshctl-probe_10.0.0.2:1", "no check", 0),
];

describe("a proxy", () => {
  it("panics when fewer than the threshold are up, and counts neither who left nor who has no weight", () => {
    for (const percent of [1, 30, 50, 67, 100])
      for (let of = 0; of <= Math.floor((7 * 100) / percent) && of <= 40; of++)
        for (let up = 0; up <= of; up++) {
          const panics = panicOf(worker(up, of, 3), "user-api", panicOfService({ panicPercent: percent })!);
          expect([percent, up, of, panics !== undefined]).toEqual([percent, up, of, up * 100 < percent * of]);
        }
  });

  it("never panics while enough are up, however many servers there are, and panics when none is", () => {
    const panic = panicOfService()!;
    for (const of of [40, 99, 100, 731, 733, 900]) {
      expect(panicOf(worker(Math.ceil(of / 2), of), "user-api", panic)).toBeUndefined();
      expect(panicOf(worker(Math.floor(of / 4), of), "user-api", panic)).toEqual({
        up: Math.floor(of / 4),
        of,
      });
      expect(panicOf(worker(0, of), "user-api", panic)).toEqual({ up: 0, of });
    }
  });

  it("is counted by the rules as it counts itself", () => {
    const panic = panicOfService()!;
    const isMet = (up: number, of: number) =>
      panic.rules.some((rule) => {
        const [, most, least] =
          /^use_backend user-api:panic if \{ nbsrv\(user-api\) le (\d+) \} \{ nbsrv\(user-api:panic\) ge (\d+) \}$/.exec(
            rule,
          )!;
        return up <= Number(most) && of >= Number(least);
      });
    for (let of = 0; of < 60; of++)
      for (let up = 0; up <= of; up++)
        expect([up, of, isMet(up, of)]).toEqual([
          up,
          of,
          panicOf(worker(up, of), "user-api", panic) !== undefined,
        ]);
  });

  it("is told by in numbers", () => {
    const panic = panicOfService()!;
    expect(panicWords({ up: 1, of: 4 }, panic)).toBe(
      "1 of 4 servers are up by their checks, fewer than panic_threshold (50%): requests go to all of them",
    );
    expect(panicWords(undefined, panic)).toBeUndefined();
  });
});

describe("haproxy.cfg with a second back end", () => {
  const settings = settingsOf();
  const text = renderHaproxyConfig(settings, descriptionOf(settings)).trimEnd();
  const line = (name: string, options: string) =>
    `    server ${name} 10.0.0.9:80 id 1 cookie ${name}${options}`;
  const checked = " check inter 2000 rise 2 fall 3";
  /** With servers in the two back ends. */
  const withServers = (own: readonly string[], panic: readonly string[]) =>
    [
      text.replace("\n\nbackend user-api:panic", `\n${own.join("\n")}\n\nbackend user-api:panic`),
      ...panic,
      "",
    ].join("\n");
  const compare = (found: string) =>
    compareHaproxyConfig(parseHaproxyConfig(found), settings).map(({ setting, want, found: is }) => [
      setting,
      want,
      is,
    ]);

  it("has the same servers in both, unchecked in the second", () => {
    const both = withServers(
      [line("a", `${checked} weight 5`), line("b", `${checked} disabled`)],
      [line("a", " weight 5"), line("b", " disabled")],
    );
    expect(compare(both)).toEqual([]);
  });

  it.each<[string, readonly string[], readonly string[], string]>([
    ["lacks one", [line("a", checked)], [], "a"],
    ["has one more", [], [line("a", "")], "a"],
    ["has one that is checked", [line("a", checked)], [line("a", checked)], "a"],
    ["has one that has left", [line("a", `${checked} disabled`)], [line("a", "")], "a"],
    ["has one beside a backup", [line("a", checked), line("b", `${checked} backup`)], [line("a", "")], "a"],
  ])("differs when the second %s", (_, own, panic, name) => {
    expect(compare(withServers(own, panic)).map(([setting]) => setting)).toEqual([
      `backend user-api:panic server ${name}`,
    ]);
  });

  it("may have none in the second beside a backup in use, and differs without a rule", () => {
    expect(compare(withServers([line("a", checked), line("b", `${checked} backup`)], []))).toEqual([]);
    const rule = settings.services[0]!.panic!.rules[1]!;
    expect(compare(text.replace(`    ${rule}\n`, "")).map(([setting]) => setting)).toEqual([
      "frontend user-api use_backend",
    ]);
    expect(compare(text.slice(0, text.lastIndexOf("\n\nbackend user-api:panic")))).toEqual([
      ["backend user-api:panic", "backend user-api:panic", undefined],
    ]);
  });

  it("has fixed servers in both", () => {
    const fixed = settingsOf({ servers: [{ name: "a", host: "10.0.0.9", port: 80, options: "weight 5" }] });
    const written = renderHaproxyConfig(fixed, descriptionOf(fixed));
    expect(written.match(/^ {4}server .*/gm)).toEqual([
      "    server a 10.0.0.9:80 check inter 2000 rise 2 fall 3 weight 5",
      "    server a 10.0.0.9:80 weight 5",
    ]);
    expect(compareHaproxyConfig(parseHaproxyConfig(written), fixed)).toEqual([]);
  });
});

describe("servers of the second back end that somebody changed by hand", () => {
  const panic = panicOfService()!;
  const config = parseHaproxyConfig(
    "backend user-api:panic\nserver a 10.0.0.9:80\nserver b 10.0.0.8:80 disabled\n",
  );
  const altered = (servers: readonly ServerState[]) =>
    panicAltered(servers, { started: config, onDisk: config }, "user-api", panic, true);

  it("are told with what takes it back", () => {
    expect(
      altered([
        server("user-api", "a", "UP"),
        server("user-api:panic", "a", "MAINT"),
        server("user-api", "b", "MAINT"),
        server("user-api:panic", "b", "no check"),
      ]),
    ).toEqual([
      { name: "user-api:panic/a", how: "is in maintenance", undo: "set server user-api:panic/a state ready" },
      { name: "user-api:panic/b", how: "is in use", undo: "set server user-api:panic/b state maint" },
    ]);
    expect(altered([server("user-api", "a", "UP"), server("user-api:panic", "a", "no check", 7)])).toEqual([
      { name: "user-api:panic/a", how: "has weight 7", undo: "set server user-api:panic/a weight 1" },
    ]);
  });

  it("are not those that a watcher has just put there, and not written down yet", () => {
    expect(altered([server("user-api", "a", "MAINT"), server("user-api:panic", "a", "MAINT")])).toEqual([]);
    // Down by its check alone.
    expect(altered([server("user-api", "a", "DOWN"), server("user-api:panic", "a", "no check")])).toEqual([]);
  });
});
