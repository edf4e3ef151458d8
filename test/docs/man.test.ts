import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command, Option } from "commander";
import { describe, expect, it } from "vitest";
import { examplesOf } from "../../src/cli/examples.ts";
import { EXIT_CODES, meshctl } from "../../src/cli/program.ts";

const root = join(import.meta.dirname, "../..");
const PAGE = join(root, "man/meshctl.1");
const program = meshctl();
const commands = program.commands.filter((command) => !("_hidden" in command && command._hidden));

/** Text for troff: nothing in it is a request, and a dash is the one that people type. */
function text(plain: string): string {
  return plain
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/gm, "\\&$1");
}

const bold = (plain: string) => `\\fB${text(plain)}\\fR`;

function flag({ flags, description, defaultValue, defaultValueDescription }: Option): string {
  const isTold = ["string", "number"].includes(typeof defaultValue);
  const fallback = isTold ? ` (default: ${defaultValueDescription ?? defaultValue})` : "";
  return `.TP\n${bold(flags)}\n${text(description + fallback)}`;
}

function commandPart(command: Command): string {
  const [, ...examples] = (examplesOf(command.name()) ?? "").trim().split("\n");
  const options = command.options.filter(({ hidden }) => !hidden);
  return [
    `.SS ${bold(`meshctl ${command.name()} ${command.usage()}`.trim())}`,
    text(`${command.description()}.`.replace(/\.\.$/, ".")),
    ...options.map(flag),
    ...(examples.length === 0
      ? []
      : [".PP\n.nf\n.RS", ...examples.map((line) => text(line.trim())), ".RE\n.fi"]),
  ].join("\n");
}

function manPage(): string {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const codes = EXIT_CODES.trim()
    .replace(/^Exit codes: /, "")
    .split(/\s*·\s*/);
  const parts = [
    '.\\" Made from what `meshctl COMMAND --help` prints: npm run test:unit -- -u',
    `.TH MESHCTL 1 "" "meshctl ${version}" "meshctl"`,
    `.SH NAME\nmeshctl \\- ${text(program.description().replace(/\.$/, ""))}`,
    ".SH SYNOPSIS\n.B meshctl\n.I command\n.RI [ flags ]",
    `.SH DESCRIPTION\n${text("An inventory says who: hosts, groups, the mesh and its services. A playbook says what runs where. Of each setting meshctl shows what is wanted, what is on disk and what is in force; it is proven when the three agree.")}`,
    `.SH COMMANDS\n${commands.map(commandPart).join("\n")}`,
    `.SH EXIT STATUS\n${codes
      .map((code) => {
        const [, number, words] = /^(\d+) (.*)$/s.exec(code)!;
        return `.TP\n.B ${number}\n${text(words!.replace(/\s+/g, " "))}`;
      })
      .join("\n")}`,
    `.SH FILES\n${[
      ["inventories/*.yaml", "the inventory, where there is only one and no flag names any"],
      ["playbooks/site.yaml", "the playbook, where no flag names one; else meshctl's own"],
      [
        "~/.ssh/config, ~/.ssh/known_hosts",
        "how hosts are reached and trusted, where the inventory does not say it",
      ],
      ["$XDG_STATE_HOME/meshctl/runs", "what runs did (~/.local/state)"],
      ["$XDG_CACHE_HOME/meshctl/artefacts", "what is built once (~/.cache)"],
    ]
      .map(([path, words]) => `.TP\n${bold(path!)}\n${text(words!)}`)
      .join("\n")}`,
    `.SH SEE ALSO\n.BR ssh_config (5),\n.BR haproxy (1)\n.PP\n${text("The package's docs folder has the whole manual, inventories/example.yaml every key.")}`,
  ];
  return `${parts.join("\n")}\n`;
}

describe("the man page", () => {
  // Written anew by `npm run test:unit -- -u`.
  it("is what --help says", async () => {
    await expect(manPage()).toMatchFileSnapshot(PAGE);
  });

  it("is shipped, and named to npm", () => {
    const { man, files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    // A plain string npm does not link.
    expect(man).toEqual(["man/meshctl.1"]);
    expect(files).toContain("man");
  });

  const groff = spawnSync("groff", ["--version"]);
  it.skipIf(groff.error !== undefined)("is read without a warning", () => {
    const { stderr, stdout } = spawnSync("groff", ["-man", "-Tutf8", "-ww"], {
      input: manPage(),
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    // Bold is a letter that is struck over itself.
    expect(stdout.replace(/.\u0008/g, "").includes("EXIT STATUS")).toBe(true);
  });
});
