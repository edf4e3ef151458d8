import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type InitFlags, initCommand } from "../../src/cli/init-command.ts";
import { lookAtNamed } from "../../src/cli/init-look.ts";
import { onHosts } from "../../src/cli/on-hosts.ts";
import { askText, choose } from "../../src/cli/ui/ask.ts";
import { askForHosts } from "../../src/cli/ui/init-questions.ts";
import { ConfigurationError } from "../../src/errors.ts";
import { typedHosts } from "../../src/init/typed-hosts.ts";
import { fileError } from "../../src/inventory/file-error.ts";

vi.mock("../../src/cli/on-hosts.ts");
vi.mock("../../src/cli/ui/ask.ts");

let folder: string;
let said: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "meshctl-init-"));
  said = "";
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const init = (flags: Partial<InitFlags>) =>
  initCommand(join(folder, "site.yaml"), { look: false, yes: true, parallel: 1, color: false, ...flags });
const written = () => readFileSync(join(folder, "site.yaml"), "utf8");
const given = (text: string) => {
  const file = join(folder, "hosts");
  writeFileSync(file, text);
  return file;
};

describe("meshctl init", () => {
  it("refuses a name that ssh could not be told, as a mistake of the files", async () => {
    const wanted = init({ fromAnsible: given("a ansible_host='x;y'\n") });
    await expect(wanted).rejects.toThrow(ConfigurationError);
    await expect(wanted).rejects.toThrow(/^a: settings: ssh.host cannot be used: "x;y"/);
  });

  it("leaves a host out whose address nothing tells, and says so", async () => {
    expect(await init({ hosts: "kvm-01=10.0.0.1,gone=127.0.0.1" })).toBe(0);
    expect(said).toMatch(
      /! --hosts: gone is left out: .* 127\.0\.0\.1 is none, and the host was not looked into\. Type it with its address: gone=10\.0\.0\.4\n/,
    );
    expect(written()).toContain("kvm-01: { address: 10.0.0.1 }");
    expect(written()).not.toContain("gone");
  });

  it("refuses hosts of which none has an address", async () => {
    await expect(init({ hosts: "a=127.0.0.1,b=127.0.0.2" })).rejects.toThrow(
      /^--hosts: a is left out: .*\n--hosts: b is left out: /,
    );
  });

  it.each([
    [["group_vars", "host_vars"], "group_vars and host_vars are not read"],
    [["host_vars"], "host_vars is not read"],
  ])("says that it does not read %j", async (folders, words) => {
    for (const name of folders) mkdirSync(join(folder, name));
    await init({ fromAnsible: given("a ansible_host=10.0.0.1\n") });
    expect(said).toContain(`! ${words}: take what \`ansible-inventory --list\` prints\n`);
  });

  it("has a service once that is named twice", async () => {
    await init({ hosts: "10.0.0.1", services: "a, a" });
    expect(written().match(/path: \/services\/a /g)).toHaveLength(1);
  });

  it("gives a host another name that has a group's", async () => {
    await init({ fromAnsible: given("[proxies]\nproxies ansible_host=10.0.0.1\n") });
    expect(written()).toContain("proxies-host: { address: 10.0.0.1");
    expect(written()).toContain("proxies: [proxies-host]");
  });

  it("puts a whole file in the place of another one, where a link leads to", async () => {
    const there = join(folder, "there.yaml");
    writeFileSync(there, "old", { mode: 0o640 });
    symlinkSync(there, join(folder, "site.yaml"));
    const before = statSync(there).ino;
    await init({ hosts: "10.0.0.1", force: true });
    expect(written()).toContain("10.0.0.1");
    expect(readFileSync(there, "utf8")).toBe(written());
    expect(statSync(there).ino).not.toBe(before);
    expect(statSync(there).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder).sort()).toEqual(["site.yaml", "there.yaml"]);
  });

  it.each([
    ["EROFS", "the file system is read-only"],
    ["ENOSPC", "no space is left on the disk"],
    ["EEXIST", "it is there already"],
  ])("has words for %s", (code, words) => {
    expect(fileError(Object.assign(new Error(code), { code }))).toBe(words);
  });

  it("shows nothing of a file that steers the terminal", async () => {
    vi.mocked(choose).mockResolvedValueOnce("ansible").mockResolvedValueOnce(undefined);
    vi.mocked(askText).mockResolvedValueOnce("hosts");
    await askForHosts([], async () => {
      throw new ConfigurationError("hosts: \u001b[2J");
    });
    expect(said).toBe("hosts: ␛[2J\n");
  });
});

describe("hosts that are named by their addresses", () => {
  const how = {
    parallel: 1,
    color: false,
    json: true,
    hostKeys: undefined,
    knownHosts: undefined,
    file: "x",
  };

  it("get names that tell them apart", async () => {
    const { hosts } = await lookAtNamed(typedHosts("fd00::1 fd00:1:: 10.0.0.1"), { ...how, look: false });
    expect(hosts.map(({ name }) => name)).toEqual(["host-fd00--1", "host-fd00-1--0", "host-10-0-0-1"]);
  });

  it("get their own names where a look tells them", async () => {
    const looked = (host: string, hostname: string) => ({
      host,
      result: { hostname, addresses: [host], seen: undefined },
    });
    vi.mocked(onHosts).mockResolvedValueOnce([
      looked("fd00::1", "kvm-01.example.org"),
      looked("fd00:1::", "kvm-01"),
      looked("fd00::3", "zookeeper"),
    ]);
    const { hosts, names } = await lookAtNamed(typedHosts("fd00::1 fd00:1:: fd00::3"), {
      ...how,
      look: true,
    });
    expect(hosts.map(({ name }) => name)).toEqual(["kvm-01", "host-fd00-1--0", "zookeeper-host"]);
    expect(names.get("fd00::1")).toBe("kvm-01");
  });
});
