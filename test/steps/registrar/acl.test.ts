import { describe, expect, it } from "vitest";
import type { Fleet } from "../../../src/contract/step.ts";
import { maskForeignSecrets } from "../../../src/foreign-secrets.ts";
import { MASK, maskSecrets, revealContent, showContent } from "../../../src/secret.ts";
import { factOf, unitPath } from "../../../src/smartstack/program.ts";
import type { RegistrarFacts } from "../../../src/steps/registrar/facts.ts";
import { registrarFiles } from "../../../src/steps/registrar/files.ts";
import { registrar } from "../../../src/steps/registrar/index.ts";
import { CREDENTIALS, REGISTRAR_UNIT } from "../../../src/steps/registrar/paths.ts";
import { bookwormHost } from "../bookworm-host.ts";
import { assessed, auth, bare, child, desired, endpoint, KEY, PASSWORD, seen, shown } from "./world.ts";

const OPEN = "world:anyone:31";
const OWN = "own:31 world:anyone:1";
const PATH = "/services/user-api";
const NODE = `${PATH}/app-01_0000000003`;
const PATH_ROW = `ACL of ${PATH}`;
const NODES_ROW = `ACL of nodes in ${PATH}`;

const closed = desired({ auth });
const open = desired();
const allOpen = [
  ["/services", OPEN],
  [PATH, OPEN],
  [NODE, OPEN],
] as const;

/** As a mesh without an account is, of which one is asked now. */
const unsecured = (): RegistrarFacts => ({ ...seen(open), acls: new Map(allOpen) });

/** What the mesh's own closing looks like to a host that has no account, or another one. */
const HIDDEN = "digest:meshctl:x:31 world:anyone:1";
const HIDDEN_ABOVE = "digest:meshctl:x:31 world:anyone:5";
const noAccount = { credentials: factOf({ ...bare(), files: new Map() }, CREDENTIALS) };

type Member = Fleet<typeof closed, RegistrarFacts> extends ReadonlyMap<string, infer M> ? M : never;

describe("an account in ZooKeeper", () => {
  it("is nothing of a mesh that has none", () => {
    const { ids, open: rows } = assessed(open);
    expect({ ids, rows }).toEqual({ ids: [], rows: [] });
    expect(
      registrar.files!({ name: "app-01", desired: open, machine: bookwormHost() }).map(({ path }) => path),
    ).not.toContain(CREDENTIALS);
  });

  it("is proven by the access lists of the paths and of the nodes", () => {
    const { ids, open: rows, row } = assessed(closed);
    expect({ ids, rows }).toEqual({ ids: [], rows: [] });
    expect(row(PATH_ROW)).toMatchObject({
      want: "meshctl: all, others: read",
      inForce: { source: `getAcl ${PATH}` },
    });
    expect(row(NODES_ROW)).toMatchObject({ verdict: "proven" });
  });

  it("comes to a mesh with Nerve first, and the paths are closed after", () => {
    const { ids, changes, row } = shown(closed, unsecured());
    expect(ids).toEqual(["configuration", "close the paths"]);
    expect(changes[1]!.commands).toMatchObject([
      { args: ["close", CREDENTIALS, "10.0.0.2:2181", "1", "/services", PATH] },
    ]);
    expect(row(PATH_ROW)).toMatchObject({
      verdict: "different",
      inForce: { value: "/services anyone: all; /services/user-api anyone: all" },
      closedBy: { change: "close the paths" },
    });
  });

  it("is in no diff, no row and no argument", () => {
    const { changes, row } = shown(closed, unsecured());
    expect(row(CREDENTIALS)).toMatchObject({
      want: "as given",
      diff: { was: undefined, want: `secret=${MASK}\n` },
    });
    expect(JSON.stringify(changes)).not.toContain(PASSWORD);
    for (const text of [PASSWORD, `meshctl:${PASSWORD}`, auth.digest.reveal(), auth.digest.reveal().slice(8)])
      expect(maskSecrets(`x ${text} y`)).toBe(`x ${MASK} y`);
    const write = changes[0]!.commands.find((command) => "path" in command && command.path === CREDENTIALS);
    expect(write).toMatchObject({ mode: "0640", owner: "root:meshctl-registrar" });
    expect(showContent(auth.file)).toBe(`secret=${MASK}\n`);
  });

  it.each([
    ["the path", PATH, OPEN],
    ["what is above", "/services", OWN],
    ["a path that others may write", PATH, "own:31 world:anyone:3"],
    ["a path that is not there", PATH, "absent"],
  ])("closes %s alone, without a restart", (_, path, acl) => {
    const { ids, row } = assessed(closed, { acls: [[path, acl]] });
    expect(ids).toEqual(["close the paths"]);
    expect(row(PATH_ROW).inForce).toMatchObject({ value: expect.stringContaining(path) });
    expect(row(NODES_ROW).verdict).toBe("proven");
  });

  it("names a node that anybody may change", () => {
    const { ids, row } = assessed(closed, { acls: [[NODE, OPEN]] });
    expect(ids).toEqual([]);
    expect(row(NODES_ROW)).toMatchObject({
      verdict: "different",
      inForce: { value: `${NODE} anyone: all` },
      because: expect.stringContaining(`others may change ${NODE}`),
    });
  });

  it("is held back by a node of somebody else, who could not register any more", () => {
    const stranger = child({ name: "out", endpoint: endpoint({ host: "10.9.9.9", port: 1 }) });
    const facts = {
      ...unsecured(),
      registry: { member: "10.0.0.2:2181", children: [child(), stranger] },
      acls: new Map([...allOpen, [`${PATH}/out`, OPEN]]),
    };
    const { ids, row } = shown(closed, facts);
    expect(ids).toEqual([]);
    expect(row(NODES_ROW)).toMatchObject({
      verdict: "blocked",
      because: expect.stringContaining(`${PATH}/out: others may`),
    });
    // One that has the account itself holds up nobody.
    const registered = { ...facts, acls: new Map([...allOpen, [`${PATH}/out`, OWN]]) };
    expect(shown(closed, registered).ids).toEqual(["configuration", "close the paths"]);
  });

  it("is not put in the place of another that has closed the paths", () => {
    const { ids, row } = assessed(closed, { acls: [[PATH, "digest:meshctl:x:31 world:anyone:1"]] });
    expect(ids).toEqual([]);
    expect(row(PATH_ROW)).toMatchObject({
      verdict: "blocked",
      because: expect.stringContaining("take mesh.zookeeper.auth out"),
    });
  });

  it("changes nothing while the access lists cannot be read", () => {
    const { ids, row } = assessed(closed, { facts: { acls: { unread: "no answer" }, process: undefined } });
    expect(ids).toEqual([]);
    for (const name of [PATH_ROW, NODES_ROW])
      expect(row(name)).toMatchObject({ verdict: "unknown", because: expect.stringContaining("no answer") });
  });

  it("comes to a bare host whose ensemble is not there yet", () => {
    const { ids } = shown(closed, { ...bare(), acls: { unread: "Connection refused" } }, new Map());
    expect(ids).toEqual(["packages", "gems", "configuration"]);
  });

  it("comes to a bare host of a mesh whose paths are closed, which cannot tell for whom", () => {
    const acls = [
      ["/services", HIDDEN_ABOVE],
      [PATH, HIDDEN],
      [NODE, HIDDEN],
    ] as const;
    const facts = { ...bare(), ...noAccount, acls: new Map(acls) };
    const { ids, row } = shown(closed, facts, new Map());
    expect(ids).toEqual(["packages", "gems", "configuration"]);
    for (const name of [PATH_ROW, NODES_ROW])
      expect(row(name)).toMatchObject({
        verdict: "unknown",
        because: expect.stringContaining("this host has no account"),
      });
    // What is not as meshctl closes it is told, and what is another user's is left to a person.
    const half = shown(closed, { ...facts, acls: new Map([...acls, [PATH, OPEN]]) }, new Map());
    expect(half.ids).toEqual(["packages", "gems", "configuration", "close the paths"]);
    const others = new Map([...acls, [PATH, "digest:other:x:31 world:anyone:1"] as const]);
    expect(shown(closed, { ...facts, acls: others }, new Map()).ids).toEqual([]);
    const withOne = { ...seen(closed), acls: new Map(acls) };
    expect(shown(closed, withOne).row(PATH_ROW).verdict).toBe("blocked");
  });

  it("is what a Nerve was started with, whose restart a change of the password that was cut off still needs", () => {
    const { startedWith } = seen(closed).process!;
    const { ids, row } = assessed(closed, {
      process: { startedWith: new Map([...startedWith!, [CREDENTIALS, "0"]]) },
    });
    expect(ids).toEqual(["restart"]);
    expect(row(CREDENTIALS)).toMatchObject({ verdict: "not-in-force", inForce: { value: "another" } });
    const proven = assessed(closed).row(CREDENTIALS);
    expect(proven).toMatchObject({ verdict: "proven", inForce: { value: "as given" } });
    const unitOf = (want: typeof closed) =>
      revealContent(registrarFiles(want, KEY).find(({ path }) => path === unitPath(REGISTRAR_UNIT))!.content);
    expect(unitOf(closed)).toMatch(new RegExp(`^ExecStartPre=.* ${CREDENTIALS}$`, "m"));
    expect(unitOf(open)).not.toContain(CREDENTIALS);
  });

  const host = bookwormHost({ packages: new Map([["ruby", "1:3.1"]]) });
  const ready = { ...seen(closed), acls: new Map([...allOpen, [NODE, OWN] as const]) };
  const member = (facts: RegistrarFacts) => {
    const manifest = new Map([...facts.files.values()].map(({ path, sha256 }) => [path, sha256]));
    return { is: "seen", desired: closed, facts, host: { ...host, manifest } } as const;
  };

  it.each<[string, RegistrarFacts]>([
    [
      "has another password",
      {
        ...ready,
        files: new Map([...ready.files, [CREDENTIALS, { ...ready.files.get(CREDENTIALS)!, sha256: "0" }]]),
      },
    ],
    [
      "was started with another password",
      {
        ...ready,
        process: {
          ...ready.process!,
          startedWith: new Map([...ready.process!.startedWith!, [CREDENTIALS, "0"]]),
        },
      },
    ],
    ["has a node that others may change", { ...ready, acls: new Map(allOpen) }],
    ["has a node of another account", { ...ready, acls: new Map([...allOpen, [NODE, HIDDEN] as const]) }],
    ["did not tell of its nodes", { ...ready, acls: { unread: "no answer" } }],
  ])("closes no path while the Nerve of a host %s", (_, facts) => {
    const fleet = new Map([
      ["app-01", member(ready)],
      ["app-02", member(facts)],
    ]);
    expect(registrar.next(["app-01"], fleet)).toEqual({
      hold: expect.stringContaining("Nerve of app-02 does not register"),
    });
  });

  it("is not held up by a node that no Nerve will take away", () => {
    const lasting = child({ name: "by-hand", owner: undefined });
    const facts = {
      ...ready,
      registry: { member: "10.0.0.2:2181", children: [child(), lasting] },
      acls: new Map([...ready.acls, [`${PATH}/by-hand`, OPEN] as const]),
    };
    expect(registrar.next(["app-01"], new Map([["app-01", member(facts)]]))).toEqual(["app-01"]);
  });

  it("comes to a large mesh without assessing every host for each", () => {
    let count = 0;
    const counted = (facts: RegistrarFacts) => {
      const { host: found, ...rest } = member(facts);
      return Object.defineProperty({ ...rest, host: found }, "host", {
        enumerable: true,
        get: () => {
          count += 1;
          return found;
        },
      });
    };
    const names = Array.from({ length: 40 }, (_, index) => `app-${index}`);
    const fleet = new Map(names.map((name, index) => [name, counted(index < 30 ? ready : unsecured())]));
    expect(registrar.next(names, fleet)).toEqual(["app-30"]);
    // Once itself, and once as another host that might build the gems.
    expect(count).toBeLessThanOrEqual(2);
  });

  it("closes the paths when every registrar has it, one host after the other", () => {
    const both: Fleet<typeof closed, RegistrarFacts> = new Map([
      ["app-01", member(ready)],
      ["app-02", member(ready)],
    ]);
    expect(registrar.next([...both.keys()], both)).toEqual(["app-01"]);
    const one = new Map<string, Member>([...both, ["app-02", member(unsecured())] as const]);
    expect(registrar.next(["app-01", "app-02"], one)).toEqual(["app-02"]);
    expect(registrar.next(["app-01"], one)).toEqual({
      hold: expect.stringContaining("Nerve of app-02 does not register"),
    });
    const lost = new Map([
      ...both,
      ["app-02", { is: "unseen", desired: closed, because: "no route" } as const] as const,
    ]);
    expect(registrar.next(["app-01"], lost)).toEqual({ hold: expect.stringContaining("app-02") });
  });
});

describe("an account that is not asked for any more", () => {
  const converged = seen(closed);

  it("opens the paths before Nerve goes without it, and is removed last", () => {
    const facts = { ...converged, acls: new Map([[PATH, "digest:meshctl:x:31 world:anyone:1"]]) };
    const { ids, changes, row } = shown(open, facts);
    expect(ids).toEqual(["open the paths", "configuration", "remove the credentials"]);
    expect(changes[0]!.commands).toMatchObject([
      { args: ["open", CREDENTIALS, "10.0.0.2:2181", "1", "/services", PATH] },
    ]);
    expect(changes[2]!.commands).toEqual([{ kind: "remove", path: CREDENTIALS }]);
    expect(row(PATH_ROW)).toMatchObject({ want: "anybody: all", closedBy: { change: "open the paths" } });
  });

  it("opens nothing that is open", () => {
    const { ids } = shown(open, { ...converged, acls: new Map(allOpen) });
    expect(ids).toEqual(["configuration", "remove the credentials"]);
  });

  it("opens what it has closed of the mesh's other services, and nothing of others", () => {
    const want = desired({ paths: [PATH, "/services/former", "/theirs/api", "/services/free"] });
    const acls = new Map([
      ["/services", HIDDEN_ABOVE],
      [PATH, HIDDEN],
      ["/services/former", HIDDEN],
      ["/services/free", OPEN],
      ["/theirs", OPEN],
      ["/theirs/api", "digest:they:x:31"],
    ]);
    const { ids, changes, row, open: rows } = shown(want, { ...converged, acls });
    expect(ids).toEqual(["open the paths", "configuration", "remove the credentials"]);
    expect(changes[0]!.commands).toMatchObject([
      {
        args: [
          "open",
          CREDENTIALS,
          "10.0.0.2:2181",
          "1",
          "/services",
          PATH,
          "/services/former",
          "/services/free",
        ],
      },
    ]);
    expect(row("ACL of /services/former").closedBy).toEqual({ change: "open the paths" });
    expect(rows).not.toContain("ACL of /theirs/api");
  });

  it("stays while it is not known whether the paths are open", () => {
    const { ids, row } = shown(open, { ...converged, acls: { unread: "no answer" } });
    expect(ids).toEqual([]);
    expect(row(PATH_ROW).verdict).toBe("unknown");
  });
});

describe("an account on a host that registers nothing", () => {
  const nothing = desired({ services: [], auth });
  const left = {
    ...seen(closed),
    units: new Map(),
    process: undefined,
    acls: undefined,
    registry: undefined,
  };

  it("is never written, and removed where it was left behind", () => {
    expect(shown(nothing, { ...left, ...noAccount }).ids).toEqual([]);
    expect(registrar.files!({ name: "app-01", desired: nothing, machine: bookwormHost() })).toEqual([]);
    const { changes, row } = shown(nothing, left);
    expect(changes).toMatchObject([
      { id: "remove the credentials", commands: [{ kind: "remove", path: CREDENTIALS }] },
    ]);
    expect(row(CREDENTIALS)).toMatchObject({ want: "absent", verdict: "different" });
  });

  it("opens the paths first, where the mesh has none any more", () => {
    const { auth: _, ...want } = nothing;
    const acls = new Map([
      ["/services", HIDDEN_ABOVE],
      [PATH, HIDDEN],
    ]);
    const { ids, changes } = shown(want, { ...left, acls });
    expect(ids).toEqual(["open the paths", "remove the credentials"]);
    expect(changes[0]!.commands).toMatchObject([
      { args: ["open", CREDENTIALS, "10.0.0.2:2181", "1", "/services", PATH] },
    ]);
    expect(shown(want, { ...left, acls: { unread: "no answer" } }).ids).toEqual([]);
  });

  it("stays while it was not read", () => {
    const credentials = { ...noAccount.credentials, kind: "unreadable", because: "no answer" };
    const { ids, row } = shown(nothing, { ...left, credentials });
    expect(ids).toEqual([]);
    expect(row(CREDENTIALS)).toMatchObject({
      verdict: "unknown",
      because: expect.stringContaining("no answer"),
    });
  });
});

describe("files of a run that gave Nerve its account", () => {
  const text = (want: typeof open) => {
    const unit = registrarFiles(want, KEY).find(({ path }) => path.endsWith(".service"))!;
    return { path: unit.path, content: revealContent(unit.content) };
  };
  const { path, content: now } = text(closed);
  const unit = { path, before: text(open).content, now };
  const account = { path: CREDENTIALS, before: undefined, now: undefined };
  const keeps = registrar.service!.keeps!;

  it("do not go back while the paths are closed, or may be", () => {
    for (const file of [unit, account]) {
      expect(keeps(file, seen(closed))).toContain("take mesh.zookeeper.auth out");
      expect(keeps(file, { ...seen(closed), acls: { unread: "no answer" } })).toContain("or were not read");
      expect(keeps(file, undefined)).toContain("or were not read");
    }
  });

  it("go back where they are open still, and where the account was there before", () => {
    const moving = seen(closed, { acls: allOpen.slice(0, 2) });
    for (const file of [unit, account]) expect(keeps(file, moving)).toBeUndefined();
    expect(keeps({ ...unit, before: now }, seen(closed))).toBeUndefined();
  });

  it("show no password in their differences", () => {
    expect(maskForeignSecrets("secret=meshctl:of-some-earlier-day\n")).toBe(`secret=${MASK}\n`);
  });
});
