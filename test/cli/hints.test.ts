import { describe, expect, it } from "vitest";
import { COMMANDS, hintFor, wantedBy, whatThereIs, wrongFlag } from "../../src/cli/hints.ts";
import { meshctl } from "../../src/cli/program.ts";

const commands = ["provision", "plan", "verify", "hosts", "runs", "restore"];
const PLAN = "plan shows what provision would change, and changes nothing. Type: meshctl plan";

describe("who types a word of another tool", () => {
  it.each([
    ["provision -i x.yaml --dry-run", `${PLAN} -i x.yaml`],
    ["--check provision -i x.yaml --yes", `${PLAN} -i x.yaml`],
    ["-i x.yaml --diff", `${PLAN} -i x.yaml`],
    ["-i x.yaml plan -v", "Flags stand behind the command. Type: meshctl plan -i x.yaml -v"],
    ["apply -i x.yaml", "Type: meshctl provision -i x.yaml"],
    ["history", "Type: meshctl runs"],
    ["rollback 20261122-190312-4f2a", "Type: meshctl restore 20261122-190312-4f2a"],
    ["provision -i x.yaml --tags haproxy", "Type: meshctl provision -i x.yaml --steps haproxy"],
    ["provision --forks 5", "Type: meshctl provision --parallel 5"],
    ["provision -K", "-K: at a terminal meshctl asks for sudo's password where sudo does."],
    [
      "plan site.yaml -i x.yaml",
      "A playbook is named with -p, an inventory with -i. Type: meshctl plan -i x.yaml -p site.yaml",
    ],
    ["plan kvm-01 -v", "Hosts are chosen with -l. Type: meshctl plan -l kvm-01 -v"],
    ["plan -p site.yaml -v kvm-01", "Hosts are chosen with -l. Type: meshctl plan -p site.yaml -v -l kvm-01"],
    ["plan -l kvm-01 kvm-02", undefined],
    ["check kvm-01", "Hosts are chosen with -l. Type: meshctl verify -l kvm-01"],
    ["ssh kvm-01", "Type: meshctl exec kvm-01 -- COMMAND"],
    ["ssh -i x.yaml", "Type: meshctl exec -i x.yaml PATTERN -- COMMAND"],
    ["shell kvm-01 -- uptime", "Type: meshctl exec kvm-01 -- uptime"],
    ["hosts -l kvm-01 -v", "Hosts stand behind hosts, without a flag. Type: meshctl hosts kvm-01 -v"],
    ["-v", "Type: meshctl --version"],
    ["run -i x.yaml", "Type: meshctl provision -i x.yaml"],
    ["ping -i x.yaml", "Type: meshctl facts -i x.yaml"],
    ["provision --hosts=kvm-01", "Type: meshctl provision -l kvm-01"],
    ["plan --config x.yaml", "Type: meshctl plan -i x.yaml"],
    ["plan -q", "-q: the exit code and --json say all: send the rest away with >/dev/null."],
    ["version", "Type: meshctl --version"],
    [
      "destroy -i x.yaml",
      "meshctl takes nothing off hosts. `meshctl restore RUN` puts the files back that a run replaced; a host that no group names is left alone.",
    ],
    ["runs list 20261122-190312-4f2a", "A run is shown by its name. Type: meshctl runs 20261122-190312-4f2a"],
    ["validate -ix.yaml -p y.yaml more", undefined],
    ["frobnicate", undefined],
    ["provision --frobnicate", undefined],
    ["", undefined],
  ])("%j is told %j", (typed, told) => {
    expect(hintFor(typed.split(" ").filter(Boolean), commands)).toBe(told);
  });

  it.each([
    ["error: option '-l, --limit <pattern>' argument missing", "-l, --limit <pattern>: only these hosts"],
    ["error: option '-x, --nope <it>' argument missing", undefined],
    ["error: unknown option '--limit'", undefined],
  ])("%j is told %j", (complaint, told) => {
    const options = [{ flags: "-l, --limit <pattern>", description: "only these hosts" }];
    expect(wantedBy(complaint, options)).toBe(told);
  });

  const known = [
    { name: "plan", flags: ["--json", "-i", "--inventory"], example: "meshctl plan" },
    { name: "render", flags: ["--os"], example: "meshctl render kvm-01" },
  ];
  it.each([
    ["unknownCommand", "error: unknown command 'foo'", "foo", "Commands are plan, render."],
    ["unknownCommand", "error: unknown command 'paln' (Did you mean plan?)", "paln", undefined],
    ["unknownOption", "error: unknown option '--os=x'", "plan --os=x", "--os is a flag of render."],
    [
      "unknownOption",
      "error: unknown option '--nope'",
      "plan --nope",
      "Flags of plan are --json, --inventory.",
    ],
    [
      "missingArgument",
      "error: missing required argument 'host'",
      "render",
      "For example: meshctl render kvm-01",
    ],
    ["invalidArgument", "error: option '--os' is invalid.", "render --os x", undefined],
  ])("is told what there is: %s, %s", (code, message, typed, told) => {
    expect(whatThereIs({ code: `commander.${code}`, message }, typed.split(" "), known)).toBe(told);
  });

  it.each(Object.keys(COMMANDS).flatMap((word) => [[word], [word, "kvm-01"]]))(
    "is told a whole command: %s %s",
    async (...typed) => {
      const program = meshctl();
      const names = program.commands.map((each) => each.name());
      const words = typed.filter((word) => word !== undefined);
      const [, line = ""] = /Type: meshctl (.*)/.exec(hintFor(words, names) ?? "") ?? [];
      const [name, ...rest] = line.split(" ");
      let isRun = false;
      const command = program.commands.find((each) => each.name() === name)!;
      command.configureOutput({ writeErr: () => {} }).action(() => {
        isRun = true;
      });
      // A command of the files alone has no place for a host.
      const fits = rest.includes("-l") || command.registeredArguments.length > 0;
      await program.parseAsync([name!, ...(fits ? rest : [])], { from: "user" });
      expect(isRun, line).toBe(true);
    },
  );

  it("is told of the flag that is wrong, and of none that the command has not", () => {
    const commands = [{ name: "import", flags: ["-o", "--from", "--user"], example: undefined }];
    const said = (complaint: string, typed: string) => {
      const words = typed.split(" ");
      return hintFor(words, ["import"], wrongFlag(complaint, words, commands));
    };
    expect(said("error: unknown option '--force'", "import a.json -o b.yaml --force")).toBeUndefined();
    expect(said("error: unknown option '-e'", "import a.json -o b.yaml -e x=y")).toMatch(/^-e: values stand/);
    expect(said("error: missing required argument", "import -o b.yaml")).toBeUndefined();
  });

  it("is told a command line that means what was typed", () => {
    expect(hintFor(["apply", "-l", "a b;$(x)"], commands)).toBe("Type: meshctl provision -l 'a b;$(x)'");
  });
});
