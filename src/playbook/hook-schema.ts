import * as z from "zod";
import type { Hook } from "../contract/hook.ts";
import { command, commandTimeout, shellText } from "../inventory/command-schema.ts";

const DEFAULT_TIMEOUT_MS = 60_000;

const text = shellText.transform(
  (line): Hook => ({ command: line, timeoutMs: DEFAULT_TIMEOUT_MS, per: "host" }),
);
const map = z
  .strictObject({
    run: command.describe(
      "the command, run as root: text that the shell reads, or a list of a program and its arguments",
    ),
    timeout: commandTimeout
      .optional()
      .describe("after which it is ended and has failed, like 30s; default: 60s"),
    per: z
      .enum(["host", "wave"])
      .default("host")
      .describe("on each host that is changed, or once for a wave, on its first host"),
  })
  .transform(
    ({ run, timeout = DEFAULT_TIMEOUT_MS, per }): Hook => ({ command: run, timeoutMs: timeout, per }),
  );
const alone = (one: Hook): readonly Hook[] => [one];

/** `before` or `after` of a play or a step: one command or several, in their order. */
export const hooks = z.union([text.transform(alone), map.transform(alone), z.array(z.union([text, map]))]);

/** The keys of a play, and of a step in it. */
export const hookKeys = {
  before: hooks
    .optional()
    .describe("commands that run before a host is changed; one that fails keeps the change from being made"),
  after: hooks
    .optional()
    .describe(
      "commands that run when the change is proven; one that fails stops the run, and what was changed is put back",
    ),
};
