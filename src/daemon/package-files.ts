import { shellWord } from "../command-line.ts";
import type { AlteredFile } from "../reader/reader.ts";
import type { Refusal } from "./access.ts";
import type { SurroundingsFacts } from "./look-at-surroundings.ts";

interface PackageFaults {
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly string[];
  readonly unread: string | undefined;
}

/** What a service will not find at its next start as its packages brought it. `startedAt`: when what runs was started. */
export function packageFaults(
  { packages, user, unit, unitName }: SurroundingsFacts,
  startedAt: number | undefined,
): PackageFaults {
  if (packages?.is === "unreadable") return { refusals: [], warnings: [], unread: packages.because };
  if (packages?.is !== "value") return { refusals: [], warnings: [], unread: undefined };
  const given = unit.is === "value" ? (unit.value.get("Group")?.at(-1) ?? "") : "";
  const group = given === "" ? user : given;
  const refusals: Refusal[] = [];
  const warnings: string[] = [];
  for (const file of packages.value.files) {
    const refuse = (because: string, isClosed = false) =>
      refusals.push({ value: showFile(file), path: file.path, because, isClosed });
    const brought = `what ${file.package} brought`;
    // What an administrator may change dpkg leaves alone unless it is told.
    const isConffile = file.path.startsWith("/etc/");
    const how = isConffile ? " -o Dpkg::Options::=--force-confask,confnew,confmiss" : "";
    const again = `apt-get install --reinstall${how} ${file.package} brings it back`;
    if (file.is === "absent") refuse(`${file.path} is not there, ${brought}: ${again}`);
    else if (file.is === "closed") {
      const isHis = user === "root" || file.owner.split(":").some((name, at) => name === [user, group][at]);
      if (!isHis)
        refuse(
          `${user} may not read ${file.path} (${file.owner} ${file.mode}): chmod a+rX ${shellWord(file.path)}`,
          true,
        );
    } else if (file.size === 0) refuse(`${file.path} is empty, and not ${brought}: ${again}`);
    else if (isConffile && startedAt === undefined) warnings.push(`${file.path} is not ${brought}`);
    else if (startedAt === undefined || file.changed > startedAt)
      refuse(
        `${file.path} is not ${brought}, and ${unitName} has not been started with it yet: ${again} (where dpkg-divert --list names it, dpkg-divert --remove does), or restart ${unitName} to see`,
      );
    else warnings.push(`${file.path} is not ${brought}, and ${unitName} runs with it`);
  }
  const { unread } = packages.value;
  if (unread > 0)
    warnings.push(
      `files of its packages (${unread}) were touched since they were unpacked, and are too large to be compared at each look: dpkg --verify does that`,
    );
  return { refusals, warnings, unread: undefined };
}

function showFile({ path, is, mode, owner }: AlteredFile): string {
  return is === "absent" ? `${path} is not there` : `${path} ${mode} ${owner}`;
}
