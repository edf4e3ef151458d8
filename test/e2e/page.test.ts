import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { statusPage } from "../../src/cli/page/status-page.ts";
import { verifyPage } from "../../src/cli/page/verify-page.ts";
import { everywhere, HOSTILE, meshOf, outcome, row, seen } from "../cli/pages.ts";
import { installMissing } from "../lab/prerequisites.ts";
import { labUnavailable } from "../lab/unavailable.ts";
import { Browser, CHROMIUM } from "./browser.ts";

const LONG =
  "/etc/systemd/system/a-very-long-name-of-a-drop-in.service.d/and-its-file-that-does-not-end.conf";

const pages = {
  "wrong.html": () => verifyPage(everywhere(`${LONG}: ${LONG.repeat(3)}`)),
  "hostile.html": () => verifyPage(everywhere(HOSTILE)),
  "many.html": () =>
    verifyPage(
      seen({
        mesh: meshOf(40, ["kvm-7"]),
        rows: Array.from({ length: 40 }, (_, at) => row(`kvm-${at}`, LONG, "1")),
        moments: [{ atMs: 20, lastedMs: 10, host: "kvm-1", what: "looked at", isWell: true }],
      }),
    ),
  "status.html": () =>
    statusPage(
      { status: meshOf(3, ["kvm-1"]), hosts: [outcome("kvm-1", "drift", LONG)], exitCode: 2, durationMs: 1 },
      { files: [LONG], version: "0", madeAt: new Date(0) },
    ),
};

// As root on Debian, where the lab's own packages are installed as well.
describe.skipIf(labUnavailable() !== undefined)("a page in a browser", () => {
  let folder: string;
  let browser: Browser;
  beforeAll(async () => {
    await installMissing({ [CHROMIUM]: "chromium-headless-shell" }, console.log);
    folder = mkdtempSync(join(tmpdir(), "meshctl-browser-"));
    for (const [name, text] of Object.entries(pages)) writeFileSync(join(folder, name), text());
    browser = await Browser.start(join(folder, "profile"));
  });
  afterAll(async () => {
    await browser?.end();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  async function open(name: string, width: number, scheme: "light" | "dark"): Promise<void> {
    const size = { width, height: 800, deviceScaleFactor: 1, mobile: false };
    await browser.ask("Emulation.setDeviceMetricsOverride", size);
    await browser.ask("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: scheme }],
    });
    await browser.open(`file://${join(folder, name)}`);
    await browser.see("document.querySelectorAll('details').forEach((each) => { each.open = true; })");
  }

  const each = Object.keys(pages).flatMap((name) =>
    [1280, 390].flatMap((width) => (["light", "dark"] as const).map((scheme) => ({ name, width, scheme }))),
  );
  it.each(each)(
    "$name fits into $width pixels, $scheme, with words that can be read",
    async ({ name, width, scheme }) => {
      await open(name, width, scheme);
      const widths = await browser.see<number[]>(
        "[innerWidth, document.documentElement.scrollWidth - document.documentElement.clientWidth]",
      );
      expect(widths).toEqual([width, 0]);
      const drawn =
        "[...document.querySelectorAll('.picture svg')].filter((svg) => svg.getClientRects().length > 0)";
      expect(await browser.see(`${drawn}.map((svg) => svg.getAttribute('class'))`)).toEqual([
        width === 390 ? "narrow" : "wide",
      ]);
      // Text of the picture is not scaled to something that nobody can read.
      expect(
        await browser.see(`${drawn}[0].querySelector('.said').getBoundingClientRect().height`),
      ).toBeGreaterThan(10);
      expect(await browser.see<number>(CONTRAST)).toBeGreaterThanOrEqual(4.5);
      const back = await browser.see<string>("getComputedStyle(document.body).backgroundColor");
      expect(back === "rgb(255, 255, 255)").toBe(scheme === "light");
    },
  );

  it("fetches nothing, runs nothing and breaks none of its own rules", async () => {
    browser.told.length = 0;
    for (const name of Object.keys(pages)) await open(name, 1280, "light");
    const urls = browser.told
      .filter(({ method }) => method === "Network.requestWillBeSent")
      .map(({ params }) => (params.request as { url: string }).url);
    expect(urls).toEqual(Object.keys(pages).map((name) => `file://${join(folder, name)}`));
    const complaints = browser.told.filter(({ method }) =>
      ["Log.entryAdded", "Runtime.exceptionThrown", "Page.javascriptDialogOpening"].includes(method),
    );
    expect(complaints).toEqual([]);
    await open("hostile.html", 1280, "light");
    expect(await browser.see("document.querySelectorAll('script, img').length")).toBe(0);
  });

  it("is used with the keyboard alone", async () => {
    await browser.ask("Emulation.clearDeviceMetricsOverride");
    await browser.open(`file://${join(folder, "many.html")}`);
    const focused = () => browser.see<string>("document.activeElement.outerHTML.slice(0, 60)");
    await browser.press("Tab");
    expect(await focused()).toContain('class="skip"');
    // The first thing that folds, and back.
    for (let at = 0; at < 20 && !(await focused()).startsWith("<summary"); at++) await browser.press("Tab");
    const isOpen = () => browser.see<boolean>("document.activeElement.parentElement.open");
    const before = await isOpen();
    expect(await browser.see("getComputedStyle(document.activeElement).outlineStyle")).toBe("solid");
    await browser.press("Enter");
    expect(await isOpen()).toBe(!before);
    await browser.press("Enter");
    expect(await isOpen()).toBe(before);
  });
});

/** The least contrast of all text that is shown, by WCAG 2. */
const CONTRAST = `(() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const box = element.closest(".node")?.querySelector("rect");
    if (box) return getComputedStyle(box).fill;
    for (let each = element; each; each = each.parentElement) {
      const { backgroundColor } = getComputedStyle(each);
      if (!/, 0\\)$|transparent/.test(backgroundColor)) return backgroundColor;
    }
    return "rgb(255, 255, 255)";
  };
  const shown = [...document.querySelectorAll("body *")].filter((each) =>
    [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== "") && each.getClientRects().length > 0);
  return Math.min(...shown.map((each) => {
    const style = getComputedStyle(each);
    const [one, other] = [light(each.closest("svg") ? style.fill : style.color), light(behind(each))];
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  }));
})()`;
