import { type Answer, reasonOf } from "../reader/answer.ts";
import type {
  AlteredFile,
  CleaningLine,
  PathAccess,
  Place,
  Reader,
  Space,
  TmpfilesLine,
  UnitProperties,
} from "../reader/reader.ts";
import type { Need } from "./access.ts";
import { type PlaceNeed, unitsToAsk } from "./place.ts";

/** What decides what a unit's processes may do, and what it makes for them. */
const PROPERTIES = (
  "LoadState User Group SupplementaryGroups DynamicUser ProtectSystem ProtectHome ReadWritePaths ReadOnlyPaths " +
  "InaccessiblePaths NoExecPaths ExecPaths BindPaths BindReadOnlyPaths TemporaryFileSystem PrivateTmp StateDirectory " +
  "LogsDirectory CacheDirectory RuntimeDirectory ExecStartPre RootDirectory RootImage RequiresMountsFor"
).split(" ");
const MOUNT_UNIT = ["LoadState", "FragmentPath", "SourcePath", "WantedBy", "RequiredBy"];
const TMPFILES = "systemd-tmpfiles-setup.service";

/** What a service needs around it at its next start. */
export interface Needs {
  readonly access: readonly Need[];
  readonly places: readonly PlaceNeed[];
  /** Directories below /run. */
  readonly made?: readonly string[];
  /** Directories that must have room. */
  readonly room?: readonly string[];
  /** Packages of which it runs or reads files: a pattern of their whole names. */
  readonly packages?: string;
  /** Users of the host beside the unit's own that it becomes. */
  readonly becomes?: readonly string[];
}

/** Every program that looks up names of users or hosts reads these, if they are there. */
const LOOKED_UP = ["/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/hosts"].map(
  (path): Need => ({ path, to: "read" }),
);

/** What was read of them. */
export interface SurroundingsFacts {
  readonly unitName: string;
  readonly unit: Answer<UnitProperties>;
  readonly user: string;
  readonly needs: Needs;
  /** Of each of the needs, in their order. */
  readonly access: Answer<readonly PathAccess[]>;
  /** Of each path that is needed or a place. */
  readonly places: ReadonlyMap<string, Answer<Place>>;
  readonly mountUnits: ReadonlyMap<string, Answer<UnitProperties>>;
  readonly made: ReadonlyMap<string, Answer<readonly TmpfilesLine[]>>;
  /** What systemd-tmpfiles deletes or alters of each place. */
  readonly cleans: ReadonlyMap<string, Answer<readonly CleaningLine[]>>;
  /** The unit that makes them, where any are made. */
  readonly tmpfiles: Answer<UnitProperties> | undefined;
  /** Of each directory that must have it. */
  readonly room: ReadonlyMap<string, Answer<Space>>;
  readonly packages: Answer<{ readonly unread: number; readonly files: readonly AlteredFile[] }> | undefined;
  /** Of each user that it becomes. */
  readonly becomes: ReadonlyMap<string, Answer<unknown>>;
}

/** Asks what `lookAtSurroundings` begins with, before it is known whether the unit matters. */
export function askSurroundings(reader: Reader, name: string): Promise<unknown> {
  return Promise.all([reader.unit(name, PROPERTIES), askTmpfiles(reader)]);
}

function askTmpfiles(reader: Reader): Promise<Answer<UnitProperties>> {
  return reader.unit(TMPFILES, ["LoadState", "DropInPaths"]);
}

/**
 * What a unit's user may do with the paths that it needs, and whether those come back at boot. Two round trips, three where
 * something is mounted that fstab does not tell. `hasMade`: some of the needs are made at boot. Undefined where systemd does not have the unit.
 */
export async function lookAtSurroundings(
  reader: Reader,
  unitName: string,
  needs: Needs | Promise<Needs>,
  hasMade = false,
): Promise<SurroundingsFacts | undefined> {
  const [unit, tmpfiles, own] = await Promise.all([
    reader.unit(unitName, PROPERTIES),
    hasMade ? askTmpfiles(reader) : undefined,
    needs,
  ]);
  const text = (property: string) => (unit.is === "value" ? (unit.value.get(property)?.at(-1) ?? "") : "");
  if (unit.is === "absent" || (unit.is === "value" && text("LoadState") !== "loaded")) return undefined;
  const user = text("User") || "root";
  const needed = { ...own, access: [...own.access, ...LOOKED_UP] };
  const paths = needed.access.map(({ path }) => path);
  const placed = [
    ...new Set([
      ...needed.places.map(({ path }) => path),
      ...needed.access.filter(({ to }) => to === "load" || to === "execute").map(({ path }) => path),
    ]),
  ];
  const asker = {
    user,
    group: text("Group"),
    groups: text("SupplementaryGroups").split(" ").filter(Boolean),
  };
  const unasked: Answer<readonly PathAccess[]> = { is: "unreadable", because: reasonOf(unit) };
  const [access, places, made, cleans, room, packages, becomes] = await Promise.all([
    unit.is === "value" ? reader.may(asker, paths) : unasked,
    Promise.all(placed.map(async (path) => [path, await reader.place(path)] as const)),
    Promise.all((needed.made ?? []).map(async (path) => [path, await reader.made(path)] as const)),
    // Logs are made to be cleaned.
    Promise.all(
      needed.places
        .filter(({ isData }) => isData)
        .map(async ({ path }) => [path, await reader.cleans(path)] as const),
    ),
    Promise.all((needed.room ?? []).map(async (path) => [path, await reader.space(path)] as const)),
    needed.packages === undefined ? undefined : reader.alteredFiles(needed.packages),
    Promise.all((needed.becomes ?? []).map(async (name) => [name, await reader.user(name)] as const)),
  ]);
  const names = new Set(places.flatMap(([, place]) => (place.is === "value" ? unitsToAsk(place.value) : [])));
  const mountUnits = await Promise.all(
    [...names].map(async (name) => [name, await reader.unit(name, MOUNT_UNIT)] as const),
  );
  return {
    unitName,
    unit,
    user,
    needs: needed,
    access,
    places: new Map(places),
    mountUnits: new Map(mountUnits),
    made: new Map(made),
    cleans: new Map(cleans),
    tmpfiles,
    room: new Map(room),
    packages,
    becomes: new Map(becomes),
  };
}
