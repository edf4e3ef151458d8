import { describe, expect, it } from "vitest";
import { InvalidFiles } from "../../src/inventory/invalid-files.ts";
import { ensembleNotes } from "../../src/inventory/mesh-notes.ts";
import { load } from "../playbook/load.ts";

const sound = `version: 1
ssh:
  user: ops
hosts:
  a: { address: 10.0.0.1 }
  b: { address: 10.0.0.2 }
groups:
  zk: [a]
  proxies: [a, b]
mesh:
  ensemble: zk
  proxies: proxies
  services:
    s: { path: /s, port: 8080 }
`;

/** What is said of the file, and how to mend it: the first problem's line, column, message and hint. */
async function first(texts: Parameters<typeof load>[0]): Promise<string> {
  try {
    await load(texts);
    return "nothing";
  } catch (error) {
    if (!(error instanceof InvalidFiles)) throw error;
    const { line, column, message, hint } = error.diagnostics[0]!;
    return `${line}:${column} ${message}${hint === undefined ? "" : ` | ${hint}`}`;
  }
}

describe("what people write", () => {
  it.each([
    [
      "a colon that is missing",
      "user: ops",
      "user ops",
      "2:1 expected a map, found 'user ops' | a key ends with a colon and a blank: `user: ops`",
    ],
    [
      "a blank that is missing",
      "user: ops",
      "user:ops",
      "2:1 expected a map, found 'user:ops' | a key ends with a colon and a blank: `user: ops`",
    ],
    [
      "a blank that is none",
      "user: ops",
      "user:\u00a0ops",
      "2:1 expected a map, found 'user:\u00a0ops' | the blank behind the colon is a no-break space (U+00A0): a key ends with a colon and a blank: `user: ops`",
    ],
    [
      "a quote that is not closed",
      "user: ops",
      'user: "ops',
      '3:9 the quote that begins here, ", is not closed',
    ],
    [
      "a template",
      "port: 8080",
      "port: {{ api_port }}",
      "14:26 '{{' begins no template: meshctl has none | write the value itself, or `!env NAME`",
    ],
    [
      "a template in quotes",
      "port: 8080",
      "port: '{{ api_port }}'",
      "14:26 expected 1–65535, found '{{ api_port }}' | meshctl has no templates: write the value itself, or `!env NAME`",
    ],
    [
      "a share above all",
      "port: 8080",
      "port: 8080, panic_threshold: 120%",
      "14:49 expected a share of the servers, from 0% to 100%, found '120%'",
    ],
    [
      "a number that some read as octal",
      "port: 8080",
      "port: 08080",
      "14:26 08080 begins with 0, which some read as octal | write 8080; where it is text, put quotes around it",
    ],
    [
      "another file's tag",
      "user: ops",
      "user: !include u.yaml",
      "3:9 '!include' without quotes is a YAML tag, and only !env, !file and !command are known | no file includes another: several are read as one, `-i hosts.yaml -i mesh.yaml`",
    ],
    [
      "an address alone",
      "{ address: 10.0.0.1 }",
      "10.0.0.1",
      "5:6 expected a map, found '10.0.0.1' | for example `kvm-01: { address: 10.0.0.1 }`",
    ],
    [
      "a network for an address",
      "10.0.0.1",
      "10.0.0.1/24",
      "5:17 expected an IP address, found '10.0.0.1/24' | leave the length of the network out",
    ],
    [
      "a name for an address",
      "10.0.0.1",
      "a.example",
      "5:17 expected an IP address, found 'a.example' | the other hosts reach it by this; a name to connect to is `ssh: { host: … }` of the host",
    ],
    [
      "a request for a check",
      "port: 8080",
      "check: /health, port: 8080",
      "14:27 expected false or a map, found '/health' | for example `check: { http: GET /health }`",
    ],
    [
      "another proxy's balance",
      "port: 8080",
      "balance: least_conn, port: 8080",
      "14:29 expected HAProxy's word 'leastconn', found 'least_conn'",
    ],
    [
      "hosts for a group",
      "ensemble: zk",
      "ensemble: [a]",
      "11:13 expected text, found a list | the name of a group: `groups:` says which hosts it has",
    ],
    [
      "a role",
      "{ address: 10.0.0.1 }",
      "{ address: 10.0.0.1, role: proxy }",
      "5:27 unknown key; here `groups:` say what hosts are",
    ],
    [
      "services at the top",
      "mesh:\n",
      "services: {}\nmesh:\n",
      "10:1 unknown key; here `mesh: { services: … }`",
    ],
    ["a key that is misspelt alone", "hosts:\n", "host:\n", "4:1 unknown key; did you mean 'hosts'?"],
    [
      "loopback",
      "10.0.0.1",
      "127.0.0.1",
      "5:17 127.0.0.1 is loopback: expected the address by which the other hosts reach it",
    ],
    [
      "no address",
      "10.0.0.1",
      "0.0.0.0",
      "5:17 0.0.0.0 is every address: expected the address by which the other hosts reach it",
    ],
    [
      "broadcast",
      "10.0.0.1",
      "255.255.255.255",
      "5:17 255.255.255.255 is broadcast: expected the address by which the other hosts reach it",
    ],
    [
      "multicast",
      "10.0.0.1",
      "239.1.2.3",
      "5:17 239.1.2.3 is multicast: expected the address by which the other hosts reach it",
    ],
    [
      "link-local",
      "10.0.0.2",
      '"fe80::1"',
      "6:17 fe80::1 is link-local: expected the address by which the other hosts reach it",
    ],
  ])("is mended by what is said of %s", async (_, right, wrong, said) => {
    expect(sound).toContain(right);
    expect(await first({ inventory: sound.replace(right, () => wrong) })).toBe(said);
  });

  it.each([
    ["port: 8080", "port: 8080, check: { expect: 200 }"],
    ["user: ops", 'user: "0ps"'],
    ["10.0.0.1", "10.0.0.0"],
    ["10.0.0.2", "192.168.255.255"],
  ])("gets no such words where %s is %s", async (right, sane) => {
    expect(await first({ inventory: sound.replace(right, () => sane) })).not.toMatch(
      / is (?:loopback|broadcast|multicast|every)|octal|colon and a blank/,
    );
  });

  it("may be one host by itself on its own loopback", async () => {
    expect(await first({ inventory: "version: 1\nhosts: { a: { address: 127.0.0.1 } }\n" })).toBe("nothing");
  });

  it("is Ansible's", async () => {
    const ini = "# hosts\n[zookeeper]\nkvm-01 ansible_host=10.0.0.1\n";
    expect(await first({ inventory: ini })).toBe(
      "1:1 expected YAML, found sections in brackets as in an INI file of Ansible's | `meshctl init prod.yaml --from-ansible FILE` makes an inventory of it",
    );
    expect(await first({ inventory: "all:\n  hosts:\n    a: {}\n" })).toContain("--from-ansible FILE");
    const play = "version: 1\nplays:\n  - { hosts: all, when: x, steps: [sysctl] }\n";
    expect(await first({ playbook: play })).toContain("a play has no conditions");
  });

  it("shows no line of a vault", async () => {
    const inventory = sound.replace(
      "user: ops",
      "password: !vault |\n    $ANSIBLE_VAULT;1.1;AES256\n    3361",
    );
    const said = await first({ inventory });
    expect(said).toContain("a secret comes by reference");
    expect(said).not.toContain("3361");
  });

  it("is in UTF-16, or has a byte that is none of UTF-8", async () => {
    const files = (bytes: Uint8Array) => ({ files: { "i.yaml": bytes } });
    expect(await first(files(Buffer.from(`\ufeff${sound}`, "utf16le")))).toContain("found UTF-16");
    const latin = Buffer.from(sound.replace("ops", "\u00f6ps"), "latin1");
    expect(await first(files(latin))).toContain("found other bytes in line 3");
  });
});

it.each([
  [1, undefined],
  [2, "when one of them is lost nothing can register, just as with 1. Take 3"],
  [3, undefined],
  [4, "it endures the loss of 1, just as with 3. Take 5"],
])("tells of an ensemble of %i", (count, words) => {
  const ensemble = Array.from({ length: count }, (_, at) => ({ host: `h${at}`, address: "", id: undefined }));
  const notes = ensembleNotes({ ensemble } as never);
  expect(notes).toEqual(words === undefined ? [] : [expect.stringContaining(words)]);
});
