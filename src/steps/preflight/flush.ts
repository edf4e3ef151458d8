import type { Reading } from "../../contract/reading.ts";
import { zookeeperQuestion } from "../../evidence/by-hand.ts";
import { check, unread } from "./check.ts";
import type { PreflightDesired } from "./desired.ts";
import type { Flush, PreflightFacts } from "./facts.ts";
import { showMilliseconds } from "./milliseconds.ts";

/**
 * ZooKeeper answers a write once a majority has it on disk, so a disk that is slow to flush slows the ensemble. What
 * counts is what ZooKeeper itself waited (mntr, since 3.6); before it runs, ten small writes where its data will be.
 */
export function flushReadings(
  { member, flushLatencyMaxMs }: PreflightDesired,
  { flush }: PreflightFacts,
): readonly Reading[] {
  if (member === undefined) return [];
  const row = { setting: "disk latency", want: `at most ${flushLatencyMaxMs} ms a flush` };
  if (flush === undefined || flush.from === "unread") {
    const because = `how long a flush takes could not be measured in ${flush?.directory ?? member.logDir} (${flush?.because ?? "nothing was printed"}), and the kernel counts none: put zookeeper.data_dir (or data_log_dir) on a local disk`;
    return [unread({ ...row, source: "10 flushed writes", because })];
  }
  const { ms, found, source } = timeOf(flush);
  return [
    check({
      ...row,
      found,
      source,
      fine: ms <= flushLatencyMaxMs,
      because: `a flush takes ${found}, and ZooKeeper waits for one at every write: give it a faster disk (zookeeper.data_dir, or data_log_dir for its log alone), or raise preflight.flush_latency_max and live with slow writes`,
    }),
  ];
}

function timeOf(flush: Exclude<Flush, { from: "unread" }>): {
  readonly ms: number;
  readonly found: string;
  readonly source: string;
} {
  switch (flush.from) {
    case "zookeeper":
      return {
        ms: flush.meanMs,
        // It counts whole milliseconds, rounded down.
        found: `${flush.meanMs < 1 ? "under 1 ms" : showMilliseconds(flush.meanMs)}, the mean of the ${flush.count} that ZooKeeper made`,
        source: zookeeperQuestion(flush.at, "mntr"),
      };
    case "measured": {
      const ms = median(flush.milliseconds);
      const worst = showMilliseconds(Math.max(...flush.milliseconds));
      const file = `${flush.directory === "/" ? "" : flush.directory}/meshctl-flush`;
      return {
        ms,
        found: `${showMilliseconds(ms)}, the median of ${flush.milliseconds.length} writes (at most ${worst})`,
        source: `dd if=/dev/zero of=${file} bs=512 count=10 oflag=dsync 2>&1; rm ${file}`,
      };
    }
    case "kernel": {
      const ms = flush.totalMs / flush.count;
      return {
        ms,
        found: `${showMilliseconds(ms)}, the mean of the disk's ${flush.count} since boot`,
        source: flush.file,
      };
    }
  }
}

/** What half of the writes do not exceed: one that something else held up does not count. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)]!;
}
