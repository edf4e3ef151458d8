import { describe, expect, it } from "vitest";
import { NotRead } from "../../../src/reader/answer.ts";
import { Reader } from "../../../src/reader/reader.ts";
import type { Recording } from "../../../src/reader/recording.ts";
import { revealContent } from "../../../src/secret.ts";
import { firewall } from "../../../src/steps/firewall/index.ts";
import { lookAtFirewall } from "../../../src/steps/firewall/look.ts";
import { DROP_IN, NFTABLES, RULES, UNDO, UNDO_TIMER, UNIT } from "../../../src/steps/firewall/paths.ts";
import { ruleLines } from "../../../src/steps/firewall/rules.ts";
import { wantedFiles } from "../../../src/steps/firewall/situation.ts";
import { expectCutAnswersToProveNothing } from "../../reader/cut-each.ts";
import { absent, type ToldHost, tellOf, value } from "../../reader/told-host.ts";
import { assessed, bare, converged, desired, hostWith, listing, listingText } from "./world.ts";

const want = desired();
const rules = want.rules!;
const off = desired({ firewall: undefined });
const json = JSON.stringify(listing(rules));
const text = listingText(ruleLines(rules));
const late = { is: "unreadable", because: "it took more than 10 s" } as const;
const PEERS = "sockets.from 2181 2888 3888";

/** A member with all that is wanted. */
const whole: ToldHost & { answers: Recording } = {
  files: Object.fromEntries(wantedFiles(rules).map(({ path, content }) => [path, revealContent(content)])),
  units: {
    [UNIT]: {
      LoadState: "loaded",
      ActiveState: "active",
      enabled: "enabled",
      FragmentPath: `/etc/systemd/system/${UNIT}`,
    },
    [NFTABLES]: { LoadState: "loaded", ActiveState: "inactive", enabled: "disabled", DropInPaths: DROP_IN },
  },
  answers: {
    "nft.table": value(text, json),
    "nft.ruleset": value('{"nftables": []}'),
    "iptables.rules": value(""),
    [PEERS]: value("2181", "10.0.0.11", "2181", "[::ffff:10.0.0.12]", "3888", "[fe80::1%eth0]"),
  },
};
const lookAt = (told: ToldHost, asked = want) => lookAtFirewall(new Reader(tellOf(told)), asked);
const answering = (answers: Recording, told: ToldHost = whole) =>
  lookAt({ ...told, answers: { ...whole.answers, ...answers } });

describe("a look at the firewall", () => {
  it("reads files, units, the table in both of nft's languages, and who is connected", async () => {
    const facts = await lookAt(whole);
    expect(facts.files.rules).toMatchObject({
      kind: "regular",
      content: converged(rules).files.rules.content,
    });
    expect(facts.kernel).toEqual(converged(rules).kernel);
    expect(facts.peers).toEqual([
      { port: 2181, address: "10.0.0.11" },
      { port: 2181, address: "::ffff:10.0.0.12" },
      { port: 3888, address: "fe80::1" },
    ]);
    expect(facts.undo).toBeUndefined();
    expect(assessed(want, facts).changes).toEqual([]);
  });

  it("finds a host without nft, and one without the table", async () => {
    const none = { "nft.table": absent, "nft.ruleset": absent };
    expect((await answering(none)).kernel).toEqual({ is: "no nft" });
    expect((await answering({ "nft.table": value() })).kernel).toMatchObject({
      is: "read",
      table: undefined,
    });
  });

  it("asks where no table is to be not for who is connected, and of no member for other tables", async () => {
    const { "nft.ruleset": ruleset, "iptables.rules": saved } = whole.answers!;
    const told = { answers: { "nft.table": value(), "nft.ruleset": ruleset!, "iptables.rules": saved! } };
    expect(await lookAt(told, off)).toMatchObject({
      kernel: { is: "read", ruleset: '{"nftables": []}' },
      peers: [],
    });
    const outside = desired({}, "app-01");
    expect(await lookAt({ answers: { "nft.table": value() } }, outside)).toMatchObject({
      kernel: { is: "read", ruleset: "" },
      iptables: "",
    });
  });

  it.each([
    ["active", "waiting"],
    ["inactive", "forgotten"],
    ["failed", "forgotten"],
  ])("tells a change that is not confirmed, and whose timer is %s", async (ActiveState, undo) => {
    const told = {
      ...whole,
      files: { ...whole.files, [UNDO]: "table inet meshctl" },
      units: { ...whole.units, [UNDO_TIMER]: { LoadState: "loaded", ActiveState } },
    };
    expect((await lookAt(told)).undo).toBe(undo);
  });
});

describe("what was not read of a firewall", () => {
  it("changes nothing on a converged member, whichever it is", async () => {
    const unknown = await expectCutAnswersToProveNothing({
      step: firewall,
      desired: want,
      host: hostWith(converged(rules)),
      ask: tellOf(whole),
      // What others drop and whom a change would cut off are warnings; without an undo its timer is nothing, and of what has
      // no process nothing was taken.
      needless: [
        ...["nft.ruleset", "iptables.rules", "sockets.from", `unit ${UNDO_TIMER}`],
        `unit ${UNIT} MainPID ControlGroup`,
        `unit ${NFTABLES} MainPID ControlGroup`,
      ],
    });
    expect(unknown.get("nft.table")).toEqual([
      "table inet meshctl",
      "client port 2181",
      "quorum ports 2888, 3888",
    ]);
    expect(unknown.get(`file ${UNDO} stat`)).toEqual(["undo"]);
  });

  it("leaves a file alone that was ours, where none is wanted any more", async () => {
    const facts = await lookAt(
      { ...whole, answers: { ...whole.answers, [`file ${RULES} content "" ""`]: late } },
      off,
    );
    const { evidence, changes } = assessed(off, facts, { host: hostWith(converged(rules)) });
    expect(evidence.firewall).toMatchObject({
      verdict: "unknown",
      because: `${RULES} could not be read: ${late.because}`,
    });
    expect(changes).toEqual([]);
  });

  it("is not written over for what else is open", async () => {
    const key = Object.keys(whole.files!).indexOf(RULES);
    expect(key).toBe(0);
    const facts = await lookAt({
      ...whole,
      units: { ...whole.units, [UNIT]: { LoadState: "loaded", ActiveState: "failed", enabled: "enabled" } },
    });
    const unread = {
      ...facts,
      files: { ...facts.files, rules: { ...facts.files.rules, kind: "unreadable", because: late.because } },
    };
    expect(assessed(want, facts).changes).not.toEqual([]);
    expect(assessed(want, unread).changes).toEqual([]);
  });

  it("is told as a warning where it is what other tables drop", async () => {
    const { evidence } = assessed(want, await answering({ "nft.ruleset": late }));
    expect(evidence["client port 2181"]).toMatchObject({
      verdict: "proven",
      warning: `not meshctl's, and left alone: the rules of other tables could not be read: ${late.because}`,
    });
  });

  it("is told before a change where it is who is connected", async () => {
    const facts = await answering({ [PEERS]: late });
    expect(assessed(want, { ...bare, peers: facts.peers }).changes.at(-1)!.warning).toBe(
      `which clients it cuts off could not be read: ${late.because}`,
    );
  });

  it("leaves undecided whether the table is in force for good where it is the undo", async () => {
    const told = { ...whole, files: { ...whole.files, [UNDO]: "x" } };
    const timer = { [`unit ${UNDO_TIMER} ActiveState`]: late };
    const facts = await lookAt({ ...told, answers: { ...whole.answers, ...timer } });
    expect(facts.undo).toEqual({ unread: late.because });
    expect(firewall.service!.health(facts)).toMatchObject({ is: "undecided" });
  });

  it("is the whole step where it is a unit", async () => {
    const { [NFTABLES]: _, ...units } = whole.units!;
    const broken = tellOf({ ...whole, units });
    const ask = async (question: readonly [string, ...string[]]) =>
      question[0] === "unit" && question[1] === NFTABLES ? late : broken(question);
    await expect(lookAtFirewall(new Reader(ask), want)).rejects.toThrow(NotRead);
  });
});
