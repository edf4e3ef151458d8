// Loaded into the meshctl that is measured: writes what it took to the file GAUGE_FILE when it ends.
import { subscribe } from "node:diagnostics_channel";
import { readFileSync, writeFileSync } from "node:fs";

const TICK_MS = 20;

/** What the event loop was held up for, by this process's own computing, before, while and after there were connections. */
const blocks = { before: 0, during: 0, after: 0 };
let phase = "before";
let open = 0;
subscribe("net.client.socket", ({ socket }) => {
  see();
  phase = "during";
  open += 1;
  socket.once("close", () => {
    open -= 1;
    if (open > 0) return;
    see();
    phase = "after";
  });
});

let last = { atMs: performance.now(), cpu: process.cpuUsage() };
function see() {
  const atMs = performance.now();
  const { user, system } = process.cpuUsage(last.cpu);
  // What another process had the processor for is no block of ours; other threads of ours compute beside.
  const block = Math.min(atMs - last.atMs, (user + system) / 1000);
  blocks[phase] = Math.max(blocks[phase], block);
  last = { atMs, cpu: process.cpuUsage() };
}
setInterval(see, TICK_MS).unref();

process.on("exit", () => {
  see();
  const { user, system } = process.cpuUsage();
  // Clock ticks of children that were waited for: ssh -G. Hundredths of a second everywhere that this runs.
  const stat = readFileSync("/proc/self/stat", "latin1")
    .replace(/^.*\) /s, "")
    .split(" ");
  const childrenMs = (Number(stat[13]) + Number(stat[14])) * 10;
  writeFileSync(
    process.env.GAUGE_FILE,
    JSON.stringify({
      cpuMs: (user + system) / 1000 + childrenMs,
      peakBytes: process.resourceUsage().maxRSS * 1024,
      blocks,
    }),
  );
});
