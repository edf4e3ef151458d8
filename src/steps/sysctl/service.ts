import type { Health, Service } from "../../contract/step.ts";
import { isAsWanted } from "./assess.ts";
import { winnerOf } from "./boot.ts";
import type { SysctlDesired } from "./desired.ts";
import { BEFORE, DROP_IN, settingsIn } from "./drop-in.ts";
import type { SysctlFacts } from "./facts.ts";
import { procPathOf } from "./key.ts";

/** The kernel, which cannot be down: it is healthy when it has what the files would give it at the next boot. */
export const service: Service<SysctlDesired, SysctlFacts> = {
  health(facts): Health {
    const unreadValues = [...facts.unreadValues].map(([path, because]) => ({
      path: `/proc/sys/${path}`,
      because,
    }));
    const [unread] = [...facts.unreadFiles, ...unreadValues];
    if (unread !== undefined)
      return { is: "undecided", because: `${unread.path} could not be read: ${unread.because}` };
    for (const [path, value] of facts.values) {
      const winner = winnerOf("systemd-sysctl", facts.files, path);
      const key = path.replaceAll("/", ".");
      if (winner?.value === undefined || isAsWanted(key, winner.value, value)) continue;
      const because = `the kernel has ${key} = ${value}, and ${winner.source} says ${winner.value}`;
      return { is: "broken", because };
    }
    return { is: "healthy" };
  },
  // A key that no file names any more would keep what the run gave it.
  activate({ dropIn, before }, paths) {
    const had = paths.includes(BEFORE)
      ? settingsIn(before.is === "value" ? before.value : "")
      : new Map<string, string>();
    const named = paths.includes(DROP_IN) ? [...settingsIn(dropIn.content ?? "").keys()] : [];
    const unknown = named.filter((key) => !had.has(key)).map(procPathOf);
    const args = [...[...had].flatMap(([key, value]) => [procPathOf(key), value]), "--", ...unknown];
    return [{ kind: "script", file: new URL("./put-back.sh", import.meta.url), args, timeoutMs: 30_000 }];
  },
};
