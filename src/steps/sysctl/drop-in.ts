import type { WantedFile } from "../../contract/change.ts";
import { plainFile } from "../../evidence/file.ts";
import type { ConfFile } from "./boot.ts";
import { RESERVED_PORTS } from "./parameters.ts";

/** Behind 99-sysctl.conf, by which Debian 11 and 12 read /etc/sysctl.conf: a name like 60-… would lose to it. */
export const DROP_IN = "/etc/sysctl.d/99-zz-meshctl.conf";

const COMMENT = "# Written by meshctl: change the inventory or the playbook, not this file.\n";

/** Sorted, but the reserved ports first: once the port range is wide, a port not reserved can be taken at once. */
export function inOrder(settings: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  const rank = (key: string) => (key === RESERVED_PORTS ? "" : key);
  return [...settings].sort(([a], [b]) => (rank(a) < rank(b) ? -1 : 1));
}

export function dropInFile(settings: ReadonlyMap<string, string>): WantedFile {
  return plainFile(DROP_IN, renderDropIn(settings));
}

export function renderDropIn(settings: ReadonlyMap<string, string>): string {
  return (
    COMMENT +
    inOrder(settings)
      .map(([key, value]) => `${key} = ${value}\n`)
      .join("")
  );
}

/** What the kernel had before a run changed it. It is kept and put back with the drop-in, run by run. */
export const BEFORE = "/var/lib/meshctl/sysctl-before";

/** The record of these values, in the order in which they are to be set again. */
export function recordFile(values: ReadonlyMap<string, string>): WantedFile {
  return { path: BEFORE, content: [renderDropIn(values)], mode: "0600", owner: "root:root" };
}

/** Key → value of a file as `renderDropIn` writes it. */
export function settingsIn(text: string): ReadonlyMap<string, string> {
  return new Map([...text.matchAll(/^([^#\s]\S*) = (.*)$/gm)].map(([, key, value]) => [key!, value!]));
}

/** The files as they will be once the drop-in holds `content`. */
export function withDropIn(files: readonly ConfFile[], content: string): readonly ConfFile[] {
  const lines = content.split("\n").map((text, index) => ({ number: index + 1, text }));
  const dropIn: ConfFile = {
    path: DROP_IN,
    realPath: DROP_IN,
    lines: lines.filter(({ text }) => text !== "" && !text.startsWith("#")),
  };
  return [...files.filter((file) => file.path !== DROP_IN), dropIn];
}
