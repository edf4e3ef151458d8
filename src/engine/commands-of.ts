import type { Change, Command } from "../contract/change.ts";

/** What a change does, in its order, but for its trial. */
export function commandsOf({
  commands,
  activate,
}: Pick<Change, "commands" | "activate">): readonly Command[] {
  return [...commands, ...activate];
}
