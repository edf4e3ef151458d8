import * as z from "zod";
import { parsePortRanges } from "../../evidence/port-ranges.ts";
import { nearestName } from "../../inventory/nearest-name.ts";
import { normaliseValue } from "./key.ts";

export const PORT_RANGE = "net.ipv4.ip_local_port_range";
export const RESERVED_PORTS = "net.ipv4.ip_local_reserved_ports";
export const TIME_STAMPS = "net.ipv4.tcp_timestamps";
export const UNPRIVILEGED_PORT_START = "net.ipv4.ip_unprivileged_port_start";

export interface SysctlParameters {
  readonly adopt: boolean;
  /** Key → value, spaces normalised. */
  readonly settings: ReadonlyMap<string, string>;
}

const KEY = /^(net|vm|fs|kernel)(\.[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*)+$/;
const EXPECTED_VALUE = "expected a number or one line of text";

const value = z.union([z.string(), z.number()], { error: EXPECTED_VALUE }).transform((given, context) => {
  const text = normaliseValue(String(given));
  if (/^[\x20-\x7e]+$/.test(text)) return text;
  context.addIssue({ code: "custom", message: EXPECTED_VALUE });
  return z.NEVER;
});

const valueThat = (accepts: (text: string) => boolean, expected: string) =>
  value.refine(accepts, { error: `expected ${expected}` });

const wholeNumber = valueThat((text) => /^\d+$/.test(text) && Number(text) < 2 ** 31, "a whole number");

function isPortRange(text: string): boolean {
  const [, low, high] = /^(\d{1,5}) (\d{1,5})$/.exec(text) ?? [];
  return Number(low) >= 1 && Number(low) < Number(high) && Number(high) <= 65535;
}

/** Keys whose values have a check of their own. */
const CHECKED: ReadonlySet<string> = new Set([
  "net.ipv4.tcp_tw_reuse",
  PORT_RANGE,
  "net.ipv4.tcp_max_syn_backlog",
  "net.ipv4.tcp_fin_timeout",
  "net.core.somaxconn",
  RESERVED_PORTS,
  "net.ipv4.tcp_tw_recycle",
]);

/** What the kernel would refuse, or read as another number than a person does; undefined when all is well. */
function misreadBy(key: string, given: unknown): string | undefined {
  const text = String(given);
  if (/^0\d+$/.test(text))
    return "expected a number without a leading 0: the kernel takes it for an octal one";
  if (CHECKED.has(key)) return undefined;
  if (/^\d[\d_]*_\d+$/.test(text)) return `expected a number without "_"`;
  if (/^\d+(?:\.\d+)?e[+-]?\d+$/i.test(text)) return "expected a number with all its digits";
  const isWord = key !== "kernel.printk_devkmsg" && /^(?:yes|no|on|off|true|false)$/i.test(text);
  return isWord && typeof given === "string" ? "expected 1 or 0 instead of a word" : undefined;
}

export const sysctlParameters: z.ZodType<SysctlParameters> = z
  .object({
    adopt: z.boolean().default(false).describe("replace a drop-in file that meshctl did not write"),
    "net.ipv4.tcp_tw_reuse": valueThat((text) => /^[012]$/.test(text), "0, 1 or 2 (2: loopback only)")
      .prefault("1")
      .describe("use a connection's ports again while it is in TIME_WAIT; outgoing connections only"),
    [PORT_RANGE]: valueThat(isPortRange, `two ports, the lower first, for example "1024 65023"`)
      .prefault("1024 65023")
      .describe("ports that outgoing connections take"),
    "net.ipv4.tcp_max_syn_backlog": wholeNumber.prefault("10240").describe("half-open connections kept"),
    "net.ipv4.tcp_fin_timeout": wholeNumber
      .prefault("15")
      .describe("seconds that an orphaned connection waits in FIN_WAIT_2"),
    // listen(2) is capped by it, so without it the longer backlog means nothing (4096 since Linux 5.4).
    "net.core.somaxconn": wholeNumber.prefault("10240").describe("connections that may wait for accept(2)"),
    [RESERVED_PORTS]: valueThat(
      (text) => parsePortRanges(text) !== undefined,
      `ports and ranges, for example "9000,9100-9110"`,
    )
      .optional()
      .describe("ports to keep from outgoing connections, beside the mesh's own and those reserved already"),
    "net.ipv4.tcp_tw_recycle": z
      .never({ error: "was removed in Linux 4.12: it broke clients behind NAT; leave it out" })
      .optional()
      .describe("no kernel has it since Linux 4.12: leave it out"),
  })
  .catchall(value)
  .superRefine(
    (parameters, context) => {
      if (typeof parameters !== "object" || parameters === null) return;
      for (const [key, given] of Object.entries(parameters)) {
        const misread = key === "adopt" ? undefined : misreadBy(key, given);
        if (misread !== undefined) context.addIssue({ code: "custom", path: [key], message: misread });
        // A map is told of by its own.
        if (key === "adopt" || (typeof given === "object" && given !== null)) continue;
        if (KEY.test(key) && !CHECKED.has(key)) {
          const near = nearestName(key, CHECKED);
          if (near !== undefined)
            context.addIssue({
              code: "custom",
              path: [key],
              params: { at: "key" },
              message: `is no kernel setting; did you mean '${near}'?`,
            });
        }
        if (KEY.test(key)) continue;
        context.addIssue({
          code: "custom",
          path: [key],
          params: { at: "key" },
          message: `is neither "adopt" nor a kernel setting under net., vm., fs. or kernel${wholeName(key)}`,
        });
      }
    },
    // A wrong value elsewhere must not hide a wrong key.
    { when: () => true },
  )
  .transform(({ adopt, ...given }) => ({
    adopt,
    settings: new Map(
      Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
  }));

const FOLDERS: readonly (readonly [RegExp, string])[] = [
  [/^(?:tcp|ip|udp)_/, "net.ipv4"],
  [/^(?:somaxconn|netdev_\w+|[rw]mem_\w+)$/, "net.core"],
  [/^(?:swappiness|overcommit_\w+|max_map_count|dirty_\w+|min_free_kbytes|vfs_cache_pressure)$/, "vm"],
  [/^(?:file-max|nr_open|aio-max-nr)$/, "fs"],
  [/^(?:pid_max|panic|threads-max|shm\w+|msg\w+)$/, "kernel"],
];

/** Articles name them by their last word alone. */
function wholeName(key: string): string {
  const dotted = key.replaceAll("/", ".").replace(/^\.proc\.sys\./, "");
  if (dotted !== key && KEY.test(dotted)) return `; did you mean '${dotted}'?`;
  const folder = FOLDERS.find(([words]) => words.test(key))?.[1];
  return folder === undefined ? "." : `; did you mean '${folder}.${key}'?`;
}
