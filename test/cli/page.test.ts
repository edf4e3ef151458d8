import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { driftOf } from "../../src/cli/page/drift.ts";
import { html } from "../../src/cli/page/html.ts";
import { meshPicture } from "../../src/cli/page/mesh-picture.ts";
import { statusPage } from "../../src/cli/page/status-page.ts";
import { momentOf } from "../../src/cli/page/timeline.ts";
import { VerifyPage, verifyPage } from "../../src/cli/page/verify-page.ts";
import { ndjsonReporter } from "../../src/cli/report/ndjson.ts";
import { Secret } from "../../src/secret.ts";
import type { MeshStatus } from "../../src/status/mesh-status.ts";

import { everywhere, HOSTILE, meshOf, outcome, row, seen } from "./pages.ts";

/** Every tag with its attributes, but nothing that stands between them. */
const tagsOf = (page: string) => page.match(/<[^>]*>/g) ?? [];

/** What a reader sees of a page. */
const textOf = (page: string) => page.replace(/<style>.*<\/style>/s, "").replace(/<[^>]*>/g, "\n");

describe("a page", () => {
  it("needs no network and no script, and says so to the browser", () => {
    const page = verifyPage(seen());
    expect(page).not.toMatch(/<(script|link|img|iframe|object|base|form)\b/i);
    expect(tagsOf(page).filter((tag) => /\son\w+=|\sstyle=|\ssrc=|https?:/i.test(tag))).toEqual([]);
    // All links stay within the page, and lead somewhere.
    const links = [...page.matchAll(/href="([^"]*)"/g)].map(([, to]) => to!);
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) expect(page).toContain(`id="${link.slice(1)}"`);
    const [, policy] = /Content-Security-Policy" content="([^"]*)"/.exec(page)!;
    const style = /<style>(.*)<\/style>/s.exec(page)![1]!;
    const digest = createHash("sha256").update(style).digest("base64");
    expect(policy).toBe(
      `default-src &#39;none&#39;; style-src &#39;sha256-${digest}&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;`,
    );
    expect(style).not.toMatch(/url\(|@import/);
  });

  it("shows what a host says as text, wherever it stands", () => {
    const plain = tagsOf(verifyPage(everywhere("said"))).length;
    const page = verifyPage(everywhere(HOSTILE));
    // Nothing became a tag, and nothing left the attribute that it is in.
    expect(tagsOf(page)).toHaveLength(plain);
    expect(page).not.toMatch(/<script|<img|[\u001b\u202e]/);
    const status = (words: string) =>
      statusPage(
        { status: meshOf(2, ["kvm-1"], words), hosts: [], exitCode: 2, durationMs: 1 },
        { files: [words], version: "0", madeAt: new Date(0) },
      );
    expect(tagsOf(status(HOSTILE))).toHaveLength(tagsOf(status("said")).length);
  });

  it("masks what is secret, also where a long word is cut", () => {
    const secret = "a-password-that-nobody-may-see";
    new Secret(secret);
    const page = verifyPage(everywhere(`is ${secret}, they say`));
    expect(page).not.toContain("a-password");
    expect(page).toContain("••••••");
  });

  it("tells what is wrong before anything else, and opens the host that it is on", () => {
    const page = verifyPage(seen());
    const [, ...sections] = page.split("<section ");
    expect(sections.map((section) => /id="(\w+)"/.exec(section)![1])).toEqual([
      "wrong",
      "mesh",
      "drift",
      "hosts",
      "time",
    ]);
    expect(textOf(page)).toContain("1 of 2 hosts is not as wanted");
    expect(textOf(sections[0]!)).toMatch(/kvm-2.*sysctl · b/s);
    const hosts = [...sections[3]!.matchAll(/<details( open)?><summary>[^\n]*<strong>([^<]*)/g)];
    expect(hosts.map(([, open, host]) => [host, open !== undefined])).toEqual([
      ["kvm-2", true],
      ["kvm-1", false],
    ]);
  });

  it("has no such section when all is well", () => {
    const hosts = [outcome("kvm-1", "as wanted")];
    const summary = { event: "summary", exitCode: 0, durationMs: 1000, hosts } as const;
    const page = verifyPage(seen({ summary, rows: [row("kvm-1", "a", "1")] }));
    expect(page).not.toContain('id="wrong"');
    expect(page).toContain('class="standing well"');
  });

  it("tells a host without evidence, and does not draw a mesh of which a part was looked at", () => {
    const hosts = [outcome("kvm-9", "unreachable", "no route")];
    const summary = { event: "summary", exitCode: 4, durationMs: 1, hosts } as const;
    const page = textOf(verifyPage(seen({ summary, rows: [], mesh: undefined })));
    expect(page).toMatch(/kvm-9\n · unreachable: no route/);
    expect(page).toContain("It is not drawn");
  });

  it("has rows that are alike on several hosts once, and the rest of a step folded", () => {
    const rows = ["kvm-1", "kvm-2"].flatMap((host) => [
      row(host, "a", "0"),
      row(host, "b", "0", { blocked: "in the way" }),
    ]);
    const [wrong] = verifyPage(seen({ rows })).split('<section id="mesh"');
    expect(wrong!.match(/<li /g)).toHaveLength(1);
    expect(textOf(wrong!)).toMatch(
      /kvm-1, kvm-2\n · sysctl · b: in the way.*and 1 more of sysctl.*sysctl · a/s,
    );
  });
});

describe("the picture of a mesh", () => {
  const words = (status: MeshStatus) => /aria-label="([^"]*)"/.exec(meshPicture(status)!.text)![1]!;

  it("says who registers, who leads, who proxies and what is down, to who cannot see it, too", () => {
    expect(words(meshOf(2, ["kvm-2"]))).toBe(
      "Backends: 1: alpha (wrong: 10.0.0.1:9001 · DOWN on kvm-2). " +
        "ZooKeeper: 1 of 3 serve, no quorum: kvm-1 (well: leader); kvm-2 (wrong: stopped); kvm-3 (unknown: unreachable). " +
        "Proxies: 2: kvm-1 (well: 1 UP); kvm-2 (wrong: 1 DOWN).",
    );
  });

  it("draws of very many those that are not well, and counts the others", () => {
    const text = words(meshOf(500, ["kvm-499"]));
    expect(text).toMatch(/Proxies: 500: kvm-499 \(wrong: 1 DOWN\); kvm-1 /);
    expect(text).toMatch(/488 more, all well\.$/);
  });

  it("joins no proxy with ZooKeeper where no service has a path, and calls none cut off", () => {
    const mesh = meshOf(2, []);
    const withSessions = (sessions: readonly string[] | undefined) =>
      meshPicture({
        ...mesh,
        proxies: mesh.proxies.map((proxy) => ({ ...proxy, watcher: { ...proxy.watcher!, sessions } })),
      })!.text;
    expect(withSessions([])).toContain('class="edge wrong"');
    expect(withSessions(undefined)).not.toContain('class="edge wrong"');
    expect(withSessions(["10.0.0.1:2181"])).not.toContain('class="edge wrong"');
  });

  it("is none where there is no mesh", () => {
    expect(meshPicture({ problems: [], ensemble: undefined, services: [], proxies: [] })).toBeUndefined();
  });
});

describe("drift since the last run", () => {
  it("is a verdict that is another one, by the names that rows keep", () => {
    const lines: string[] = [];
    const write = ndjsonReporter("r", (line) => lines.push(line));
    for (const each of [row("h", "a", "1"), row("h", "b", "0"), row("h", "c", "0"), row("h", "gone", "1")])
      write(each);
    const then = lines.map((line) => JSON.parse(line));
    const now = [row("h", "a", "0"), row("h", "b", "1"), row("h", "c", "7"), row("h", "new", "1")];
    expect(driftOf({ run: "r", at: "t" }, then, now)).toEqual({
      since: { run: "r", at: "t" },
      drifted: [
        { host: "h", step: "sysctl", setting: "a", was: "proven", is: "not-in-force", isWell: false },
        { host: "h", step: "sysctl", setting: "b", was: "not-in-force", is: "proven", isWell: true },
      ],
      onlyNow: 1,
      onlyThen: 1,
    });
  });
});

describe("a time line", () => {
  it("has what took time or went wrong, and no evidence", () => {
    expect(momentOf({ event: "observed", host: "h", durationMs: 20 }, 30)).toMatchObject({
      atMs: 30,
      lastedMs: 20,
    });
    expect(momentOf({ event: "unreachable", host: "h", error: new Error("no route") }, 1)).toMatchObject({
      isWell: false,
    });
    expect(momentOf(row("h", "a", "1"), 1)).toBeUndefined();
  });
});

describe("the file of a page", () => {
  const folder = mkdtempSync(join(tmpdir(), "meshctl-page-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const about = { run: "r", files: ["i.yaml"], version: "0", noDiff: false, recorded: undefined };

  it("is there whole once the run has ended, and leaves nothing of one that broke off", () => {
    const file = join(folder, "verify.html");
    const broken = new VerifyPage(file, about);
    broken.see(row("h", "a", "1"));
    broken.end();
    expect(readdirSync(folder)).toEqual([]);
    const page = new VerifyPage(file, about);
    page.see(row("h", "a", "1"));
    page.see({ event: "summary", exitCode: 0, durationMs: 1, hosts: [outcome("h", "as wanted")] });
    page.end();
    expect(readdirSync(folder)).toEqual(["verify.html"]);
    expect(readFileSync(file, "utf8")).toMatch(/^<!DOCTYPE html>.*<\/html>\n$/s);
    expect(() => new VerifyPage(folder, about)).toThrow(/--html .*: is a folder/);
  });
});

describe("the html tag", () => {
  it("escapes all but what it made itself", () => {
    expect(html`<p title="${`"'`}">${["<", html`<b>${1}</b>`]}${undefined}</p>`.text).toBe(
      '<p title="&quot;&#39;">&lt;<b>1</b></p>',
    );
  });
});
