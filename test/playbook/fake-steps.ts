import { z } from "zod";
import type { AnyStep } from "../../src/contract/step.ts";
import { byteSize, durationMs } from "../../src/quantities.ts";

const unused = (): never => {
  throw new Error("a test of files never runs a step");
};

function fakeStep(name: string, parameters: z.ZodType, problems?: AnyStep["problems"]): AnyStep {
  return {
    name,
    title: name,
    parameters,
    ...(problems === undefined ? {} : { problems }),
    desired: unused,
    claims: unused,
    look: unused,
    assess: unused,
    needs: "self",
    next: unused,
    settle: { deadlineMs: 0, stableMs: 0 },
  };
}

const wholeNumber = z.int().min(0);

/** Steps with the real ones' keys, and nothing behind them. */
export const fakeSteps: readonly AnyStep[] = [
  fakeStep(
    "preflight",
    z.strictObject({
      virtualization: z.array(z.string()).default(["kvm", "none"]),
      clock_skew_max: durationMs.default(500),
    }),
  ),
  fakeStep(
    "sysctl",
    z.strictObject({
      "net.ipv4.tcp_fin_timeout": wholeNumber.default(15),
      "net.core.somaxconn": wholeNumber.default(10240),
    }),
  ),
  fakeStep(
    "zookeeper",
    z.strictObject({
      id: z.int().min(1).max(255).optional(),
      heap: byteSize.default(1024 ** 3),
      tick_time: durationMs.default(2000),
      adopt: z.boolean().default(false),
    }),
    (_parameters, host, { mesh }) =>
      mesh.ensemble.some((member) => member.host === host.name)
        ? []
        : [{ path: [], message: `'${host.name}' is not in mesh.ensemble` }],
  ),
  fakeStep(
    "haproxy",
    z.strictObject({
      maxconn: z.int().min(1).max(1_000_000).default(50_000),
      timeout_connect: durationMs.default(500),
      log: z
        .strictObject({ level: z.enum(["info", "notice"]).optional(), to: z.string().optional() })
        .optional(),
      adopt: z.boolean().default(false),
    }),
  ),
  fakeStep(
    "watcher",
    z.strictObject({
      when_empty: z.enum(["keep_last", "drop"]).default("keep_last"),
      build_host: z.string().optional(),
    }),
    ({ build_host }, _host, { hosts }) =>
      build_host === undefined || hosts.has(build_host)
        ? []
        : [{ path: ["build_host"], message: `no host is named '${build_host}'` }],
  ),
  fakeStep(
    "mysql",
    z.strictObject({
      buffer_pool_size: z.union([byteSize, z.string().regex(/^\d+%$/)]),
      adopt: z.boolean().default(false),
    }),
  ),
];
