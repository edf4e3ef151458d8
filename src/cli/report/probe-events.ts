import type { ServiceProbe } from "../../canary/prove-service.ts";
import { timingsOf } from "../../canary/timings.ts";
import type { Look } from "../lookout.ts";
import { problemsOn } from "../probe-problems.ts";

export interface ProbeEnd {
  readonly exitCode: number;
  readonly before: Look | undefined;
  /** When a proxy did not follow. */
  readonly after: Look | undefined;
  readonly probes: readonly ServiceProbe[];
  /** The one that ^C cut off. */
  readonly interrupted: ServiceProbe | undefined;
}

/** A probe as events for NDJSON: each proxy, each service, why some did not follow, `summary` last. */
export function probeEvents({
  exitCode,
  before,
  after,
  probes,
  interrupted,
}: ProbeEnd): readonly Record<string, unknown>[] {
  const status = after?.status ?? (probes.length === 0 ? before?.status : undefined);
  return [
    ...probes.flatMap(({ service, canary, proxies, failed, refused }) => [
      ...proxies.map(({ host, servedMs, goneMs, because }) => ({
        event: "probe",
        service,
        host,
        follows: because === undefined,
        served_ms: servedMs,
        gone_ms: goneMs,
        because,
      })),
      {
        event: "probed",
        service,
        canary,
        follows:
          failed === undefined &&
          refused === undefined &&
          proxies.every(({ because }) => because === undefined),
        because: failed ?? refused,
        served_ms: timingsOf(proxies.flatMap(({ servedMs }) => servedMs ?? [])),
        gone_ms: timingsOf(proxies.flatMap(({ goneMs }) => goneMs ?? [])),
      },
    ]),
    ...(status === undefined
      ? []
      : problemsOn(status, probes).map((problem) => ({ event: "problem", ...problem }))),
    {
      event: "summary",
      command: "probe",
      exit_code: exitCode,
      // A canary whose host did not say any more that it is gone.
      canary_left: interrupted?.isLeft === true ? interrupted.canary : undefined,
      hosts: (before?.hosts ?? []).map(({ host, is, execs }) => ({
        host,
        outcome: is === "unreachable" ? is : "as wanted",
        execs,
      })),
    },
  ];
}
