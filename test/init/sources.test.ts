import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../../src/errors.ts";
import { ansibleHosts } from "../../src/init/ansible.ts";
import { namesOf } from "../../src/init/name-ranges.ts";
import type { Named } from "../../src/init/named-host.ts";
import { sshConfigHosts } from "../../src/init/ssh-config-hosts.ts";
import { terraformHosts } from "../../src/init/terraform.ts";
import { typedHosts } from "../../src/init/typed-hosts.ts";
import { formatDiagnostic } from "../../src/inventory/diagnostic.ts";
import { InvalidFiles } from "../../src/inventory/invalid-files.ts";

/** "kvm-01 = ops@10.0.0.2:2222 (10.0.0.2) with KEY" */
function shown({ hosts }: Pick<Named, "hosts">): string[] {
  return hosts.map(({ name, ssh, address }) => {
    const user = ssh.user === undefined ? "" : `${ssh.user}@`;
    const port = ssh.port === undefined ? "" : `:${ssh.port}`;
    const key = ssh.identityFile === undefined ? "" : ` with ${ssh.identityFile}`;
    return `${name} = ${user}${ssh.host}${port}${address === undefined ? "" : ` (${address})`}${key}`;
  });
}

function mistakeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof InvalidFiles) return error.diagnostics.map(formatDiagnostic).join("\n");
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
  return "nothing is wrong";
}

describe("ranges of names", () => {
  it.each<[string, readonly string[] | undefined]>([
    ["kvm-01", ["kvm-01"]],
    ["kvm-[01:03]", ["kvm-01", "kvm-02", "kvm-03"]],
    ["kvm-[9:11]", ["kvm-9", "kvm-10", "kvm-11"]],
    ["[0:4:2].x", ["0.x", "2.x", "4.x"]],
    ["db-[a:c]", ["db-a", "db-b", "db-c"]],
    ["r[1:2]-[a:b]", ["r1-a", "r1-b", "r2-a", "r2-b"]],
    ["kvm-[03:01]", undefined],
    ["kvm-[a:B]", undefined],
    ["kvm-[1:c]", undefined],
    ["kvm-[1:2", undefined],
    ["kvm-[1:200]-[1:200]", undefined],
  ])("%s", (name, names) => {
    expect(namesOf(name)).toEqual(names);
  });
});

describe("hosts that are typed", () => {
  it.each<[string, readonly string[]]>([
    ["kvm-[01:02]", ["kvm-01 = kvm-01", "kvm-02 = kvm-02"]],
    ["ops@10.0.0.4:2222", ["10.0.0.4 = ops@10.0.0.4:2222 (10.0.0.4)"]],
    ["DB_1=db.example, b", ["db-1 = db.example", "b = b"]],
    ["six=[fd00::1]:2222 fd00::2", ["six = fd00::1:2222 (fd00::1)", "fd00::2 = fd00::2 (fd00::2)"]],
    ["fd00::1 fd00:1::", ["fd00::1 = fd00::1 (fd00::1)", "fd00:1:: = fd00:1:: (fd00:1::)"]],
    ["zookeeper Proxies=a", ["zookeeper-host = zookeeper", "proxies-host = a"]],
    ["n-[1:2]=10.0.0.7", ["n-1 = 10.0.0.7 (10.0.0.7)", "n-2 = 10.0.0.7 (10.0.0.7)"]],
  ])("%s", (text, hosts) => {
    expect(shown({ hosts: typedHosts(text) })).toEqual(hosts);
  });

  it.each([
    ["", /expected \[NAME=\].*, found nothing/],
    ["kvm-[3:1]", /the range in 'kvm-\[3:1\]' makes no sense/],
    ["a:99999", /found 'a:99999'/],
    ["-oProxyCommand=x", /found '-oProxyCommand=x'/],
    ["all", /'all' is no name/],
    ["a@b@c", /found 'a@b@c'/],
  ])("refuses %j", (text, message) => {
    expect(mistakeOf(() => typedHosts(text))).toMatch(message);
  });
});

describe("hosts of ssh_config", () => {
  it("are those that fit", () => {
    expect(shown({ hosts: sshConfigHosts(["kvm-01", "Web_1", "db"], "kvm-*,Web_?") })).toEqual([
      "kvm-01 = kvm-01",
      "web-1 = Web_1",
    ]);
    expect(mistakeOf(() => sshConfigHosts(["db"], "kvm-*"))).toBe(
      "--from-ssh-config: nothing fits 'kvm-*': ~/.ssh/config has db",
    );
  });
});

const INI = `; staging
lone ansible_host=10.0.0.1
bastion ansible_connection=local

[zk]
kvm-[01:02] ansible_user=ops # members
[db]
DB_1:2222 ansible_host="10.0.0.21" http_port=80

[site:children]
zk
db
[zk:vars]
ansible_port = 2200
[all:vars]
ansible_port=22
ansible_ssh_private_key_file='~/.ssh/my key'
`;

const YAML = `all:
  vars: { ansible_user: ops, ansible_port: 22 }
  hosts:
    lone: { ansible_host: 10.0.0.1 }
  children:
    zk:
      hosts:
        kvm-[01:02]:
      vars: { ansible_port: 2200 }
    site:
      children: { zk: , db: { hosts: { db: { ansible_user: root, secret: !vault x } } } }
`;

describe("hosts of an Ansible inventory", () => {
  it("are read from INI, with the variables of their groups", () => {
    const named = ansibleHosts({ file: "hosts.ini", text: INI });
    expect(shown(named)).toEqual([
      "lone = 10.0.0.1:22 (10.0.0.1) with ~/.ssh/my key",
      "kvm-01 = ops@kvm-01:2200 with ~/.ssh/my key",
      "kvm-02 = ops@kvm-02:2200 with ~/.ssh/my key",
      "db-1 = 10.0.0.21:2222 (10.0.0.21) with ~/.ssh/my key",
    ]);
    expect(Object.fromEntries(named.groups)).toEqual({
      zk: ["kvm-01", "kvm-02"],
      db: ["db-1"],
      site: ["kvm-01", "kvm-02", "db-1"],
    });
    expect(named.notes).toEqual([
      "bastion is left out: its ansible_connection is local",
      "variables that meshctl has no use for: http_port",
    ]);
    expect(named.hosts.at(-1)?.from).toBe("hosts.ini:8:1");
  });

  it("are read from YAML", () => {
    const named = ansibleHosts({ file: "hosts.yml", text: YAML });
    expect(shown(named)).toEqual([
      "lone = ops@10.0.0.1:22 (10.0.0.1)",
      "kvm-01 = ops@kvm-01:2200",
      "kvm-02 = ops@kvm-02:2200",
      "db = root@db:22",
    ]);
    expect(Object.fromEntries(named.groups)).toEqual({
      zk: ["kvm-01", "kvm-02"],
      site: ["kvm-01", "kvm-02", "db"],
      db: ["db"],
    });
  });

  it("are read from what ansible-inventory --list prints", () => {
    const list = {
      _meta: { hostvars: { "kvm-01": { ansible_host: "10.0.0.2", ansible_port: 2222 } } },
      all: { children: ["ungrouped", "zk"] },
      zk: { hosts: ["kvm-01"] },
    };
    const named = ansibleHosts({ file: "-", text: JSON.stringify(list) });
    expect(shown(named)).toEqual(["kvm-01 = 10.0.0.2:2222 (10.0.0.2)"]);
    expect([...named.groups.keys()]).toEqual(["zk"]);
  });

  it.each([
    ["h.ini", "[zk\na\n", "h.ini:1:1: expected a section like [GROUP], [GROUP:children] or [GROUP:vars]"],
    ["h.ini", "a\n  b x y=1\n", "h.ini:2:5: expected a variable like ansible_user=ops behind the host"],
    ["h.ini", "a x='1\n", "h.ini:1:5: the quote ' is not closed on its line"],
    ["h.ini", "a ansible_port=x\n", "h.ini:1:3: ansible_port of 'a': expected 1–65535"],
    ["h.ini", "[g:vars]\nx\n", "h.ini:2:1: expected a variable like ansible_user=ops"],
    ["h.ini", "kvm-[3:1]\n", "h.ini:1:1: the range of names makes no sense: write it like kvm-[01:03]"],
    [
      "h.ini",
      "a_b\na-b\n",
      "h.ini:2:1: 'a-b' would be 'a-b' in meshctl's inventory, which is another host's name",
    ],
    ["h.ini", "# nothing\n", "h.ini:1:1: the Ansible inventory names no host"],
    ["h.yml", "all:\n  hosts: 3\n", "h.yml:2:3: expected a map of names in 'all.hosts'"],
    [
      "h.yml",
      "all:\n  host: { a: }\n",
      "h.yml:2:3: unknown key 'all.host' of a group; known are hosts, children, vars",
    ],
    ["h.yml", "- a\n", "h.yml:1:1: expected a map of groups, like all: { hosts: { … } }"],
    ["h.yml", "plugin: aws_ec2\n", /^h.yml:1:1: is the configuration of an Ansible plugin/],
    [
      "h.yml",
      "all: { hosts: { a: { ansible_host: '{{ x }}' } } }\n",
      /^h.yml:1:22: ansible_host of 'a' is not plain text/,
    ],
    [
      "h.yml",
      "all: { hosts: { a: { ansible_user: !vault x } } }\n",
      /^h.yml:1:22: ansible_user of 'a' is not plain text/,
    ],
    ["h.yml", "all: [\n", /^h.yml:2:1: /],
    ["h.yml", "all: { vars: { a: 1, a: 2 } }\n", "h.yml:1:22: invalid YAML: a key stands twice in a map"],
    [
      "hosts",
      "$ANSIBLE_VAULT;1.1;AES256\n6162\n",
      "hosts:1:1: is encrypted: take what `ansible-inventory --list` prints",
    ],
  ])("refuses %s %j with its place", (file, text, message) => {
    const said = mistakeOf(() => ansibleHosts({ file, text }));
    if (typeof message === "string") expect(said).toBe(message);
    else expect(said).toMatch(message);
  });
});

describe("a file that hosts come from", () => {
  const SECRET = "hunter2";
  it.each([
    ["h.ini", `[all:vars]\nansible_password=${SECRET}\n[zk\n`],
    ["h.ini", `a\nansible_password=${SECRET}\n`],
    ["h.ini", `a ansible_password=x ${SECRET}\n`],
    ["h.ini", `a ansible_password=${SECRET}[3:1] b\n`],
    ["h.ini", `ansible_password=${SECRET}[3:1]\n`],
    ["h.ini", `a ansible_password=${SECRET} ansible_port=x\n`],
    ["h.ini", `a ansible_port=${SECRET}\n`],
    ["h.ini", `a ansible_password='${SECRET}\n`],
    ["h.yml", `all:\n  vars: { ansible_password: ${SECRET}\n  hosts: { a: }\n`],
    ["h.yml", `all:\n  vars:\n    ansible_password: "${SECRET}" ${SECRET}\n`],
    ["h.yml", `all:\n  vars:\n    ansible_password: "\\${SECRET}"\n  hosts: { a: }\n`],
    ["h.yml", `all:\n  vars:\n    ansible_password: %${SECRET}\n  hosts: 3\n`],
    ["h.yml", `all:\n  ansible_password: ${SECRET}\n`],
    ["h.yml", `all:\n  hosts: { '${SECRET}[3:1]': }\n`],
  ])("shows nothing of its lines in a message: %s %j", (file, text) => {
    let said = "";
    try {
      ansibleHosts({ file, text });
    } catch (error) {
      said = (error as Error).message;
    }
    expect(said).toMatch(/^h\.\S+:\d+:\d+: .+$/);
    expect(said).not.toContain(SECRET);
  });

  it("shows nothing of Terraform's sensitive outputs either", () => {
    const outputs = { key: output(SECRET, true), region: output("eu") };
    const said = () => terraformHosts({ file: "tf.json", text: JSON.stringify(outputs) });
    expect(said).toThrow(/^tf\.json:1:1: no output holds the address of a host: .*$/);
    expect(() => terraformHosts({ file: "tf.json", text: `${JSON.stringify(outputs)}}` })).toThrow(
      /^tf\.json:1:\d+: (?!.*hunter2).*$/,
    );
  });
});

describe("an Ansible inventory without a telling name", () => {
  it.each([
    ["-", "all:\n  hosts:\n    a:\n"],
    ["hosts", "# hosts of all\n\nall:\n  hosts: { a: }\n"],
    ["hosts", "# hosts\n---\nall: { hosts: { a: } }\n"],
    ["hosts", '"web servers":\n  hosts: { a: }\n'],
    ["hosts", '\n{ "all": { "hosts": { "a": {} } } }\n'],
    ["hosts", "a\n"],
    ["hosts", "; all:\na ansible_user=ops\n"],
    ["-", "# hosts\n[all]\na\n"],
    ["hosts.ini", "a\n"],
  ])("is read by its content: %s %j", (file, text) => {
    expect(ansibleHosts({ file, text }).hosts.map(({ name }) => name)).toEqual(["a"]);
  });

  it("may begin with a port or an IPv6 address", () => {
    expect(shown(ansibleHosts({ file: "-", text: "a:2222\nfd00::1 ansible_user=ops\n" }))).toEqual([
      "a = a:2222",
      "fd00::1 = ops@fd00::1 (fd00::1)",
    ]);
  });
});

describe("YAML's merge", () => {
  it("gives what its map has not itself, and of several the first", () => {
    const text = `all:
  vars: { x: &a { ansible_user: ops, ansible_port: 1 }, y: &b { ansible_port: 2, ansible_host: 10.0.0.9 } }
  hosts:
    a: { <<: *a, ansible_port: 3 }
    b: { ansible_user: root, <<: [*a, *b] }
    c: *b
`;
    expect(shown(ansibleHosts({ file: "h.yml", text }))).toEqual([
      "a = ops@a:3",
      "b = root@10.0.0.9:1 (10.0.0.9)",
      "c = 10.0.0.9:2 (10.0.0.9)",
    ]);
  });
});

describe("a big inventory", () => {
  const groups = Array.from({ length: 40 }, (_, at) => `g${at}`);
  const hosts = Array.from({ length: 2000 }, (_, at) => `h${at}`);

  it("of 2000 hosts in 40 nested groups is read", () => {
    const text = [
      ...groups.flatMap((group, at) => [
        `[${group}]`,
        ...hosts.filter((_, host) => host % 40 === at).map((host) => `${host} ansible_port=${at + 1}`),
        `[${group}:children]`,
        ...(at === 39 ? [] : [`g${at + 1}`]),
        `[${group}:vars]`,
        `ansible_user=u${at}`,
      ]),
    ].join("\n");
    const named = ansibleHosts({ file: "h.ini", text });
    expect(named.hosts).toHaveLength(2000);
    expect([...named.groups.values()].map(({ length }) => length)).toEqual(
      groups.map((_, at) => (40 - at) * 50),
    );
    // The innermost group wins.
    expect(new Set(named.hosts.map(({ ssh }) => `${ssh.user} ${ssh.port}`)).size).toBe(40);
    expect(named.hosts.find(({ name }) => name === "h39")?.ssh).toMatchObject({ user: "u39", port: 40 });
  });

  it("of groups that hold each other in many ways is read", () => {
    const layers = Array.from({ length: 30 }, (_, layer) =>
      ["a", "b", "c"].map(
        (name) =>
          `[${name}${layer}:children]\n${["a", "b", "c"].map((child) => `${child}${layer + 1}`).join("\n")}`,
      ),
    );
    const named = ansibleHosts({ file: "h.ini", text: `${layers.flat().join("\n")}\n[a30]\nkvm\n` });
    expect(named.groups.get("c0")).toEqual(["kvm"]);
    expect(named.groups.size).toBe(91);
  });

  it.each([
    [
      "groups without end",
      "h.ini",
      `${Array.from({ length: 200 }, (_, at) => `[g${at}:children]\ng${at + 1}`).join("\n")}\n[g200]\na`,
      /h\.ini:1:1: its groups are nested more than 100 deep/,
    ],
    ["brackets without end", "h.yml", `all: ${"[".repeat(50_000)}`, /invalid YAML: it is nested too deep/],
    [
      "aliases of aliases",
      "h.yml",
      `all:\n  vars:\n    a0: &a0 [x]\n${Array.from({ length: 30 }, (_, at) => `    a${at + 1}: &a${at + 1} [${Array(10).fill(`*a${at}`).join(", ")}]`).join("\n")}\n`,
      /its aliases stand for more than 200000 values/,
    ],
  ])("is refused that has %s", (_, file, text, message) => {
    expect(mistakeOf(() => ansibleHosts({ file, text }))).toMatch(message);
  });

  it("with a circle of groups ends", () => {
    const named = ansibleHosts({ file: "h.ini", text: "[a:children]\nb\n[b:children]\na\n[b]\nkvm\n" });
    expect(Object.fromEntries(named.groups)).toEqual({ a: ["kvm"], b: ["kvm"] });
  });
});

const output = (value: unknown, sensitive = false) => ({ sensitive, type: "x", value });

describe("hosts of terraform's outputs", () => {
  it.each<[string, Record<string, unknown>, readonly string[]]>([
    [
      "a map, with the public addresses in another",
      {
        private_ips: output({ "kvm-01": "10.0.0.2", "kvm-02": "10.0.0.3" }),
        public_ips: output({ "kvm-01": "192.0.2.2" }),
      },
      ["kvm-01 = 192.0.2.2 (10.0.0.2)", "kvm-02 = 10.0.0.3 (10.0.0.3)"],
    ],
    [
      "objects, in a map and in a list",
      {
        nodes: output({ a: { id: 1, private_ip: "10.0.0.2", public_ip: "192.0.2.2" } }),
        more: output([{ name: "b", ipv4_address: "10.0.0.3" }]),
      },
      ["a = 192.0.2.2 (10.0.0.2)", "b = 10.0.0.3 (10.0.0.3)"],
    ],
    [
      "a list of addresses, which have no names",
      { kvm_ips: output(["10.0.0.2", "10.0.0.3"]), region: output("eu-1"), count: output(2) },
      ["kvm-01 = 10.0.0.2 (10.0.0.2)", "kvm-02 = 10.0.0.3 (10.0.0.3)"],
    ],
    [
      "lists of private and of public addresses",
      {
        private_ips: output(["10.0.0.2", "10.0.0.3", "10.0.0.4"]),
        public_ips: output(["192.0.2.2", "", "192.0.2.4"]),
      },
      ["host-01 = 192.0.2.2 (10.0.0.2)", "host-02 = 10.0.0.3 (10.0.0.3)", "host-03 = 192.0.2.4 (10.0.0.4)"],
    ],
    [
      "two addresses of one machine",
      { kvm_public_ip: output("192.0.2.2"), kvm_private_ip: output("10.0.0.2") },
      ["kvm = 192.0.2.2 (10.0.0.2)"],
    ],
    [
      "outputs whose names say that theirs are hosts, and of managed services none",
      {
        image: output("debian-12.5"),
        server_image: output("ami.eu"),
        bucket: output("x.example.org"),
        kvm_hosts: output(["kvm-01.example.org", "kvm-02.example.org"]),
        public_dns: output({ web: "ec2-192-0-2-9.eu-west-1.compute.amazonaws.com" }),
        db_host: output("db.x1.eu-west-1.rds.amazonaws.com"),
        db_endpoint_host: output("db.example.org"),
        name_servers: output(["ns-1.awsdns-01.com"]),
        zones: output({ a: "example.org" }),
        db: output({ name: "db", address: "db.x1.eu-west-1.rds.amazonaws.com" }),
      },
      [
        "kvm-01.example.org = kvm-01.example.org",
        "kvm-02.example.org = kvm-02.example.org",
        "web = ec2-192-0-2-9.eu-west-1.compute.amazonaws.com",
      ],
    ],
    ["one address", { gateway: output("10.0.0.2") }, ["gateway = 10.0.0.2 (10.0.0.2)"]],
    [
      "a list of what a map has already",
      { by_name: output({ a: "10.0.0.2" }), ips: output(["10.0.0.2"]) },
      ["a = 10.0.0.2 (10.0.0.2)"],
    ],
  ])("are in %s", (_, outputs, hosts) => {
    expect(shown(terraformHosts({ file: "tf.json", text: JSON.stringify(outputs) }))).toEqual(hosts);
  });

  it("are not put together of lists that do not match", () => {
    const outputs = { private_ips: output(["10.0.0.2", "10.0.0.3"]), public_ips: output(["192.0.2.3"]) };
    const named = terraformHosts({ file: "tf.json", text: JSON.stringify(outputs) });
    expect(shown(named)).toEqual(["host-01 = 10.0.0.2 (10.0.0.2)", "host-02 = 10.0.0.3 (10.0.0.3)"]);
    expect(named.notes).toEqual([
      "output public_ips is left out: its list has 1 and that of private_ips 2, and which belong together cannot be told",
    ]);
  });

  it("have one address of each kind", () => {
    const outputs = { ips: output(["10.0.0.2"]), private_ips: output(["10.1.0.2"]) };
    const named = terraformHosts({ file: "tf.json", text: JSON.stringify(outputs) });
    expect(shown(named)).toEqual(["host-01 = 10.0.0.2 (10.0.0.2)"]);
    expect(named.notes).toEqual([
      "10.1.0.2 of output private_ips is left out: host-01 has the address 10.0.0.2 already",
    ]);
  });

  it("are not looked for in what is sensitive", () => {
    const text = JSON.stringify({ a: output("10.0.0.2"), key: output({ b: "10.0.0.3" }, true) });
    const named = terraformHosts({ file: "tf.json", text });
    expect(shown(named)).toEqual(["a = 10.0.0.2 (10.0.0.2)"]);
    expect(named.notes).toEqual(["output key is sensitive and not looked into"]);
  });

  it.each([
    ['kvm = "10.0.0.2"', /^tf.json:1:1: expected what `terraform output -json` prints/],
    ["{", /^tf.json:1:2: /],
    ['{"region": {"value": "eu"}}', /^tf.json:1:1: no output holds the address of a host/],
  ])("refuses %j with its place", (text, message) => {
    expect(mistakeOf(() => terraformHosts({ file: "tf.json", text }))).toMatch(message);
  });
});
