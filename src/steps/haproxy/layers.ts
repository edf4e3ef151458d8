import type { Layer } from "../../contract/reading.ts";
import { withoutText } from "../../haproxy/config-file.ts";
import { unansweredLayer } from "./info-source.ts";
import { CONFIG, UNIT } from "./paths.ts";
import type { Situation } from "./situation.ts";

/** A value that was found in haproxy.cfg, with its line. */
export function onDisk(situation: Situation, found: { value: string; line: number } | undefined): Layer {
  if (situation.config === undefined) return unreadConfig(situation);
  if (found === undefined) return { is: "absent", source: CONFIG };
  return { is: "read", value: found.value, source: `${CONFIG}:${found.line}` };
}

export function unreadConfig({ facts: { config } }: Situation): Layer {
  return withoutText(config) ?? { is: "absent", source: CONFIG };
}

/** The in-force layer of what only a worker can tell. */
export function fromWorker({ facts, active }: Situation, read: () => Layer): Layer {
  if (!active) return { is: "absent", source: UNIT };
  return facts.info.size > 0 ? read() : unansweredLayer(facts);
}
