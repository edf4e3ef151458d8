import { setTimeout as sleep } from "node:timers/promises";
import { EXIT } from "../engine/exit-code.ts";
import { runName } from "../engine/run-name.ts";
import { load } from "./load.ts";
import { type Look, type LookFlags, lookoutOf } from "./lookout.ts";
import { tells } from "./options.ts";
import { statusPage } from "./page/status-page.ts";
import { isInteractive, remotesOf } from "./remotes.ts";
import { eventLine } from "./report/ndjson.ts";
import { ReportFile } from "./report/report-file.ts";
import { statusEvents } from "./report/status-events.ts";
import { stopSignal, unlessStopped } from "./stop-signal.ts";
import { LiveScreen } from "./ui/live-screen.ts";
import { paintFor } from "./ui/paint.ts";
import { Progress } from "./ui/progress.ts";
import { statusView } from "./ui/status-view.ts";
import { widthOf } from "./ui/wrapped.ts";
import { version } from "./version.ts";

export interface StatusFlags extends LookFlags {
  /** Seconds between two looks. */
  readonly watch?: number;
  /** File for a page of each look, which replaces that of the one before. */
  readonly html?: string;
}

/** Looks at the mesh, once or until ^C, and shows it. Returns the exit code. Changes nothing. */
export async function statusCommand(flags: StatusFlags): Promise<number> {
  const loaded = await load(flags);
  const progress = new Progress(process.stderr, {
    paint: paintFor(process.stderr, flags.color),
    verbose: false,
  });
  const remotes = remotesOf(loaded.inventory, progress, isInteractive(flags), tells(flags, 2));
  const lookout = lookoutOf(loaded, flags, remotes, progress);
  const page = flags.html === undefined ? undefined : new ReportFile("--html", flags.html);
  const stop = stopSignal();
  const show = screenFor(flags, runName());
  try {
    progress.see({ event: "run", command: "status", hosts: lookout.observed, steps: [] });
    for (;;) {
      const seen = await unlessStopped(lookout.look(), stop.signal);
      progress.end();
      if (seen === undefined) break;
      show.see(seen);
      const files = [...loaded.inventoryFiles, loaded.playbookFile];
      page?.write(statusPage(seen, { files, version, madeAt: new Date() }));
      if (flags.watch === undefined) return seen.exitCode;
      await sleep(flags.watch * 1000, undefined, { signal: stop.signal }).catch(() => {});
      if (stop.signal.aborted) break;
    }
    return EXIT.interrupted;
  } finally {
    progress.end();
    page?.end();
    show.end(stop.signal.aborted);
    stop.unwatch();
    await remotes.end();
  }
}

interface StatusScreen {
  see(look: Look): void;
  end(isInterrupted: boolean): void;
}

/** Events, a page that is drawn anew in place, or blocks one after another. */
function screenFor(flags: StatusFlags, run: string): StatusScreen {
  const { stdout } = process;
  if (flags.json) {
    const write = (event: Record<string, unknown>) => stdout.write(eventLine(run, event));
    return {
      see: (look) => {
        for (const event of statusEvents(look)) write(event);
      },
      end: (isInterrupted) => {
        if (isInterrupted) write({ event: "summary", command: "status", exit_code: EXIT.interrupted });
      },
    };
  }
  const paint = paintFor(stdout, flags.color);
  const verbose = tells(flags, 1);
  let live: LiveScreen | undefined;
  return {
    see: ({ status, durationMs }) => {
      const page = statusView(status, { paint, columns: widthOf(stdout, 120), verbose });
      if (flags.watch === undefined) {
        stdout.write(`${page}\n`);
        return;
      }
      const clock = new Date().toLocaleTimeString("en-GB");
      const title = `meshctl status · ${clock} · looked in ${(durationMs / 1000).toFixed(1)} s · every ${flags.watch} s, ^C ends`;
      if (stdout.isTTY === true) {
        // Only now: hosts may have been asked about before, and questions belong on the first screen.
        live ??= new LiveScreen(stdout);
        live.show(`${paint.dim(title)}\n\n${page}`);
      } else {
        stdout.write(`${title}\n\n${page}\n\n`);
      }
    },
    end: () => live?.end(),
  };
}
