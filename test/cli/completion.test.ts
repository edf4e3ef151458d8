import { describe, expect, it } from "vitest";
import { completionOf, completionText, type Names } from "../../src/cli/completion.ts";
import { meshctl } from "../../src/cli/program.ts";

const program = meshctl();
const names: Names = {
  hosts: () => ["kvm-01", "kvm-02", "app-01"],
  groups: () => ["proxies", "zookeeper"],
  services: () => ["user-api", "orders"],
  steps: () => ["sysctl", "zookeeper", "haproxy"],
  runs: () => ["20261122-190312-4f2a9c0d71e3", "20261123-190312-4f2a9c0d71e3"],
};

function completed(line: string): string[] {
  const words = line.split(" ");
  const { words: found, files } = completionOf(program, words, () => names);
  return [...(files ? [":files"] : []), ...found.map(({ word }) => word)];
}

describe("what completes a line", () => {
  it.each<[string, readonly string[]]>([
    ["pl", ["plan"]],
    ["compl", ["completion"]],
    ["help va", ["validate"]],
    ["--v", ["--version"]],
    ["plan --ser", ["--serial"]],
    ["plan --steps z --ste", []],
    ["plan -l k", ["kvm-01", "kvm-02"]],
    ["plan -l proxies,!kvm-0", ["proxies,!kvm-01", "proxies,!kvm-02"]],
    ["plan -l kvm-01,kvm", ["kvm-01,kvm-02"]],
    ["plan -l @", ["@failed", "@changed"]],
    ["plan --limit=z", ["--limit=zookeeper"]],
    ["plan --steps sysctl,h", ["sysctl,haproxy"]],
    ["plan -i ", [":files"]],
    ["plan -i x -p ", [":files"]],
    ["plan ", []],
    ["facts zoo", ["zookeeper"]],
    ["render a", ["app-01"]],
    ["render app-01 ", []],
    ["render --os ", ["bullseye", "bookworm", "trixie", "sid"]],
    ["render --os=tr", ["--os=trixie"]],
    ["probe u", ["user-api"]],
    ["probe --canary-host a", ["app-01"]],
    ["restore 202611", ["20261123-190312-4f2a9c0d71e3", "20261122-190312-4f2a9c0d71e3"]],
    ["schema ", ["inventory", "playbook"]],
    ["completion z", ["zsh"]],
    ["import a b ", [":files"]],
    ["status --watch ", []],
    ["init --from-ssh-config z", []],
    ["exec all -- ", [":files"]],
    ["nope x", []],
    ["plan --nope=x", []],
  ])("%s", (line, words) => {
    expect(completed(line)).toEqual(words);
  });

  it("has every command and every flag of each", () => {
    const help = program.createHelp();
    const commands = help.visibleCommands(program);
    expect(completed("")).toEqual(commands.map((each) => each.name()));
    for (const command of commands.filter((each) => each.name() !== "help"))
      expect(completed(`${command.name()} --`)).toEqual(help.visibleOptions(command).map(({ long }) => long));
  });

  it("asks for names of the files that the line names", () => {
    const asked: unknown[] = [];
    completionOf(program, ["plan", "-i", "a", "--inventory=b", "-ic", "-p", "d", "-l", ""], (...files) => {
      asked.push(files);
      return names;
    });
    expect(asked).toEqual([[["a", "b", "c"], "d"]]);
  });

  it("is told a word a line, and nothing that a shell would read", () => {
    const words = [{ word: "a", what: "host" }, { word: "$(x)" }, { word: "b c" }, { word: "d" }];
    expect(completionText({ words, more: true })).toBe(":more\na\thost\nd\n");
  });
});
