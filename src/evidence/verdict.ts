import type { Evidence, Layer, Reading, Verdict } from "../contract/reading.ts";
import { maskForeignSecrets } from "../foreign-secrets.ts";

/**
 * The one place where a verdict is made. Only layers that were read and agree with what is wanted are "proven". What a
 * host has instead is shown without what looks like a secret in it.
 */
export function judge(found: Reading): Evidence {
  const verdict = verdictOf(found);
  const onDisk = withoutSecrets(found.onDisk, found);
  const inForce = withoutSecrets(found.inForce, found);
  if (verdict === "proven") {
    const { because: _because, closedBy: _closedBy, diff: _diff, ...proven } = found;
    return { ...proven, onDisk, inForce, verdict };
  }
  const reading = { ...found, onDisk, inForce };
  const because = reading.blocked ?? reading.because ?? explain(reading, verdict);
  return { ...reading, verdict, because: maskForeignSecrets(because) };
}

function withoutSecrets(layer: Layer, { want }: Reading): Layer {
  return "value" in layer && layer.value !== want
    ? { ...layer, value: maskForeignSecrets(layer.value) }
    : layer;
}

function verdictOf(reading: Reading): Verdict {
  const { onDisk, inForce } = reading;
  if (reading.blocked !== undefined) return "blocked";
  const disk = agreement(reading, "onDisk");
  const force = agreement(reading, "inForce");
  if (disk === "unreadable" || force === "unreadable") return "unknown";
  const diskIsFine = disk === "agrees" || disk === "inapplicable";
  const forceIsFine = force === "agrees" || force === "inapplicable";
  // Nothing was read at all: that proves nothing.
  if (disk === "inapplicable" && force === "inapplicable") return "unknown";
  if (diskIsFine && forceIsFine) return "proven";
  if (reading.closedBy !== undefined && "step" in reading.closedBy) return "pending";
  if (!diskIsFine && reading.cause === "shadowed") return "shadowed";
  if (onDisk.is === "absent" || (disk === "inapplicable" && inForce.is === "absent")) return "missing";
  if (!diskIsFine || disk === "inapplicable") return "different";
  return reading.cause === "clamped" ? "clamped" : "not-in-force";
}

type Agreement = "agrees" | "differs" | "unreadable" | "inapplicable";

function agreement(reading: Reading, name: "onDisk" | "inForce"): Agreement {
  const layer = reading[name];
  switch (layer.is) {
    case "unreadable":
    case "inapplicable":
      return layer.is;
    case "absent":
      return "differs";
    default: {
      const accepts = reading.accepts ?? ((value: string) => value === reading.want);
      return accepts(layer.value, name) ? "agrees" : "differs";
    }
  }
}

/** The rule by which a verdict came about, as one sentence. */
export function derivationOf(evidence: Evidence): string {
  const { verdict, onDisk, inForce, want, closedBy } = evidence;
  const disk = agreement(evidence, "onDisk");
  const force = agreement(evidence, "inForce");
  const accepted = ([onDisk, inForce] as const).flatMap((layer, index) =>
    (index === 0 ? disk : force) === "agrees" && "value" in layer && layer.value !== want
      ? [`${layer.value} is what ${want} may look like ${index === 0 ? "on disk" : "in force"}`]
      : [],
  );
  const also = accepted.length === 0 ? "" : ` (${[...new Set(accepted)].join("; ")})`;
  switch (verdict) {
    case "proven":
      if (disk === "inapplicable") return `in force is as wanted, and nothing on disk decides it${also}`;
      if (force === "inapplicable") return `on disk is as wanted, and nothing runs that could differ${also}`;
      return `on disk and in force are both as wanted${also}`;
    case "blocked":
      return "meshctl must not make the change that would close it";
    case "unknown":
      if (disk === "inapplicable" && force === "inapplicable")
        return "no layer was read, and that proves nothing";
      return `${disk === "unreadable" ? "on disk" : "in force"} could not be read, and what was not read proves nothing`;
    case "pending":
      return `not as wanted yet; the ${closedBy !== undefined && "step" in closedBy ? closedBy.step : "next"} step closes it`;
    case "shadowed":
      return "the file of meshctl does not win on disk: another file is read later";
    case "missing":
      return `${disk === "inapplicable" ? "in force" : "on disk"} there is nothing where something is wanted`;
    case "different":
      return `${disk === "differs" ? "on disk" : "in force"} is not as wanted`;
    case "clamped":
      return "on disk is as wanted, but what runs has cut it to a limit";
    case "not-in-force":
      return `on disk is as wanted, in force is not${also}`;
  }
}

/** Whether the step has words of its own for it, rather than those for any plain difference. */
export function saysMore(evidence: Evidence): boolean {
  return evidence.because !== undefined && evidence.because !== explain(evidence, evidence.verdict);
}

function explain(reading: Reading, verdict: Verdict): string {
  if (reading.onDisk.is === "unreadable")
    return `${reading.onDisk.source} could not be read: ${reading.onDisk.because}`;
  if (reading.inForce.is === "unreadable")
    return `${reading.inForce.source} could not be read: ${reading.inForce.because}`;
  if (verdict === "pending" && reading.closedBy !== undefined && "step" in reading.closedBy) {
    return `the ${reading.closedBy.step} step brings it into force`;
  }
  if (verdict === "not-in-force" || verdict === "clamped") {
    return `on disk it is as wanted, but what runs has ${show(reading.inForce)}, not ${cut(reading.want)}`;
  }
  const found = reading.onDisk.is === "inapplicable" ? reading.inForce : reading.onDisk;
  return `${show(found)} where ${cut(reading.want)} is wanted`;
}

/** A layer's value as a person reads it. */
function show(layer: Layer): string {
  switch (layer.is) {
    case "read":
    case "inferred":
      return layer.value === "" ? "an empty value" : cut(layer.value);
    case "absent":
      return "nothing";
    case "unreadable":
      return "an unreadable value";
    case "inapplicable":
      return "no value";
  }
}

/** The whole stands in the layers. */
function cut(value: string): string {
  return value.length > MOST_SHOWN ? `${value.slice(0, MOST_SHOWN)}…` : value;
}

const MOST_SHOWN = 300;
