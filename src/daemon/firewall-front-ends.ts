import { type BootLine, IS_TOLD, withoutComment } from "./boot-lines.ts";
import type { Door, InTheWay } from "./reach.ts";

/** ufw and firewalld: their rules and zones are not followed, and so more than one port is a warning. */
export function byFrontEnd(
  text: string,
  line: BootLine,
  together: readonly BootLine[],
  doors: readonly Door[],
): InTheWay | undefined {
  const reached = doors.filter(({ isLocal }) => !isLocal);
  for (const [, before = "", said = ""] of text.matchAll(/^(.*?)\bufw\s+((?:[^;&|]|&\d)*)/g)) {
    if (IS_TOLD.test(before) || /\b(?:delete|route)\b/.test(said)) continue;
    const allowed = together.flatMap((each) => {
      const words = each.path === line.path ? withoutComment(each.text) : "";
      return /\bufw\s+(?:\S+\s+)*?allow\s+(.*)/.exec(words)?.[1] ?? [];
    });
    const isOpen = ({ port }: Door) => allowed.some((each) => isOfAnyPort(each) || hasPort(each, port));
    if (/\bdefault\s+(?:deny|reject)\b(?!\s+(?:out|routed))/.test(said)) {
      const shut = reached.find((door) => !isOpen(door));
      return (
        shut && { does: `shuts all ports, port ${shut.port} too, of`, before, isSaid: true, lasts: true }
      );
    }
    if (!/\b(?:deny|reject)\b/.test(said) || /\b(?:deny|reject)\s+out\b/.test(said)) continue;
    const door = reached.find(({ port }) => hasPort(said, port));
    if (door !== undefined)
      return {
        does: `shuts port ${door.port} of`,
        before,
        isSaid:
          /\bfrom\s+(?!any\b)|\bon\s/.test(said) ||
          // The first that fits decides.
          allowed.some((each) => hasPort(each, door.port) || (isOfAnyPort(each) && /\bfrom\s/.test(each))),
        lasts: true,
      };
  }
  for (const [, before = "", said = ""] of text.matchAll(/^(.*?)\bfirewall-cmd\s([^;&|]*)/g)) {
    if (IS_TOLD.test(before) || !FIREWALLD_SHUTS.test(said)) continue;
    const [, port] = /-port=(\d+)/.exec(said) ?? [];
    const door = reached.find((each) => port === undefined || Number(port) === each.port);
    if (door !== undefined)
      return {
        does: `has firewalld shut more, perhaps port ${door.port}, of`,
        before,
        isSaid: true,
        lasts: true,
      };
  }
  return undefined;
}

/** Whether what is allowed names no port: that of an application is not told. */
function isOfAnyPort(allowed: string): boolean {
  return !/\b\d+(?:\/\w+)?(?![\d./])/.test(withoutAddresses(allowed));
}

const FIREWALLD_SHUTS =
  /--panic-on|--set-(?:default-zone=(?:drop|block)|target=(?:DROP|REJECT|%%REJECT%%))|--zone=(?:drop|block)\b.*--(?:add|change)-(?:interface|source)|--remove-(?:port|source|interface)=|--add-rich-rule=.*\b(?:drop|reject)\b/;

function withoutAddresses(said: string): string {
  return said.replaceAll(/[\da-fA-F]*[.:][\d.:a-fA-F]*(?:\/\d+)?/g, "");
}

function hasPort(said: string, port: number): boolean {
  return withoutAddresses(said)
    .split(/[^\d/a-z]+/)
    .some((word) => word === `${port}` || word === `${port}/tcp`);
}
