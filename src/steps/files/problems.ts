import type { Owned } from "../../contract/step.ts";
import { Secret } from "../../secret.ts";
import { readSource } from "./desired.ts";
import type { FilesParameters } from "./parameters.ts";

interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Step → what it, or its service, writes and runs. */
export type OwnedBySteps = ReadonlyMap<string, Owned>;

/** What is wrong beyond single values: files of two sources or none, and what others than this step decide about. */
export function filesProblems(owned: OwnedBySteps) {
  return ({ files, units }: FilesParameters): readonly Problem[] => [
    ...Object.entries(files).flatMap(([path, file]) => {
      const at = ["files", path];
      const place = placeProblem(path, Object.keys(files)) ?? ownerOfPath(path, owned);
      if (place !== undefined) return [{ path: at, message: place }];
      const problem = contentProblem(file);
      return problem === undefined ? [] : [{ path: [...at, ...problem.at], message: problem.message }];
    }),
    ...Object.entries(units).flatMap(([name, unit]) => {
      const at = ["units", name];
      const owner = ownerOfUnit(name, owned);
      if (owner !== undefined) return [{ path: at, message: owner }];
      return (unit.files ?? []).flatMap((path, index) =>
        Object.hasOwn(files, path)
          ? []
          : [{ path: [...at, "files", index], message: `${path} is not among the step's files` }],
      );
    }),
  ];
}

/** What is wrong with the source of a file's text, and at which of its keys. */
function contentProblem({
  content,
  src,
  secret,
}: FilesParameters["files"][string]):
  | { readonly at: readonly string[]; readonly message: string }
  | undefined {
  if (content === undefined && src === undefined) return { at: [], message: "needs 'content' or 'src'" };
  if (src === undefined) {
    if (!secret || content instanceof Secret) return undefined;
    return {
      at: ["secret"],
      message:
        "a secret does not stand in this file: write its content as !env NAME, !file PATH or !command, or name a file as 'src'",
    };
  }
  if (content !== undefined)
    return { at: ["src"], message: "stands beside 'content': leave one of them out" };
  const read = readSource(src);
  return "problem" in read ? { at: ["src"], message: read.problem } : undefined;
}

function placeProblem(path: string, paths: readonly string[]): string | undefined {
  if (/^\/(?:proc|sys|dev)\//.test(path)) return "is the kernel's, and no file";
  if (/^\/(?:run|tmp|var\/run)\//.test(path)) return "is gone after a reboot: name a place that lasts";
  const below = paths.find((other) => other.startsWith(`${path}/`));
  return below === undefined ? undefined : `is to be a file and a folder at once: ${below} is in it`;
}

/** What meshctl keeps, and what its units and drop-ins are called. */
const MESHCTLS = /(?:^|[/.-])meshctl(?:[/.-]|$)/;

function ownerOfPath(path: string, owned: OwnedBySteps): string | undefined {
  if (MESHCTLS.test(path)) return "is meshctl's own: choose a name without 'meshctl' in it";
  for (const [step, { paths }] of owned) {
    const isOwned = paths.some((each) => (each.endsWith("/") ? path.startsWith(each) : path === each));
    if (isOwned) return `is the ${step} step's: say there what is to be in it`;
  }
  return undefined;
}

function ownerOfUnit(name: string, owned: OwnedBySteps): string | undefined {
  if (name.startsWith("meshctl-")) return "is meshctl's own";
  for (const [step, { units }] of owned)
    if (units.includes(name)) return `is the ${step} step's, which starts and restarts it`;
  return undefined;
}
