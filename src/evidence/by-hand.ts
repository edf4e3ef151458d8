import { shellWord } from "../command-line.ts";
import { parseIp } from "../ip.ts";

// A layer's source is what a person types or opens as root on the host to see the same. Bare Debian hosts have neither
// nc nor socat.

/** Asks a Unix socket one question, for example HAProxy's. */
export function socketQuestion(path: string, question: string): string {
  return `perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(shift) or die "$!\\n"; print $s "@ARGV\\n"; shutdown $s, 1; print <$s>' ${path} ${question}`;
}

/** Asks ZooKeeper a four-letter word; `at` is ADDRESS:PORT. */
export function zookeeperQuestion(at: string, word: string): string {
  const [, address = "", port] = /^(.*):(\d{1,5})$/.exec(at) ?? [];
  // Bash reads the address as a part of its program: it is nothing that a host may choose.
  if (parseIp(address) === undefined) return `ZooKeeper's answer to ${word}`;
  return `bash -c 'exec 3<>/dev/tcp/${address}/${port}; printf ${word} >&3; cat <&3'`;
}

/** What is installed of a package. */
export function packageQuestion(name: string): string {
  return `dpkg-query -W ${shellWord(name)}`;
}

export function unitQuestion(unit: string, ...properties: readonly [string, ...string[]]): string {
  return `systemctl show -p ${properties.join(" -p ")} ${shellWord(unit)}`;
}

/** Which ports a process listens on, or all of them. */
export function listenersQuestion(pid?: number): string {
  return pid === undefined ? "ss -ltnp" : `ss -ltnp | grep pid=${pid},`;
}
