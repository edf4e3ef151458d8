import { parseHaproxyConfig } from "../haproxy/config.ts";
import type { HostName } from "../host-name.ts";
import { readNerve } from "./nerve.ts";
import { mapOf, readSynapse } from "./synapse.ts";

/** A file as somebody has it. */
export interface GivenFile {
  readonly path: string;
  /** The host that it was read from, if any. */
  readonly host?: HostName;
  readonly text: string;
  /** Files of its `service_conf_dir`: name without ending → text. */
  readonly services?: ReadonlyMap<string, string>;
}

/** What a file of people who have SmartStack may be. Throws SyntaxError where it is JSON and is none. */
export function kindOf({ text, services }: GivenFile) {
  if (!/^\s*\{/.test(text)) return { is: "haproxy", config: parseHaproxyConfig(text) } as const;
  // Commas before a closing bracket are what people's files have, and YAML's readers take.
  const json = parse(text);
  const more = [...(services ?? [])].map(([name, each]) => [name, parse(each)] as const);
  const all = { ...mapOf(json), services: { ...mapOf(mapOf(json).services), ...Object.fromEntries(more) } };
  const isNerve =
    "instance_id" in mapOf(json) || Object.values(all.services).some((each) => "checks" in mapOf(each));
  if (isNerve) return { is: "nerve", file: readNerve(all) } as const;
  const given = mapOf(json);
  return { is: "synapse", file: readSynapse("services" in given || more.length > 0 ? all : given) } as const;
}

/** Undefined where it is none. */
export function jsonOf(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function parse(text: string): unknown {
  return JSON.parse(text.replace(/,(\s*[}\]])/g, "$1"));
}
