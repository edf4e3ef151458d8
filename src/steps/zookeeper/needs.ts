import type { Needs } from "../../daemon/look-at-surroundings.ts";
import { RECORDS } from "../../daemon/place.ts";
import type { ZookeeperDesired } from "./desired.ts";
import { argvOf, myidPath, ZOO_CFG } from "./render.ts";

/** What the server's user does with which path when it starts. */
export function needsOf(desired: ZookeeperDesired): Needs {
  const { dataDir } = desired;
  const version = `${dataDir}/version-2`;
  const argv = argvOf(desired);
  const jars = argv[argv.indexOf("-cp") + 1]!.split(":");
  const own = dataDir;
  return {
    access: [
      { path: argv[0]!, to: "execute" },
      ...jars.map((path) => ({ path, to: "read" }) as const),
      { path: ZOO_CFG, to: "read" },
      { path: myidPath(desired), to: "read", own },
      { path: version, to: "enter", own },
      { path: version, to: "write", own },
      { path: `${version}/*`, to: "read", own },
      // It writes beside the file and then renames.
      { path: `${version}/currentEpoch.tmp`, to: "write", own },
      { path: `${version}/acceptedEpoch.tmp`, to: "write", own },
    ],
    places: [dataDir, version, ZOO_CFG, RECORDS].map((path) => ({ path, isData: true })),
    room: dataDir,
  };
}
