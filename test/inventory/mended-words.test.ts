import { describe, expect, it } from "vitest";
import { InvalidFiles } from "../../src/inventory/invalid-files.ts";
import { ensembleNotes } from "../../src/inventory/mesh-notes.ts";
import { maskSecrets } from "../../src/secret.ts";
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
  return (await all(texts))[0] ?? "nothing";
}

/** The same of every problem, in the order in which they are told. */
async function all(texts: Parameters<typeof load>[0]): Promise<readonly string[]> {
  try {
    await load(texts);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidFiles)) throw error;
    return error.diagnostics.map(
      ({ line, column, message, hint }) =>
        `${line}:${column} ${message}${hint === undefined ? "" : ` | ${hint}`}`,
    );
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
      '3:9 the quote that begins here, ", is not closed | end the value with ", or leave both quotes out',
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
      "14:49 expected a share of the servers, from 0% to 100%, found '120%' | for example `panic_threshold: 50%`",
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
      "14:27 expected false or a map, found '/health' | write `check: { http: GET /health }`",
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
      "5:17 127.0.0.1 is loopback: expected the address by which the other hosts reach it | `ip -brief address` on the host lists what it has",
    ],
    [
      "no address",
      "10.0.0.1",
      "0.0.0.0",
      "5:17 0.0.0.0 is every address: expected the address by which the other hosts reach it | `ip -brief address` on the host lists what it has",
    ],
    [
      "broadcast",
      "10.0.0.1",
      "255.255.255.255",
      "5:17 255.255.255.255 is broadcast: expected the address by which the other hosts reach it | `ip -brief address` on the host lists what it has",
    ],
    [
      "multicast",
      "10.0.0.1",
      "239.1.2.3",
      "5:17 239.1.2.3 is multicast: expected the address by which the other hosts reach it | `ip -brief address` on the host lists what it has",
    ],
    [
      "link-local",
      "10.0.0.2",
      '"fe80::1"',
      "6:17 fe80::1 is link-local: expected the address by which the other hosts reach it | `ip -brief address` on the host lists what it has",
    ],
    [
      "a plain number for a time",
      "user: ops",
      "connect_timeout: 5",
      "3:20 expected a time with its unit, 5s or 5ms, found 5 | for example `connect_timeout: 10s`",
    ],
    [
      "a host's name with a capital",
      "  a: {",
      "  A: {",
      "5:3 expected a name of a–z, 0–9, '-' and '.', beginning with a letter or digit, found 'A' | write 'a'",
    ],
    [
      "a list without brackets",
      "[a, b]",
      "a, b",
      "9:12 expected a list of hosts and groups, or a map with 'hosts', found 'a, b' | a list stands in brackets: `[a, b]`",
    ],
    [
      "a dash without its blank",
      "[a, b]",
      "\n    -a\n    -b",
      "9:3 expected a list of hosts and groups, or a map with 'hosts', found '-a -b' | a blank stands behind the dash of a list's item: `- kvm-01`",
    ],
    [
      "a pattern in a group",
      "[a, b]",
      "[!a, b]",
      "9:13 '!a' without quotes is a YAML tag, and only !env, !file and !command are known | a group's list holds names alone: leave this one out",
    ],
    [
      "a word processor's quotes",
      "user: ops",
      "user: “ops”",
      "3:9 expected a user name: letters, digits, and . _ - + @ \\ behind the first, found '“ops”' | quotes of a word processor are none of YAML's: write \"ops\"",
    ],
    [
      "a secret of sops",
      "user: ops",
      "password: ENC[AES256_GCM,data:abc]",
      "3:13 expected a reference: !env NAME, !file PATH or !command [PROGRAM, ARGUMENT], found text that sops encrypted | `!command [sops, -d, --extract, …]` decrypts it when it is needed, or `!command [PROGRAM, ARGUMENT]` of another store",
    ],
    [
      "another version",
      "version: 1",
      "version: 2",
      "1:10 expected 1, found 2 | the format has one version: `version: 1`",
    ],
    [
      "an address with a number too large",
      "10.0.0.1",
      "10.0.0.256",
      "5:17 expected an IP address, found '10.0.0.256' | an IPv4 address has four numbers from 0 to 255: `10.0.0.1`",
    ],
    [
      "an address in brackets",
      "address: 10.0.0.1",
      'address: "[fd00::2]:22"',
      "5:17 expected an IP address, found '[fd00::2]:22' | an address stands without brackets: `\"fd00::2\"`",
    ],
    [
      "an address of one interface",
      "10.0.0.1",
      "fe80::1%eth0",
      "5:17 expected an IP address, found 'fe80::1%eth0' | a link-local address is of one interface alone: take one that all hosts of the mesh reach",
    ],
    [
      "a list of addresses",
      "10.0.0.1",
      "[10.0.0.1]",
      "5:17 expected an IP address, found a list | a host has one address, and no list: `address: 10.0.0.1`",
    ],
    [
      "a port with its thousands set apart",
      "port: 8080",
      "port: 8_080",
      "14:26 expected 1–65535, found '8_080' | digits alone: `8080`",
    ],
    [
      "a number of thousands",
      "port: 8080",
      "port: 8080, check: { http: GET /h, rise: 2k }",
      "14:61 expected a number, found '2k' | digits alone: `2000`",
    ],
    [
      "a number with a unit",
      "port: 8080",
      "port: 8080, check: { http: GET /h, rise: 2s }",
      "14:61 expected a number, found '2s' | digits alone, without a unit: `2`",
    ],
    [
      "a blank that is missing in braces",
      "address: 10.0.0.1",
      "address:10.0.0.1",
      "5:8 unknown key; a key ends with a colon and a blank: `address: 10.0.0.1`",
    ],
    [
      "a private key where its file is named",
      "user: ops",
      'identity_file: "-----BEGIN OPENSSH PRIVATE KEY-----"',
      "3:18 is what a file holds, and not the file's path: take it out of here, and name the file",
    ],
    [
      "a page of the web",
      sound,
      "<!DOCTYPE html><html></html>\n",
      "1:1 expected a map, found '<!DOCTYPE html><html></html>' | this is a page, not an inventory: fetch the file itself, as raw text",
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

  it.each([
    [
      "a colon that is missing above other keys",
      "user: ops",
      "user ops\n  port: 22",
      [
        "3:3 expected a key with a colon behind it, found 'user ops' | a key ends with a colon and a blank: `user: ops`",
      ],
    ],
    [
      "an equals sign",
      "user: ops",
      "user = ops\n  port: 22",
      [
        "3:3 expected a key with a colon behind it, found 'user = ops' | a key ends with a colon and a blank: `user: ops`",
      ],
    ],
    [
      "a brace that is not closed",
      "10.0.0.1 }",
      "10.0.0.1",
      ["5:6 the { that begins here is not closed by a } | write } behind its last value"],
    ],
    [
      "a brace too many",
      "10.0.0.1 }",
      "10.0.0.1 } }",
      ["5:28 this } closes nothing | leave it out, or open the brackets before it"],
    ],
    [
      "a comment that hides the brace",
      "10.0.0.1 }",
      "10.0.0.1 # the first }",
      [
        "5:26 the comment that begins here hides the } behind it | end the brackets before the comment, or put quotes around a value that holds #",
      ],
    ],
    [
      "a comma that is missing",
      "10.0.0.1 }",
      "10.0.0.1 country: DE }",
      [
        "5:17 invalid YAML: a second ': ' before the next comma | a comma stands between two keys in braces: `{ address: 10.0.0.1, country: DE }`",
      ],
    ],
    [
      "a line too far to the left",
      "  b: {",
      " b: {",
      [
        "6:2 this line begins with 1 blank, and the one above with 2 blanks | keys of one map begin in the same column, and keys within a key two further to the right",
      ],
    ],
    [
      "a no-break space that indents",
      "  user: ops",
      "\u00a0\u00a0user: ops\n  port: 22",
      [
        "3:1 U+00A0, which only looks like a blank, cannot indent YAML: use spaces | two spaces for each level",
      ],
    ],
    [
      "a quote that another one ends, lines below",
      "user: ops",
      'user: "ops\n  identity_file: "x"',
      ['3:9 the quote that begins here, ", is not closed | end the value with ", or leave both quotes out'],
    ],
    [
      "a quote that another one ends, further to the right",
      "ssh:\n  user: ops",
      'ssh: "\n  user: "ops"',
      [
        '2:6 the quote that begins here, ", is not closed in its line | end the value with ", or leave both quotes out',
      ],
    ],
    [
      "a group that is wrong, whose hosts are not missed",
      "[a, b]",
      "[a; b]",
      ["9:13 no host or group is named 'a; b' | there are a, b, zk, proxies"],
    ],
    [
      "a key with another's meaning, before what is missing for it",
      "address: 10.0.0.1",
      "ansible_host: 10.0.0.1",
      [
        "5:8 unknown key; here `ssh: { host: … }` of the host",
        "5:3 expected an IP address, found nothing | for example `address: 10.0.0.1`",
      ],
    ],
  ])("is said once, and its cause first: %s", async (_, right, wrong, said) => {
    expect(sound).toContain(right);
    expect(await all({ inventory: sound.replace(right, () => wrong) })).toEqual(said);
  });

  it.each([
    [
      { inventory: "version: 1\nplays: []\n" },
      "2:1 unknown key; this is a playbook: `-p FILE` names it, and `-i FILE` an inventory",
    ],
    [
      { inventory: 'version: "3"\nservices: { web: { image: nginx } }\n' },
      "2:1 unknown key; this is Compose's form, and meshctl starts no containers: `meshctl init` writes an inventory",
    ],
    [
      { playbook: sound },
      "4:1 unknown key; this is an inventory: `-i FILE` names it, and `-p FILE` a playbook",
    ],
    [
      { playbook: "- hosts: all\n  tasks: []\n" },
      "1:1 expected a map, found a list | a playbook is `version: 1` and `plays: [{ hosts: all, steps: { sysctl: {} } }]`; Ansible's roles and tasks are unknown here",
    ],
  ])("is another file: %j", async (texts, said) => {
    expect(await all(texts)).toEqual([said]);
  });

  it("is Ansible's", async () => {
    const ini = "# hosts\n[zookeeper]\nkvm-01 ansible_host=10.0.0.1\n";
    expect(await first({ inventory: ini })).toBe(
      "1:1 expected YAML, found sections in brackets as in an INI file of Ansible's | `meshctl init prod.yaml --from-ansible FILE` makes an inventory of it",
    );
    const toml = '[hosts.kvm-01]\naddress = "10.0.0.2"\n';
    expect(await first({ inventory: toml })).toContain("expected YAML, found TOML | `meshctl init FILE`");
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

  it("is a private key in the place of its file, of which no line is shown", async () => {
    const line = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ";
    const key = `|\n    -----BEGIN OPENSSH PRIVATE KEY-----\n    ${line}\n    -----END OPENSSH PRIVATE KEY-----`;
    const inventory = sound.replace("user: ops", `identity_file: ${key}`);
    expect(await first({ inventory })).toContain("3:18 expected one line of text");
    expect(maskSecrets(`> 5 |     ${line}`)).toBe("> 5 |     ••••••");
  });

  it("is in UTF-16, or has a byte that is none of UTF-8", async () => {
    const files = (bytes: Uint8Array) => ({ files: { "i.yaml": bytes } });
    expect(await first(files(Buffer.from(`\ufeff${sound}`, "utf16le")))).toContain("found UTF-16");
    const latin = Buffer.from(sound.replace("ops", "\u00f6ps"), "latin1");
    expect(await first(files(latin))).toContain("3:1 expected text in UTF-8, found other bytes in this line");
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
