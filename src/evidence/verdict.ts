import type { Evidence, Layer, Reading, Verdict } from "../step.ts";

/** The one place where a verdict is made. Only layers that were read and agree with what is wanted are "proven". */
export function judge(reading: Reading): Evidence {
  const verdict = verdictOf(reading);
  if (verdict === "proven") {
    const { because: _because, closedBy: _closedBy, diff: _diff, ...proven } = reading;
    return { ...proven, verdict };
  }
  return { ...reading, verdict, because: reading.blocked ?? reading.because ?? explain(reading, verdict) };
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

function explain(reading: Reading, verdict: Verdict): string {
  if (reading.onDisk.is === "unreadable")
    return `${reading.onDisk.source} could not be read: ${reading.onDisk.because}`;
  if (reading.inForce.is === "unreadable")
    return `${reading.inForce.source} could not be read: ${reading.inForce.because}`;
  if (verdict === "pending" && reading.closedBy !== undefined && "step" in reading.closedBy) {
    return `the ${reading.closedBy.step} step brings it into force`;
  }
  if (verdict === "not-in-force" || verdict === "clamped") {
    return `on disk it is as wanted, but what runs has ${show(reading.inForce)}, not ${reading.want}`;
  }
  const found = reading.onDisk.is === "inapplicable" ? reading.inForce : reading.onDisk;
  return `${show(found)} where ${reading.want} is wanted`;
}

/** A layer's value as a person reads it. */
function show(layer: Layer): string {
  switch (layer.is) {
    case "read":
    case "inferred":
      return layer.value === "" ? "an empty value" : layer.value;
    case "absent":
      return "nothing";
    case "unreadable":
      return "an unreadable value";
    case "inapplicable":
      return "no value";
  }
}
