import { onceEach } from "../once-each.ts";

/** A line that is run or read at a boot or later, of what no unit of meshctl's starts. */
export interface BootLine {
  readonly path: string;
  /** 0 of a file that could not be read: `text` is the reason. */
  readonly line: number;
  readonly text: string;
  /** "rc.local", "cron", "ufw" … as reader.pl names them; else the unit that starts it, "UNIT ExecStop" for what it does when it ends. */
  readonly by: string;
}

/** Of the reader's answer: file, line, text and by whom, of each. The very same lines for the very same answer. */
export const bootLines = onceEach((rows: readonly (readonly string[])[]): readonly BootLine[] =>
  rows.map(([path = "", line, text = "", by = ""]) => ({ path, line: Number(line), text, by })),
);

const HOW: Readonly<Record<string, string>> = {
  "rc.local": "rc-local.service runs it",
  ufw: "ufw.service reads it",
  cron: "cron runs it",
  at: "atd runs it",
  logrotate: "logrotate runs it",
  ifupdown: "ifupdown runs it when an interface comes up",
  dhclient: "dhclient runs it when it gets an address",
  pppd: "pppd runs it when a connection comes up",
  NetworkManager: "NetworkManager runs it when an interface comes up",
  "networkd-dispatcher": "networkd-dispatcher runs it when an interface comes up",
  tmpfiles: "systemd-tmpfiles writes it",
  udev: "udev applies it when a device appears",
  modprobe: "modprobe runs it when the module is loaded",
  tuned: "tuned applies it",
  "cloud-init": "cloud-init runs it at every boot",
  apt: "apt runs it",
  "netfilter-persistent": "netfilter-persistent.service loads it",
  login: "shells read it at a login",
};

/** By whom and when, as the end of a sentence: "rc-local.service runs it". */
export function showHow(by: string): string {
  const [unit, key] = by.split(" ");
  if (key !== undefined) return `${unit} runs it when it ends`;
  return HOW[by] ?? `${by} starts it`;
}

/** What a line does, as far as a shell reads it. */
export function withoutComment(text: string): string {
  return text.replace(/(?:^|\s)#.*$/, "");
}

/** Ends before what is only told, and perhaps handed to what runs it. */
export const IS_TOLD = /(?:^|[;&|(\s])(?:echo|printf|logger)\s[^;&|]*$/;
