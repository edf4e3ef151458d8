/** A process that starts a lab and never takes it down: `owner.ts NAME`. Tests kill it. */
import { startLab } from "./lab.ts";

await startLab({ name: process.argv[2]!, hosts: 1 });
console.log("up");
setInterval(() => {}, 60_000);
