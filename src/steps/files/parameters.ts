import * as z from "zod";
import { command, commandTimeout, shellText } from "../../inventory/command-schema.ts";
import { Secret } from "../../secret.ts";

const PATH = "expected an absolute path of a file without '.', '..' or '//' in it";
const TEXT = "expected text, or a reference: !env NAME, !file PATH or !command [PROGRAM, ARGUMENT]";
const NAME = "expected a name as Debian has them: a–z, 0–9, '_' and '-', beginning with a letter or '_'";
const MODE = 'expected four octal digits in quotes, like "0640"';
const PACKAGE = "expected the name of a Debian package";
const UNIT = "expected the name of a systemd unit with its ending, like app.service";

const path = z
  .string()
  .regex(/^(?:\/(?!\.{1,2}(?:\/|$))[^/\p{C}]+)+$/u, { error: PATH })
  .max(1000, { error: PATH });

const name = z.string({ error: NAME }).regex(/^[a-z_][a-z0-9_-]{0,31}$/, { error: NAME });

const file = z.strictObject({
  content: z
    .union([z.string(), z.instanceof(Secret)], { error: TEXT })
    .refine((text) => text instanceof Secret || !/[\0\p{Surrogate}]/u.test(text), {
      error: "holds a NUL character, or is not Unicode",
    })
    .optional()
    .describe("its whole text; by reference when it is a secret"),
  src: z
    .string()
    .min(1)
    .optional()
    .describe(
      "instead: a file on the machine meshctl runs on, found from the folder of the file that names it",
    ),
  secret: z
    .boolean()
    .default(false)
    .describe("whether the content of `src` is masked wherever it would be shown"),
  owner: name.default("root").describe("user that it belongs to"),
  group: name.optional().describe("group that it belongs to; default: the owner's namesake"),
  mode: z
    .string({ error: MODE })
    .regex(/^[0-7]{4}$/, { error: MODE })
    .default("0644")
    .describe("permissions, four octal digits in quotes"),
});

const unit = z.strictObject({
  enabled: z.boolean().optional().describe("whether it starts at boot; default: as it is"),
  running: z.boolean().optional().describe("whether it runs; default: as it is"),
  on_change: z
    .enum(["restart", "reload", "nothing"])
    .optional()
    .describe(
      "what becomes of it, if it runs, when a file that it goes by is written; default: restart of a service, nothing of another unit",
    ),
  files: z.array(path).optional().describe("files of this step that it goes by; default: all of them"),
});

const check = z.union([
  shellText.transform((run) => ({ run, timeoutMs: CHECK_TIMEOUT_MS })),
  z
    .strictObject({
      run: command.describe("text that the shell reads, or a list of a program and its arguments"),
      timeout: commandTimeout
        .optional()
        .describe("how long it is tried again, each second, until it ends with 0; default: 30s"),
    })
    .transform(({ run, timeout = CHECK_TIMEOUT_MS }) => ({ run, timeoutMs: timeout })),
]);

const CHECK_TIMEOUT_MS = 30_000;

export const filesParameters = z.strictObject({
  files: z.record(path, file).default({}).describe("path of each file, and what it is to be"),
  packages: z
    .array(z.string({ error: PACKAGE }).regex(/^[a-z0-9][a-z0-9+.-]{0,99}$/, { error: PACKAGE }))
    .default([])
    .describe("Debian packages that are to be installed"),
  units: z
    .record(
      z
        .string()
        .regex(/^[A-Za-z0-9_][A-Za-z0-9:_.\\@-]{0,240}\.(?:service|socket|timer|path|mount|target)$/, {
          error: UNIT,
        }),
      unit,
    )
    .default({})
    .describe("systemd units, and whether they start at boot and run"),
  check: check
    .optional()
    .describe("command that is run as root after each change; one that fails gets the old files back"),
  adopt: z.boolean().default(false).describe("replaces files that are not meshctl's"),
});

export type FilesParameters = z.output<typeof filesParameters>;
