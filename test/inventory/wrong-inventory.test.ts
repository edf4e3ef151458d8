import { describe, expect, it } from "vitest";
import { problemsOf } from "../playbook/load.ts";

const hosts = `version: 1
hosts:
  a: { address: 10.0.0.1 }
  b: { address: 10.0.0.2 }
`;
const mesh = `${hosts}groups:
  zk: [a, b]
mesh:
  ensemble: zk
  proxies: zk
`;
const cases = [
  {
    title: "words of Ansible's, kamal's and Synapse's",
    inventory: `version: 1
become: true
hosts:
  a: { address: 10.0.0.1, ansible_host: a.example, vars: { x: 1 } }
groups:
  g: { hosts: [a], children: [h] }
mesh:
  services:
    s: { path: /s, port: 8080, zk_hosts: [a] }
`,
    problems: [
      "i.yaml:2:1 become: unknown key; here `ssh: { privilege: sudo }` in the inventory",
      "i.yaml:4:27 hosts.a.ansible_host: unknown key; here `ssh: { host: … }` of the host",
      "i.yaml:4:52 hosts.a.vars: unknown key; here a step's parameters stand below its name, in the group or the host",
      "i.yaml:6:20 groups.g.children: unknown key; a group's list may hold groups: `hosts: [other-group]`",
      "i.yaml:9:32 mesh.services.s.zk_hosts: unknown key; here `mesh: { ensemble: GROUP }`",
    ],
  },
  {
    title: "a firewall that is neither a word nor a map",
    inventory: `${mesh}  firewall: on
`,
    problems: [
      "i.yaml:10:13 mesh.firewall: expected true, false or a map like { also: [10.9.0.0/16] }, found 'on'",
    ],
  },
  {
    title: "a firewall with a key that it does not know",
    inventory: `${mesh}  firewall: { allow: [10.9.0.0/16] }
`,
    problems: ["i.yaml:10:15 mesh.firewall.allow: unknown key; did you mean 'also'?"],
  },
  {
    title: "sources that are none",
    inventory: `${mesh}  firewall:
    also: [10.9.0.1/16, app-01, 0.0.0.0/0, 10.0.0.7, 12]
`,
    problems: [
      "i.yaml:11:12 mesh.firewall.also[0]: is no network: bits are set behind its length; did you mean 10.9.0.0/16?",
      "i.yaml:11:25 mesh.firewall.also[1]: expected an IP address, or a network like 10.9.0.0/16, found 'app-01'",
      "i.yaml:11:33 mesh.firewall.also[2]: lets everybody in: leave mesh.firewall off instead",
      "i.yaml:11:54 mesh.firewall.also[4]: expected an IP address, or a network like 10.9.0.0/16, found 12",
    ],
  },
  {
    title: "a firewall without an ensemble",
    inventory: `${hosts}mesh:
  firewall: true
`,
    problems: [
      "i.yaml:6:3 mesh.firewall: needs 'ensemble', the group of ZooKeeper's hosts: it is their ports that it closes",
    ],
  },
  {
    title: "a firewall before the port of SSH",
    inventory: `${mesh}  firewall: true
ssh: { port: 2181 }
`,
    problems: [
      "i.yaml:11:14 ssh.port: 2181 is ZooKeeper's client_port too, and mesh.firewall closes client_port to all but the mesh ('a')",
    ],
  },
  {
    title: "a firewall before a member's own port of SSH",
    inventory: `version: 1
hosts:
  a: { address: 10.0.0.1, ssh: { port: 3999 } }
  b: { address: 10.0.0.2, ssh: { port: 3999 } }
  c: { address: 10.0.0.3 }
groups:
  zk: [a, c]
mesh:
  ensemble: zk
  firewall: { also: [] }
  zookeeper: { election_port: 3999, quorum_port: 22 }
`,
    problems: [
      "i.yaml:3:40 hosts.a.ssh.port: 3999 is ZooKeeper's election_port too, and mesh.firewall closes election_port to all but the mesh",
      "i.yaml:11:50 mesh.zookeeper.quorum_port: 22 is where 'c' is reached by SSH, and mesh.firewall closes quorum_port to all but the mesh",
    ],
  },
  {
    title: "an empty file",
    inventory: ``,
    problems: ["i.yaml:1:1: the inventory is empty: expected 'version' and 'hosts'"],
  },
  {
    title: "a file of comments",
    inventory: `# nothing
`,
    problems: ["i.yaml:1:1: the inventory is empty: expected 'version' and 'hosts'"],
  },
  {
    title: "a list instead of a map",
    inventory: `- a
`,
    problems: ["i.yaml:1:1: expected a map, found a list"],
  },
  {
    title: "a word instead of a map",
    inventory: `hello
`,
    problems: ["i.yaml:1:1: expected a map, found 'hello'"],
  },
  {
    title: "a tab as indentation",
    inventory: `version: 1
hosts:
	a: {}
`,
    problems: ["i.yaml:3:1: tabs cannot indent YAML: use spaces"],
  },
  {
    title: "a brace that is not closed",
    inventory: `version: 1
hosts: { a: {address: 10.0.0.1}
`,
    problems: ["i.yaml:2:8: the { that begins here is not closed by a }"],
  },
  {
    title: "a quote that is not closed",
    inventory: `version: 1
ssh: { user: 'ops }
hosts: {}
`,
    problems: ["i.yaml:2:14: the quote that begins here, ', is not closed"],
  },
  {
    title: "two documents in one file",
    inventory: `${hosts}---
version: 1
`,
    problems: ["i.yaml:5:1: expected one document, found another one after '---'"],
  },
  {
    title: "two keys on one line",
    inventory: `version: 1
hosts: a: b
`,
    problems: ["i.yaml:2:8: invalid YAML: a second ': ' on the same line, or a line indented too far"],
  },
  {
    title: "a host defined twice",
    inventory: `version: 1
hosts:
  a: { address: 10.0.0.1 }
  a: { address: 10.0.0.2 }
`,
    problems: ["i.yaml:4:3 hosts.a: duplicate key (first at line 3)"],
  },
  {
    title: "a section defined twice",
    inventory: `${hosts}version: 1
`,
    problems: ["i.yaml:5:1 version: duplicate key (first at line 1)"],
  },
  {
    title: "an alias without its anchor",
    inventory: `version: 1
hosts:
  a: &x { address: 10.0.0.1 }
  b: *y
`,
    problems: ["i.yaml:4:6 hosts.b: '*y' without quotes is a YAML alias"],
  },
  {
    title: "an alias inside its own anchor",
    inventory: `${hosts}groups: &g
  x: *g
`,
    problems: ["i.yaml:6:6 groups.x: alias '*g' contains itself or is one of too many"],
  },
  {
    title: "a merge key",
    inventory: `version: 1
hosts:
  a: { address: 10.0.0.1 }
  b: { <<: {a: 1}, address: 10.0.0.2 }
`,
    problems: ['i.yaml:4:8 hosts.b."<<": unknown key'],
  },
  {
    title: "an unknown tag",
    inventory: `${hosts}ssh: { user: !vault abc }
`,
    problems: [
      "i.yaml:5:14 ssh.user: '!vault' without quotes is a YAML tag, and only !env, !file and !command are known",
    ],
  },
  {
    title: "a tag that is planned",
    inventory: `${hosts}ssh: { password: !command pass show x }
`,
    problems: ["i.yaml:5:18 ssh.password: !command pass show x cannot be run: no program pass is found"],
  },
  {
    title: "an environment variable that is not set",
    inventory: `${hosts}ssh: { password: !env SSH_PASSWORD }
`,
    problems: ["i.yaml:5:18 ssh.password: environment variable SSH_PASSWORD is not set"],
  },
  {
    title: "a reference that does not resolve, without an echo about its type",
    inventory: `version: 1
hosts:
  a: { address: !env ADDR }
`,
    problems: ["i.yaml:3:17 hosts.a.address: environment variable ADDR is not set"],
  },
  {
    title: "a wrong value behind a reference, not shown",
    inventory: `version: 1
hosts:
  a: { address: !env ADDR }
`,
    environment: { ADDR: "secretvalue" },
    problems: ["i.yaml:3:17 hosts.a.address: expected an IP address, found the value of !env ADDR"],
  },
  {
    title: "a reference to nothing",
    inventory: `${hosts}ssh: { password: !env }
`,
    problems: ["i.yaml:5:18 ssh.password: expected !env NAME, found !env alone"],
  },
  {
    title: "a referenced file that is not there",
    inventory: `${hosts}ssh: { password: !file secrets/pw }
`,
    problems: ["i.yaml:5:18 ssh.password: secrets/pw: no such file"],
  },
  {
    title: "a reference tag before a map",
    inventory: `${hosts}ssh: { password: !file {a: 1} }
`,
    problems: ["i.yaml:5:18 ssh.password: expected text after !file, found a map"],
  },
  {
    title: "secrets in plain text",
    inventory: `${hosts}ssh: { password: hunter2, sudo_password: 1234 }
`,
    problems: [
      "i.yaml:5:18 ssh.password: expected a reference: !env NAME, !file PATH or !command [PROGRAM, ARGUMENT], found plain text",
      "i.yaml:5:42 ssh.sudo_password: expected a reference: !env NAME, !file PATH or !command [PROGRAM, ARGUMENT], found plain text",
    ],
  },
  {
    title: "a host's secret in plain text",
    inventory: `version: 1
hosts:
  a: { address: 10.0.0.1, ssh: { passphrase: open sesame } }
`,
    problems: [
      "i.yaml:3:46 hosts.a.ssh.passphrase: expected a reference: !env NAME, !file PATH or !command [PROGRAM, ARGUMENT], found plain text",
    ],
  },
  {
    title: "a proxy URL with a password",
    inventory: `${hosts}network: { proxy: http://u:hunter22@proxy:3128 }
`,
    problems: [
      "i.yaml:5:19 network.proxy: a URL with a password is a secret: write it as !env NAME, !file PATH or !command",
    ],
  },
  {
    title: "a proxy that is no URL",
    inventory: `${hosts}network: { proxy: proxy }
`,
    problems: ["i.yaml:5:19 network.proxy: expected a URL like http://proxy.example:3128, found plain text"],
  },
  {
    title: "a referenced proxy that is no URL",
    inventory: `${hosts}network: { proxy: !env P }
`,
    environment: { P: "nonsense" },
    problems: ["i.yaml:5:19 network.proxy: expected a URL like http://proxy.example:3128, found a secret"],
  },
  {
    title: "a certificate file that is not there",
    inventory: `${hosts}network: { ca_file: ca.pem }
`,
    problems: ["i.yaml:5:21 network.ca_file: ca.pem: no such file"],
  },
  {
    title: "a certificate file without certificates",
    inventory: `${hosts}network: { ca_file: ca.pem }
`,
    files: { "ca.pem": "hello" },
    problems: [
      "i.yaml:5:21 network.ca_file: expected a file of PEM certificates, found other content in ca.pem",
    ],
  },
  {
    title: "another version",
    inventory: `version: 2
hosts: { a: { address: 10.0.0.1 } }
`,
    problems: ["i.yaml:1:10 version: expected 1, found 2"],
  },
  {
    title: "a version as text",
    inventory: `version: "1"
hosts: { a: { address: 10.0.0.1 } }
`,
    problems: ["i.yaml:1:10 version: expected 1, found '1': write it without quotes"],
  },
  {
    title: "no version",
    inventory: `hosts: { a: { address: 10.0.0.1 } }
`,
    problems: ["i.yaml:1:1 version: expected 1, found nothing"],
  },
  {
    title: "no hosts",
    inventory: `version: 1
`,
    problems: ["i.yaml:1:1 hosts: expected a map, found nothing"],
  },
  {
    title: "hosts left empty",
    inventory: `version: 1
hosts:
`,
    problems: ["i.yaml:2:1 hosts: expected a map, found an empty value"],
  },
  {
    title: "an empty map of hosts",
    inventory: `version: 1
hosts: {}
`,
    problems: ["i.yaml:2:8 hosts: expected at least one host, found none"],
  },
  {
    title: "a list of hosts",
    inventory: `version: 1
hosts: [a]
`,
    problems: ["i.yaml:2:8 hosts: expected a map, found a list"],
  },
  {
    title: "an unknown section",
    inventory: `${hosts}sevices: {}
`,
    problems: [
      "i.yaml:5:1 sevices: unknown key; known are version, ssh, network, allow_os, mesh, hosts, groups",
    ],
  },
  {
    title: "a port that is a word",
    inventory: `${hosts}ssh: { port: ssh }
`,
    problems: ["i.yaml:5:14 ssh.port: expected 1–65535, found 'ssh'"],
  },
  {
    title: "a port out of range",
    inventory: `${hosts}ssh: { port: 70000 }
`,
    problems: ["i.yaml:5:14 ssh.port: expected 1–65535, found 70000"],
  },
  {
    title: "a broken number as port",
    inventory: `${hosts}ssh: { port: 22.5 }
`,
    problems: ["i.yaml:5:14 ssh.port: expected 1–65535, found 22.5"],
  },
  {
    title: "a port in quotes",
    inventory: `${hosts}ssh: { port: "22" }
`,
    problems: ["i.yaml:5:14 ssh.port: expected 1–65535, found '22': write it without quotes"],
  },
  {
    title: "a port left empty",
    inventory: `${hosts}ssh:
  port:
`,
    problems: ["i.yaml:6:3 ssh.port: expected 1–65535, found an empty value"],
  },
  {
    title: "a map below a port",
    inventory: `${hosts}ssh:
  port:
    a: 1
`,
    problems: ["i.yaml:6:3 ssh.port: expected 1–65535, found a map"],
  },
  {
    title: "several unknown keys",
    inventory: `${hosts}ssh: { usr: ops, identity-file: x, zzz: 1 }
`,
    problems: [
      "i.yaml:5:8 ssh.usr: unknown key; did you mean 'user'?",
      "i.yaml:5:18 ssh.identity-file: unknown key; did you mean 'identity_file'?",
      "i.yaml:5:36 ssh.zzz: unknown key; known are user, port, identity_file, known_hosts, host_keys, privilege, password, sudo_password, passphrase, connect_timeout, client",
    ],
  },
  {
    title: "words that are no choice",
    inventory: `${hosts}ssh: { host_keys: yes, privilege: su }
`,
    problems: [
      "i.yaml:5:19 ssh.host_keys: expected one of strict, accept-new, ask, found 'yes'",
      "i.yaml:5:35 ssh.privilege: expected one of auto, root, sudo, doas, found 'su'",
    ],
  },
  {
    title: "a list as section",
    inventory: `${hosts}ssh: [ops]
`,
    problems: ["i.yaml:5:6 ssh: expected a map, found a list"],
  },
  {
    title: "a number as user",
    inventory: `${hosts}ssh: { user: 1000 }
`,
    problems: ["i.yaml:5:14 ssh.user: expected text, found 1000"],
  },
  {
    title: "a number in a list of files",
    inventory: `${hosts}ssh: { identity_file: [a, 3] }
`,
    problems: ["i.yaml:5:27 ssh.identity_file[1]: expected text, found 3"],
  },
  {
    title: "a map as file",
    inventory: `${hosts}ssh: { identity_file: { a: b } }
`,
    problems: ["i.yaml:5:23 ssh.identity_file: expected text or a list, found a map"],
  },
  {
    title: "a timeout meant in seconds",
    inventory: `${hosts}ssh: { connect_timeout: 10 }
`,
    problems: ["i.yaml:5:25 ssh.connect_timeout: expected a time with its unit, 10s or 10ms, found 10"],
  },
  {
    title: "a timeout in words",
    inventory: `${hosts}ssh: { connect_timeout: ten seconds }
`,
    problems: [
      "i.yaml:5:25 ssh.connect_timeout: expected a duration like 500ms, 2s or 2000 (milliseconds), found 'ten seconds'",
    ],
  },
  {
    title: "a host's key for all",
    inventory: `${hosts}ssh: { host: x }
`,
    problems: [
      "i.yaml:5:8 ssh.host: unknown key; known are user, port, identity_file, known_hosts, host_keys, privilege, password, sudo_password, passphrase, connect_timeout, client",
    ],
  },
  {
    title: "no address",
    inventory: `version: 1
hosts:
  a: {}
`,
    problems: ["i.yaml:3:3 hosts.a.address: expected an IP address, found nothing"],
  },
  {
    title: "a host left empty",
    inventory: `version: 1
hosts:
  a:
`,
    problems: ["i.yaml:3:3 hosts.a: expected a map, found an empty value"],
  },
  {
    title: "a name as address",
    inventory: `version: 1
hosts:
  a: { address: a.example }
`,
    problems: ["i.yaml:3:17 hosts.a.address: expected an IP address, found 'a.example'"],
  },
  {
    title: "a mistyped key, without an echo about the missing one",
    inventory: `version: 1
hosts:
  a: { adress: 10.0.0.1 }
`,
    problems: ["i.yaml:3:8 hosts.a.adress: unknown key; did you mean 'address'?"],
  },
  {
    title: "a number as address",
    inventory: `version: 1
hosts:
  a: { address: 10.1 }
`,
    problems: ["i.yaml:3:17 hosts.a.address: expected an IP address, found 10.1"],
  },
  {
    title: "parameters of an unknown step",
    inventory: `version: 1
hosts:
  a: { address: 10.0.0.1, haprox: { maxconn: 1 } }
`,
    problems: ["i.yaml:3:27 hosts.a.haprox: unknown key; did you mean 'haproxy'?"],
  },
  {
    title: "a bad host name",
    inventory: `version: 1
hosts:
  A_1: { address: 10.0.0.1 }
`,
    problems: [
      "i.yaml:3:3 hosts.A_1: expected a name of a–z, 0–9, '-' and '.', beginning with a letter or digit, found 'A_1'",
    ],
  },
  {
    title: "a host named all",
    inventory: `version: 1
hosts:
  all: { address: 10.0.0.1 }
`,
    problems: ["i.yaml:3:3 hosts.all: 'all' means every host: choose another name"],
  },
  {
    title: "one address for two hosts",
    inventory: `version: 1
hosts:
  a: { address: 10.0.0.1 }
  b: { address: 10.0.0.1 }
`,
    problems: ["i.yaml:4:17 hosts.b.address: 10.0.0.1 is the address of 'a' already (line 3)"],
  },
  {
    title: "one address in two spellings",
    inventory: `version: 1
hosts:
  a: { address: "fd00::1" }
  b: { address: "FD00:0::1" }
`,
    problems: ["i.yaml:4:17 hosts.b.address: FD00:0::1 is the address of 'a' already (line 3)"],
  },
  {
    title: "a list of parameters",
    inventory: `version: 1
hosts:
  a: { address: 10.0.0.1, haproxy: [1] }
`,
    problems: ["i.yaml:3:36 hosts.a.haproxy: expected a map of parameters, found a list"],
  },
  {
    title: "a wrong parameter that no play asks for",
    inventory: `version: 1
hosts:
  a: { address: 10.0.0.1, haproxy: { maxconn: many } }
`,
    problems: ["i.yaml:3:47 hosts.a.haproxy.maxconn: expected a number, found 'many'"],
  },
  {
    title: "an unknown parameter that no play asks for",
    inventory: `version: 1
hosts:
  a: { address: 10.0.0.1, haproxy: { maxcon: 5 } }
`,
    problems: ["i.yaml:3:38 hosts.a.haproxy.maxcon: unknown key; did you mean 'maxconn'?"],
  },
  {
    title: "one id for two members",
    inventory: `version: 1
hosts:
  a: { address: 10.0.0.1, zookeeper: { id: 1 } }
  b: { address: 10.0.0.2, zookeeper: { id: 1 } }
`,
    problems: ["i.yaml:4:44 hosts.b.zookeeper.id: 1 is the id of 'a' already (line 3)"],
  },
  {
    title: "an id out of range",
    inventory: `version: 1
hosts:
  a: { address: 10.0.0.1, zookeeper: { id: 256 } }
`,
    problems: ["i.yaml:3:44 hosts.a.zookeeper.id: expected 1–255, found 256"],
  },
  {
    title: "an id that is a word",
    inventory: `version: 1
hosts:
  a: { address: 10.0.0.1, zookeeper: { id: one } }
`,
    problems: ["i.yaml:3:44 hosts.a.zookeeper.id: expected 1–255, found 'one'"],
  },
  {
    title: "a word instead of a list",
    inventory: `${hosts}allow_os: sid
`,
    problems: ["i.yaml:5:11 allow_os: expected a list, found 'sid'"],
  },
  {
    title: "a number as release",
    inventory: `${hosts}allow_os: [11]
`,
    problems: ["i.yaml:5:12 allow_os[0]: expected text, found 11"],
  },
  {
    title: "an unknown member",
    inventory: `${hosts}groups: { zk: [a, bb] }
`,
    problems: ["i.yaml:5:19 groups.zk[1]: no host or group is named 'bb'"],
  },
  {
    title: "mistyped members",
    inventory: `${hosts}groups: { zookeeper: [a], proxies: [zookeepr, nobody] }
`,
    problems: [
      "i.yaml:5:37 groups.proxies[0]: no host or group is named 'zookeepr'; did you mean 'zookeeper'?",
      "i.yaml:5:47 groups.proxies[1]: no host or group is named 'nobody'",
    ],
  },
  {
    title: "groups in a circle",
    inventory: `${hosts}groups:
  x: [y]
  y: [z]
  z: [x, a]
`,
    problems: ["i.yaml:8:7 groups.z[0]: groups hold each other: x → y → z → x"],
  },
  {
    title: "a group that holds itself",
    inventory: `${hosts}groups: { x: [x] }
`,
    problems: ["i.yaml:5:15 groups.x[0]: groups hold each other: x → x"],
  },
  {
    title: "a group named like a host",
    inventory: `${hosts}groups: { a: [b] }
`,
    problems: ["i.yaml:5:11 groups.a: 'a' is a host already (line 3)"],
  },
  {
    title: "a group named all",
    inventory: `${hosts}groups: { all: [b] }
`,
    problems: ["i.yaml:5:11 groups.all: 'all' means every host: choose another name"],
  },
  {
    title: "a bad group name",
    inventory: `${hosts}groups: { "Web Servers": [b] }
`,
    problems: [
      "i.yaml:5:11 groups.\"Web Servers\": expected a name of a–z, 0–9, '-', '_' and '.', beginning with a letter or digit, found 'Web Servers'",
    ],
  },
  {
    title: "a word as group",
    inventory: `${hosts}groups: { x: a }
`,
    problems: ["i.yaml:5:14 groups.x: expected a list of hosts and groups, or a map with 'hosts', found 'a'"],
  },
  {
    title: "a host's number without its zero, in a group",
    inventory: `version: 1
hosts:
  kvm-01: { address: 10.0.0.1 }
  kvm-02: { address: 10.0.0.2 }
groups:
  x: [kvm-1, kvm-3]
`,
    problems: [
      "i.yaml:6:7 groups.x[0]: no host or group is named 'kvm-1'; did you mean 'kvm-01'?",
      "i.yaml:6:14 groups.x[1]: no host or group is named 'kvm-3'",
    ],
  },
  {
    title: "a group left empty",
    inventory: `${hosts}groups:
  x:
`,
    problems: [
      "i.yaml:6:3 groups.x: expected a list of hosts and groups, or a map with 'hosts', found an empty value",
    ],
  },
  {
    title: "a group without its list",
    inventory: `${hosts}groups:
  x: { haproxy: {} }
`,
    problems: ["i.yaml:6:3 groups.x.hosts: expected a list of hosts and groups, found nothing"],
  },
  {
    title: "an unknown key of a group",
    inventory: `${hosts}groups:
  x: { hosts: [a], haprxy: {} }
`,
    problems: ["i.yaml:6:20 groups.x.haprxy: unknown key; did you mean 'haproxy'?"],
  },
  {
    title: "a number as member",
    inventory: `${hosts}groups: { x: [1] }
`,
    problems: ["i.yaml:5:15 groups.x[0]: expected the name of a host or a group, found 1"],
  },
  {
    title: "a list of groups",
    inventory: `${hosts}groups: [x]
`,
    problems: ["i.yaml:5:9 groups: expected a map, found a list"],
  },
  {
    title: "an id for a whole group",
    inventory: `${hosts}groups: { x: { hosts: [a], zookeeper: { id: 3 } } }
`,
    problems: ["i.yaml:5:41 groups.x.zookeeper.id: an id belongs to one member: state it at the host"],
  },
  {
    title: "a map of members",
    inventory: `${hosts}groups: { x: { hosts: { a: 1 } } }
`,
    problems: ["i.yaml:5:23 groups.x.hosts: expected a list of hosts and groups, found a map"],
  },
  {
    title: "groups that disagree about a host",
    inventory: `${hosts}groups:
  x: { hosts: [a], haproxy: { maxconn: 1 } }
  y: { hosts: [a, b], haproxy: { maxconn: 2 } }
`,
    problems: ["i.yaml:7:43 groups.y.haproxy.maxconn: group 'x' says 1 (line 6), and 'a' is in both groups"],
  },
  {
    title: "a mesh of groups that are not there",
    inventory: `${hosts}groups: { zk: [a] }
mesh: { ensemble: zz, proxies: prox }
`,
    problems: [
      "i.yaml:6:19 mesh.ensemble: no group is named 'zz' (groups: zk)",
      "i.yaml:6:32 mesh.proxies: no group is named 'prox' (groups: zk)",
    ],
  },
  {
    title: "an ensemble of nobody",
    inventory: `${hosts}groups: { zk: [] }
mesh: { ensemble: zk }
`,
    problems: ["i.yaml:6:19 mesh.ensemble: group 'zk' (line 5) holds no host"],
  },
  {
    title: "one port for two services",
    inventory: `${mesh}  services:
    x: { path: /x, port: 8080 }
    y: { path: /y, port: 8080 }
`,
    problems: ["i.yaml:12:26 mesh.services.y.port: 8080 is the port of 'x' already (line 11)"],
  },
  {
    title: "a service on a default port of ZooKeeper",
    inventory: `${mesh}  services:
    x: { path: /x, port: 2181 }
`,
    problems: [
      "i.yaml:11:26 mesh.services.x.port: 2181 is ZooKeeper's client_port by default, and hosts are both member and proxy",
    ],
  },
  {
    title: "a service on a chosen port of ZooKeeper",
    inventory: `${mesh}  zookeeper: { client_port: 8080 }
  services:
    x: { path: /x, port: 8080 }
`,
    problems: [
      "i.yaml:12:26 mesh.services.x.port: 8080 is ZooKeeper's client_port (line 10), and hosts are both member and proxy",
    ],
  },
  {
    title: "ZooKeeper's port twice, once by default",
    inventory: `${mesh}  zookeeper: { client_port: 2888 }
`,
    problems: ["i.yaml:10:29 mesh.zookeeper.client_port: 2888 is also quorum_port by default"],
  },
  {
    title: "ZooKeeper's port twice",
    inventory: `${mesh}  zookeeper: { quorum_port: 4000, election_port: 4000 }
`,
    problems: ["i.yaml:10:50 mesh.zookeeper.election_port: 4000 is also quorum_port (line 10)"],
  },
  {
    title: "paths that ZooKeeper refuses",
    inventory: `${mesh}  services: { x: { path: services/x, port: 1 }, y: { path: /y/, port: 2 }, z: { path: /, port: 3 } }
`,
    problems: [
      "i.yaml:10:26 mesh.services.x.path: expected an absolute ZooKeeper path like /services/user-api, found 'services/x'",
      "i.yaml:10:60 mesh.services.y.path: expected an absolute ZooKeeper path like /services/user-api, found '/y/'",
      "i.yaml:10:87 mesh.services.z.path: expected an absolute ZooKeeper path like /services/user-api, found '/'",
    ],
  },
  {
    title: "networks that are no blocks of addresses",
    inventory: `${mesh}  networks: [10.0.0.1/16, 10.0.0.0, 10.0.0.0/33, "fd00::/129", "::ffff:10.0.0.0/104", any]
`,
    problems: ["10.0.0.1/16", "10.0.0.0", "10.0.0.0/33", "fd00::/129", "::ffff:10.0.0.0/104", "any"].map(
      (found, at) =>
        expect.stringMatching(
          new RegExp(
            `^i\\.yaml:10:\\d+ mesh\\.networks\\[${at}\\]: expected an address block like .*, found '${found}'$`,
          ),
        ),
    ),
  },
  {
    title: "no networks at all",
    inventory: `${mesh}  networks: []
`,
    problems: [expect.stringMatching(/^i\.yaml:10:13 mesh\.networks: expected at least one address block/)],
  },
  {
    title: "options that no backend may be allowed",
    inventory: `${mesh}  services: { x: { path: /x, port: 1, server_options_allowed: [id 7, cookie, "a b c", 'ssl "', 5] } }
`,
    problems: [
      "i.yaml:10:64 mesh.services.x.server_options_allowed[0]: is Synapse's to say, and no backend's",
      "i.yaml:10:70 mesh.services.x.server_options_allowed[1]: is Synapse's to say, and no backend's",
      ...["'a b c'", `'ssl "'`, "5"].map((found, at) =>
        expect.stringMatching(
          new RegExp(
            `^i\\.yaml:10:\\d+ mesh\\.services\\.x\\.server_options_allowed\\[${at + 2}\\]: expected an option .*, found ${found}$`,
          ),
        ),
      ),
    ],
  },
  {
    title: "a service without servers",
    inventory: `${mesh}  services: { x: { port: 1 } }
`,
    problems: [
      "i.yaml:10:15 mesh.services.x: expected 'path' (ZooKeeper), 'dns' (names) or 'servers' (a fixed list), found none of them",
    ],
  },
  {
    title: "names in DNS that are none, have no port, or stand beside other servers",
    inventory: `${mesh}  services:
    a: { port: 1, mode: http, dns: { names: [web, 10.0.0.1, a.example, "b.example:80", B.example, "c.example:70000"], port: 80, nameserver: dns.example, interval: 1m } }
    b: { port: 2, mode: http, dns: { names: [a.example, "b.example:80", B.example:80, "c.example:70000"] } }
    c: { port: 3, mode: http, path: /c, dns: { names: [a.example], port: 80 }, servers: [{ host: h, port: 1 }] }
    d: { port: 4, dns: { names: [a.example], port: 3306 } }
    e: { port: 5, mode: http, dns: { names: [a.example], port: 80 }, when_empty: serve_none }
`,
    problems: [
      "i.yaml:11:46 mesh.services.a.dns.names[0]: expected a whole name like api.example.com, perhaps with a port of its own, api.example.com:8081, found 'web'",
      "i.yaml:11:51 mesh.services.a.dns.names[1]: expected a whole name like api.example.com, perhaps with a port of its own, api.example.com:8081, found '10.0.0.1'",
      "i.yaml:11:141 mesh.services.a.dns.nameserver: expected an IP address, found 'dns.example'",
      "i.yaml:11:164 mesh.services.a.dns.interval: expected 1s to 30s, found '1m'",
      "i.yaml:12:46 mesh.services.b.dns.names[0]: a.example has no port",
      "i.yaml:12:73 mesh.services.b.dns.names[2]: b.example:80 is listed already",
      "i.yaml:12:87 mesh.services.b.dns.names[3]: 70000 is no port: expected 1–65535",
      "i.yaml:13:31 mesh.services.c.path: stands beside 'dns', and a service has one of the two",
      "i.yaml:13:80 mesh.services.c.servers: stands beside 'dns', and a service has one of the two",
      "i.yaml:14:5 mesh.services.d: expected 'mode: http' or 'mode: tcp': port 3306 is known for MySQL, so it cannot be known whether it speaks HTTP",
      "i.yaml:15:70 mesh.services.e.when_empty: needs 'path', the backends that it is about",
    ],
  },
  {
    title: "a path without an ensemble",
    inventory: `${hosts}groups: { p: [a] }
mesh: { proxies: p, services: { x: { path: /x, port: 1 } } }
`,
    problems: [
      "i.yaml:6:44 mesh.services.x.path: a path needs 'mesh.ensemble', the group of ZooKeeper's hosts",
    ],
  },
  {
    title: "services without proxies",
    inventory: `${hosts}mesh: { services: { x: { servers: [{ host: h, port: 1 }], port: 1 } } }
`,
    problems: ["i.yaml:5:9 mesh.services: services need 'proxies', the group of hosts that offer them"],
  },
  {
    title: "a bad service name",
    inventory: `${mesh}  services: { User API: { path: /x, port: 1 } }
`,
    problems: [
      "i.yaml:10:15 mesh.services.\"User API\": expected a name of letters, digits, '-', '_' and '.', beginning with a letter or digit, found 'User API'",
    ],
  },
  {
    title: "a service without a port",
    inventory: `${mesh}  services: { x: { path: /x } }
`,
    problems: ["i.yaml:10:15 mesh.services.x.port: expected 1–65535, found nothing"],
  },
  {
    title: "a name to bind to",
    inventory: `${mesh}  services: { x: { path: /x, port: 1, bind: localhost } }
`,
    problems: ["i.yaml:10:45 mesh.services.x.bind: expected an IP address, found 'localhost'"],
  },
  {
    title: "an unknown mode",
    inventory: `${mesh}  services: { x: { path: /x, port: 1, mode: htpp } }
`,
    problems: ["i.yaml:10:45 mesh.services.x.mode: expected one of http, tcp, found 'htpp'"],
  },
  {
    title: "an unknown balance algorithm",
    inventory: `${mesh}  services: { x: { path: /x, port: 1, balance: fair } }
`,
    problems: [
      "i.yaml:10:48 mesh.services.x.balance: expected a balance algorithm of HAProxy like roundrobin or leastconn, found 'fair'",
    ],
  },
  {
    title: "a check with four mistakes",
    inventory: `${mesh}  services: { x: { path: /x, port: 1, check: { http: /health, inter: fast, rise: 0, fal: 3 } } }
`,
    problems: [
      "i.yaml:10:54 mesh.services.x.check.http: expected a request like GET /health, or false for a TCP check, found '/health'",
      "i.yaml:10:70 mesh.services.x.check.inter: expected a duration like 500ms, 2s or 2000 (milliseconds), found 'fast'",
      "i.yaml:10:82 mesh.services.x.check.rise: expected at least 1, found 0",
      "i.yaml:10:85 mesh.services.x.check.fal: unknown key; did you mean 'fall'?",
    ],
  },
  {
    title: "lists of servers with a mistake each",
    inventory: `${mesh}  services: { x: { port: 1, servers: [] }, y: { port: 2, servers: [{host: h}] }, z: { port: 3, servers: [{ host: h, port: 1 }, { host: h, port: 1 }] } }
`,
    problems: [
      "i.yaml:10:38 mesh.services.x.servers: expected at least one entry, found an empty list",
      "i.yaml:10:68 mesh.services.y.servers[0].port: expected 1–65535, found nothing",
      "i.yaml:10:128 mesh.services.z.servers[1]: server 'h_1' is listed already (line 10)",
    ],
  },
  {
    title: "Synapse's form in another place",
    inventory: `${mesh}service_watcher: {}
`,
    problems: ["i.yaml:10:1 service_watcher: belongs under 'mesh', beside 'services'"],
  },
  {
    title: "what of Synapse's form is not translated, and how to say it",
    inventory: `${mesh}  service_watcher:
    x:
      discovery: { method: zookeeper, path: /x, hosts: ["10.0.0.1:2181", "10.0.0.9:2181"], decode: {} }
      backend_port_override: 80
      haproxy:
        prot: 1
        server_options: check inter 2000 cookie %{name}
        listen:
          - timeout server never
          - cookie SRV insert
          - option httpchk GET /health HTTP/1.1
          - listen other
    y:
      discovery: { method: ec2tag }
      haproxy: { port: 2 }
    z:
      discovery: { method: dns, servers: [{ host: 10.0.0.9, port: 80 }, { host: a.example, port: 80, labels: {} }], check_interval: 90, path: /z }
      haproxy: { port: 3, listen: [mode http] }
    w:
      discovery: { method: base, nameserver: 10.0.0.53 }
      default_servers: [{ host: 10.0.0.9, port: 25 }]
      haproxy: { port: 4, listen: [mode http] }
    v:
      discovery: { method: dns, servers: [{ host: web, port: 80 }] }
      haproxy: { port: 5, listen: [mode http] }
    u:
      discovery: { method: dns }
      haproxy: { port: 6, listen: [mode http] }
`,
    problems: [
      `i.yaml:12:74 mesh.service_watcher.x.discovery.hosts[1]: is no member of mesh.ensemble (10.0.0.1:2181, 10.0.0.2:2181), which every service is looked up in`,
      "i.yaml:12:92 mesh.service_watcher.x.discovery.decode: is not translated: meshctl's Synapse reads children as JSON with host and port",
      "i.yaml:13:7 mesh.service_watcher.x.backend_port_override: is not translated: let each backend register the port it listens on",
      "i.yaml:15:9 mesh.service_watcher.x.haproxy.prot: unknown key; did you mean 'port'?",
      "i.yaml:16:25 mesh.service_watcher.x.haproxy.server_options: '%{name}' is not translated: Synapse would put another text there for each server",
      "i.yaml:18:13 mesh.service_watcher.x.haproxy.listen[0]: expected a time like timeout server 10s",
      "i.yaml:19:13 mesh.service_watcher.x.haproxy.listen[1]: 'cookie' is refused: `meshctl probe` has a cookie of its own in every HTTP service",
      "i.yaml:20:13 mesh.service_watcher.x.haproxy.listen[2]: only the method, the path and the Host of a check are translated: option httpchk GET /health HTTP/1.1\\r\\nHost:\\ name",
      "i.yaml:21:13 mesh.service_watcher.x.haproxy.listen[3]: 'listen' begins a section: those stand under haproxy.sections",
      "i.yaml:23:28 mesh.service_watcher.y.discovery.method: only zookeeper and dns are translated, and base for default_servers alone; for other servers write the service under mesh.services with 'servers'",
      "i.yaml:26:51 mesh.service_watcher.z.discovery.servers[0].host: expected a whole name like api.example.com, and no address, found '10.0.0.9'",
      "i.yaml:26:102 mesh.service_watcher.z.discovery.servers[1].labels: unknown key; known are name, host, port",
      "i.yaml:26:133 mesh.service_watcher.z.discovery.check_interval: expected seconds, from 1 to 30",
      "i.yaml:26:137 mesh.service_watcher.z.discovery.path: belongs to method zookeeper",
      "i.yaml:29:34 mesh.service_watcher.w.discovery.nameserver: belongs to method dns",
      "i.yaml:33:51 mesh.service_watcher.v.discovery.servers[0].host: expected a whole name like api.example.com, and no address, found 'web'",
      "i.yaml:36:7 mesh.service_watcher.u.discovery.servers: expected a list, found nothing",
    ],
  },
  {
    title: "keys and lines of Synapse's form that every JavaScript object has",
    inventory: `${mesh}  service_watcher:
    x:
      discovery: { method: zookeeper, path: /x }
      haproxy: { port: 1, constructor: 2, backend: [mode http, toString now] }
`,
    problems: [
      "i.yaml:13:27 mesh.service_watcher.x.haproxy.constructor: unknown key; known are port, bind_address, bind_options, server_options, listen, frontend, backend",
    ],
  },
  {
    title: "an ensemble on IPv6 that services are looked up in",
    inventory: `version: 1
hosts:
  a: { address: "fd00::1" }
groups:
  zk: [a]
mesh:
  ensemble: zk
  proxies: zk
  services: { x: { path: /x, port: 1 } }
`,
    problems: [
      "i.yaml:3:17 hosts.a.address: services with a path are followed over IPv4, and this member of mesh.ensemble has fd00::1",
    ],
  },
  {
    title: "services that are there already, in Synapse's form",
    inventory: `${mesh}  services: { x: { path: /x, port: 1 } }
  service_watcher:
    x: { discovery: { method: zookeeper, path: /x }, haproxy: { port: 2 } }
    y: { discovery: { method: zookeeper, path: /y }, haproxy: { port: 1, listen: [mode tcp] } }
`,
    problems: [
      "i.yaml:12:5 mesh.service_watcher.x: 'x' is a service already (line 10)",
      "i.yaml:13:71 mesh.service_watcher.y.haproxy.port: 1 is the port of 'x' already (line 10)",
    ],
  },
  {
    title: "services of which nobody says whether they speak HTTP",
    inventory: `${mesh}  services:
    plain: { path: /plain, port: 1, check: { http: false } }
    unchecked: { path: /unchecked, port: 2, check: false }
    db: { port: 3, servers: [{ host: h, port: 3306 }] }
  service_watcher:
    cassandra: { discovery: { method: zookeeper, path: /c }, haproxy: { port: 9042, server_options: check inter 1s } }
    balanced: { discovery: { method: zookeeper, path: /b }, haproxy: { port: 3307, listen: [balance leastconn] } }
`,
    problems: [
      "i.yaml:11:5 mesh.services.plain: expected 'mode: http' or 'mode: tcp': the check is no request, so it cannot be known whether it speaks HTTP",
      "i.yaml:12:5 mesh.services.unchecked: expected 'mode: http' or 'mode: tcp': it has no check, so it cannot be known whether it speaks HTTP",
      "i.yaml:13:5 mesh.services.db: expected 'mode: http' or 'mode: tcp': port 3306 is known for MySQL, so it cannot be known whether it speaks HTTP",
      "i.yaml:15:5 mesh.service_watcher.cassandra: expected the line 'mode http' or 'mode tcp' in haproxy.listen: the check is no request, so it cannot be known whether it speaks HTTP",
      "i.yaml:16:5 mesh.service_watcher.balanced: expected the line 'mode http' or 'mode tcp' in haproxy.listen: it has no check, so it cannot be known whether it speaks HTTP",
    ],
  },
  {
    title: "lines of HAProxy's that another key says, or that are none",
    inventory: `${mesh}  services:
    x:
      path: /x
      port: 1
      lines:
        frontend: [bind :80, "maxconn  9", use_backend y if z]
        backend: [timeout server 3s, server a 10.0.0.9:80, "acl x path \\"open"]
        server: maxconn 20 cookie a
    y: { path: /y, port: 2, mode: http, check: { http: GET /, mysql: root } }
    z: { path: /z, port: 3, mode: tcp, check: { host: z.example, mysql: "a b" } }
`,
    problems: [
      "i.yaml:15:20 mesh.services.x.lines.frontend[0]: 'bind' is the service's bind and port",
      "i.yaml:15:30 mesh.services.x.lines.frontend[1]: 'maxconn' is the service's maxconn",
      "i.yaml:16:19 mesh.services.x.lines.backend[0]: 'timeout server' is the service's timeout.server",
      "i.yaml:16:38 mesh.services.x.lines.backend[1]: 'server' is the service's servers",
      "i.yaml:16:60 mesh.services.x.lines.backend[2]: ends within quotes or behind a backslash",
      "i.yaml:17:17 mesh.services.x.lines.server: 'cookie' is Synapse's to say",
      "i.yaml:18:70 mesh.services.y.check.mysql: is a second check beside 'http': leave one of the two out",
      "i.yaml:19:55 mesh.services.z.check.host: needs 'http', the request that it belongs to",
      "i.yaml:19:73 mesh.services.z.check.mysql: expected the name of a user of the database, who needs no rights and no password, found 'a b'",
    ],
  },
  {
    title: "services that would get each other's backends",
    inventory: `${mesh}  services:
    orders: { path: /services/orders, port: 1 }
    same: { path: /services/orders, port: 2 }
    admin: { path: /services/orders/admin, port: 3 }
    beside: { path: /services/orders-admin, port: 4 }
    quota: { path: /zookeeper/quota, port: 5 }
`,
    problems: [
      "i.yaml:12:19 mesh.services.same.path: /services/orders is the path of 'orders' already (line 11): each would get the other's backends; they may share it where both pick theirs by 'labels'",
      "i.yaml:13:20 mesh.services.admin.path: /services/orders/admin and /services/orders, the path of 'orders' (line 11), lie within each other: 'orders' would take /services/orders/admin for a backend",
      "i.yaml:15:20 mesh.services.quota.path: /zookeeper is ZooKeeper's own: expected another path",
    ],
  },
  {
    title: "services that share a path and are not told apart by their labels",
    inventory: `${mesh}  services:
    api: { path: /orders, port: 1, labels: { kind: api } }
    admin: { path: /orders, port: 2, labels: { kind: { not: api } } }
    all: { path: /orders, port: 3, labels: {} }
    twin: { path: /orders, port: 4, labels: { kind: api } }
    plain: { path: /orders, port: 5 }
    number: { path: /number, port: 6, labels: { shard: 1 } }
    fixed: { servers: [{ host: 10.0.0.9, port: 1 }], port: 7, labels: { a: b }, keep_servers: true }
  service_watcher:
    old:
      discovery:
        method: zookeeper
        path: /orders
        label_filters:
          - { label: kind, value: admin, condition: equals }
          - { label: kind, value: api, condition: not-equals }
      haproxy: { port: 8, listen: [mode http] }
`,
    problems: [
      `i.yaml:14:45 mesh.services.twin.labels: 'api' picks the same backends of /orders (line 11): kind is "api"`,
      "i.yaml:15:20 mesh.services.plain.path: /orders is the path of 'api' already (line 11): each would get the other's backends; they may share it where both pick theirs by 'labels'",
      "i.yaml:16:56 mesh.services.number.labels.shard: expected text: put quotes around a number, true or false, found 1",
      "i.yaml:17:63 mesh.services.fixed.labels: needs 'path', the backends that it is about",
      "i.yaml:17:81 mesh.services.fixed.keep_servers: needs 'path' and 'servers', which are served together",
      "i.yaml:25:13 mesh.service_watcher.old.discovery.label_filters[1]: 'kind' has a filter already, and one says all that it is to be",
    ],
  },
  {
    title: "services on one port of addresses that hold each other",
    inventory: `${mesh}  services:
    x: { path: /x, port: 80, bind: 127.0.0.2 }
    y: { path: /y, port: 80, bind: 0.0.0.0 }
    z: { path: /z, port: 80, bind: "::1" }
    all: { path: /all, port: 80, bind: "::" }
`,
    problems: [
      "i.yaml:12:26 mesh.services.y.port: 80 is the port of 'x' already on 127.0.0.2 (line 11)",
      "i.yaml:14:30 mesh.services.all.port: 80 is the port of 'x' already on 127.0.0.2 (line 11)",
    ],
  },
  {
    title: "a key that JavaScript treats specially",
    inventory: `${hosts}__proto__: { a: 1 }
`,
    problems: ["i.yaml:5:1 __proto__: unknown key"],
  },
  {
    title: "a list as key",
    inventory: `${hosts}? [a]
: 1
`,
    problems: ["i.yaml:5:3: expected a plain word as key"],
  },
];

describe("a wrong inventory", () => {
  it.each(cases)("reports $title", async ({ problems, ...texts }) => {
    expect(await problemsOf(texts)).toEqual(problems);
  });
});
