import { expect, it } from "vitest";
import { lookAtSurroundings } from "../../src/daemon/look-at-surroundings.ts";
import { accessRow } from "../../src/daemon/surroundings-rows.ts";
import { judge } from "../../src/evidence/verdict.ts";
import type { Question } from "../../src/reader/protocol.ts";
import { Reader } from "../../src/reader/reader.ts";
import { needsOf } from "../../src/steps/zookeeper/needs.ts";
import { openHost } from "../reader/told-open.ts";
import { DATA, desiredFor } from "../steps/zookeeper/world.ts";

const LOGS = "/srv/zookeeper";
const FULL = ["4096", "100", "100000", "90000"];
const NO_INODES = ["4096", "1000000", "100000", "0"];

/** Of a member whose transaction logs have a disk of their own; undefined for what is not read of a directory's disk. */
async function rowWith(spaces: Readonly<Record<string, readonly string[] | undefined>>) {
  const reader = new Reader(async (question: Question) => {
    const [name, path = ""] = question;
    const fields = name === "space" && path in spaces ? spaces[path] : openHost(question);
    return fields === undefined
      ? { is: "unreadable", because: "it took more than 5 s" }
      : { is: "value", value: fields.map((field) => Buffer.from(field)) };
  });
  const needs = needsOf({ ...desiredFor(["zk-1"], "zk-1"), dataLogDir: LOGS });
  return judge(accessRow((await lookAtSurroundings(reader, "zookeeper.service", needs))!, undefined));
}

it.each<[string, Readonly<Record<string, readonly string[] | undefined>>, string, RegExp | undefined]>([
  ["room everywhere", {}, "proven", undefined],
  ["no room for its log", { [LOGS]: FULL }, "blocked", /^\/srv\/zookeeper has no room left/],
  ["no room for its snapshots", { [DATA]: FULL }, "blocked", /^\/var\/lib\/zookeeper\/data has no room left/],
  ["no inodes beside an unread disk", { [DATA]: undefined, [LOGS]: NO_INODES }, "blocked", /no inodes left/],
  ["a disk that was not read", { [DATA]: undefined }, "unknown", /took more than 5 s/],
])("a service with %s", async (_, spaces, verdict, because) => {
  expect(await rowWith(spaces)).toMatchObject({
    verdict,
    ...(because === undefined ? {} : { because: expect.stringMatching(because) }),
  });
});
