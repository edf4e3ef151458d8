import { Command, Option } from "commander";
import { type RunFlags, withHtml, withJunit, withRunFlags, withShard, withWait } from "../options.ts";

interface VerifyFlags extends RunFlags {
  readonly explain?: string;
  readonly record?: string;
  readonly from?: string;
  readonly html?: string;
  readonly prometheus?: string;
  readonly booted?: true;
  readonly proveBoot?: true;
}

export const verify = withHtml(withJunit(withWait(withShard(withRunFlags(new Command("verify"))))))
  .description("show what is wanted, on disk and in force, side by side; change nothing")
  .option(
    "--explain <setting>",
    "how each layer of a setting was read and its verdict made, for example '*fin_timeout' (a glob)",
  )
  .option("--record <file>", "keep what the hosts answer, with secrets masked, for --from")
  .addOption(
    new Option("--from <file>", "judge what --record kept, with these files; ask no host").conflicts([
      "record",
      "waitForSsh",
    ]),
  )
  .option(
    "--prometheus <file>",
    "write the counts of verdicts for node_exporter's textfile collector, for example verify.prom",
  )
  .option("--booted", "count a host that has not booted since its last change as drift (exit code 2)")
  .option("--prove-boot", "the same as --booted")
  .action(async (flags: VerifyFlags) => {
    const { runCommand } = await import("../run-command.ts");
    const { explain, record, from, html: htmlFile, prometheus: prometheusFile } = flags;
    const demandsBoot = flags.booted === true || flags.proveBoot === true;
    process.exitCode = await runCommand(
      { command: "verify", explain, record, from, htmlFile, prometheusFile, demandsBoot },
      flags,
    );
  });
