import type { ChalkInstance } from "chalk";
import { shownText } from "../shown.ts";

export interface ExecAnswer {
  readonly host: string;
  readonly exit_code?: number;
  readonly output?: string;
  readonly errors?: string;
  /** Why there is no answer. */
  readonly unreachable?: string;
}

/** Hosts with the same answer together, the largest group first. */
export function execView(answers: readonly ExecAnswer[], paint: ChalkInstance): string {
  const groups = new Map<string, { hosts: string[]; answer: ExecAnswer }>();
  for (const { host, ...answer } of answers) {
    const key = JSON.stringify(answer);
    const group = groups.get(key) ?? { hosts: [], answer: { host, ...answer } };
    group.hosts.push(host);
    groups.set(key, group);
  }
  return [...groups.values()]
    .sort((a, b) => b.hosts.length - a.hosts.length)
    .map(({ hosts, answer: { exit_code, output = "", errors = "", unreachable } }) => {
      const isFine = exit_code === 0;
      const end = unreachable === undefined ? `exit code ${exit_code}` : `no answer: ${unreachable}`;
      const head = `${hosts.join(", ")}${hosts.length > 1 ? ` (${hosts.length} hosts)` : ""}`;
      const body = [output, errors].map((text) => indented(text)).filter((text) => text !== "");
      return [
        `${paint.bold(shownText(head))}  ${isFine ? paint.dim(end) : paint.red(shownText(end))}`,
        ...body,
      ].join("\n");
    })
    .join("\n\n");
}

/** No line of a host's can pass for one of ours. */
function indented(text: string): string {
  const lines = shownText(text).replace(/\n$/, "").split("\n");
  return text === "" ? "" : lines.map((line) => `  ${line}`).join("\n");
}
