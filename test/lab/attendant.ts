/**
 * The process that stays with a lab: `attendant.ts NAME ADDRESS`, started by startLab. It runs the hosts'
 * proxy, and it takes the lab down when its owner dies, however it dies: then its stdin ends without the
 * word `keep`.
 */
import { packageCacheDirectory, proxyPort, startProxy } from "./proxy.ts";
import { removeLab } from "./remove.ts";

const [name, address] = process.argv.slice(2) as [string, string];

// One bad connection must not end the proxy of the whole lab.
process.on("uncaughtException", (error) => console.error(error));
process.on("unhandledRejection", (error) => console.error(error));

let heard = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (chunk: string) => {
  heard += chunk;
  if (heard === "network\n") {
    serve().catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  }
});
process.stdin.on("end", () => {
  if (heard.includes("keep\n")) return;
  removeLab(name).then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

async function serve(): Promise<void> {
  await startProxy({ address, port: proxyPort, cacheDirectory: packageCacheDirectory });
  process.stdout.write("ready\n");
}
