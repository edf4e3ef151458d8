import type { Needs } from "../../daemon/look-at-surroundings.ts";
import { RECORDS } from "../../daemon/place.ts";
import type { ZookeeperDesired } from "./desired.ts";
import { argvOf, myidPath, ZOO_CFG } from "./render.ts";

/** Java, the server and what its class path leads to. */
const PACKAGES =
  "zookeeper|libzookeeper-java|libslf4j-java|libnetty-java|libjute-java|liblog4j.*-java|libcommons-(?:cli|lang|io).*-java|openjdk-\\d+-jre-headless";

/** What the server's user does with which path when it starts. */
export function needsOf(desired: ZookeeperDesired): Needs {
  const { dataDir, dataLogDir } = desired;
  const version = `${dataDir}/version-2`;
  const argv = argvOf(desired);
  const jars = argv[argv.indexOf("-cp") + 1]!.split(":");
  const own = dataDir;
  const directories = [dataDir, ...(dataLogDir === undefined ? [] : [dataLogDir])].flatMap((path) => [
    path,
    `${path}/version-2`,
  ]);
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
      { path: `${version}/currentEpoch`, to: "replace", own },
      { path: `${version}/acceptedEpoch`, to: "replace", own },
      ...(dataLogDir === undefined ? [] : logAccess(dataLogDir)),
    ],
    places: [...directories, ZOO_CFG, RECORDS].map((path) => ({ path, isData: true })),
    // A member that finds no room for its log or for a snapshot ends.
    room: dataLogDir === undefined ? [dataDir] : [dataDir, dataLogDir],
    packages: PACKAGES,
  };
}

function logAccess(own: string): Needs["access"] {
  const version = `${own}/version-2`;
  return [
    { path: version, to: "enter", own },
    { path: version, to: "write", own },
    { path: `${version}/*`, to: "read", own },
  ];
}
