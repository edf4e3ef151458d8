import { describe, expect, it } from "vitest";
import { parseProperties, serversOf, withDynamic } from "../../../src/steps/zookeeper/properties.ts";

const valuesOf = (text: string) =>
  Object.fromEntries([...parseProperties(text)].map(([key, { value }]) => [key, value]));

describe("zoo.cfg, as java.util.Properties reads it", () => {
  it.each([
    ["dataDir=/a", { dataDir: "/a" }],
    ["  dataDir : /a  ", { dataDir: "/a" }],
    ["dataDir\t/a", { dataDir: "/a" }],
    ["dataDir = = /a", { dataDir: "= /a" }],
    ["dataDir=/a\ndataDir=/b", { dataDir: "/b" }],
    ["dataDir=/a\\\n    /b\\\n\t/c", { dataDir: "/a/b/c" }],
    ["# dataDir=/a\\\ndataDir=/b", { dataDir: "/b" }],
    [
      "! dataDir=/a\n\ndataDir=/b\r\ntickTime=1\rinitLimit=2",
      { dataDir: "/b", tickTime: "1", initLimit: "2" },
    ],
    ["data\\:Dir=/a", { "data:Dir": "/a" }],
    ["data\\u0044ir=\\u002fa\\tb", { dataDir: "/a\tb" }],
    ["dataDir=C\\:\\\\a", { dataDir: "C:\\a" }],
    ["dataDir=/a\\\\\ntickTime=1", { dataDir: "/a\\", tickTime: "1" }],
    ["dataDir", { dataDir: "" }],
    ["dataDir=/a#b", { dataDir: "/a#b" }],
    ["dataDir=/a\\", { dataDir: "/a" }],
  ])("%j", (text, values) => {
    expect(valuesOf(text)).toEqual(values);
  });

  it("numbers a line by where it begins", () => {
    expect(parseProperties("\na=1\\\n2\nb=3").get("b")?.line).toBe(4);
    expect(parseProperties("\na=1\\\n2\nb=3").get("a")?.line).toBe(2);
  });

  it("has members with their roles, in any spelling", () => {
    const text =
      "server.1=a:2888:3888:PARTICIPANT\nserver.02 = b:2888:3888:Observer;2181\nserver.3=c:2888:3888 : participant;0.0.0.0:2181";
    expect([...serversOf(parseProperties(text))]).toEqual([
      [1, "a:2888:3888"],
      [2, "b:2888:3888:observer"],
      [3, "c:2888:3888"],
    ]);
  });

  it("leaves its members to the dynamic file that it names", () => {
    const file = parseProperties("dataDir=/a\nserver.9=z:1:2\ndynamicConfigFile=/b");
    const whole = withDynamic(file, "server.1=a:2888:3888:participant;2181\nversion=100000000\n");
    expect([...serversOf(whole)]).toEqual([[1, "a:2888:3888"]]);
    expect(whole.get("dataDir")?.value).toBe("/a");
  });
});
