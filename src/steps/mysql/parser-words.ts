import type { Answer } from "../../reader/answer.ts";
import type { DatabaseWords } from "../../reader/reader.ts";
import { OPTIONS_COMPARED } from "./as-it-runs.ts";
import type { ParserFacts } from "./facts.ts";

const SETTING = /^innodb-(?:buffer-pool-size|log-file-size|redo-log-capacity|flush-log-at-trx-commit) +(\S+)/;
/** Places that the server goes to beside its data. */
const PATH =
  /^(socket|log-error|log-bin|pid-file|tmpdir|init-file|innodb-data-home-dir|innodb-log-group-home-dir|innodb-undo-directory) +(\S.*)$/;

/** What the server made of its options, and of them again where it checks them for names that it does not know. */
export function parserFacts(
  options: Answer<DatabaseWords>,
  validation: Answer<DatabaseWords> | undefined,
): ParserFacts {
  const asked = [options, ...(validation === undefined ? [] : [validation])];
  const said = asked.flatMap((answer) => (answer.is === "value" ? [answer.value] : []));
  const lines = said.flatMap((words) => words.lines).map((line) => line.replaceAll("\t", " "));
  const values = new Map<string, number>();
  for (const line of lines) {
    const name = line.split(" ", 1)[0]!.replaceAll("-", "_");
    const [, value] = SETTING.exec(line) ?? [];
    if (value !== undefined) values.set(name, Number(value));
    const [, persisted] = /^persisted-globals-load +(\S+)/.exec(line) ?? [];
    if (persisted !== undefined) values.set(name, persisted === "FALSE" ? 0 : 1);
  }
  const behind = (pattern: RegExp) =>
    lines.flatMap((line) => (pattern.test(line) ? [line.replace(pattern, "")] : []));
  const [failure] = asked.flatMap((answer) =>
    answer.is === "value" ? [] : [answer.is === "absent" ? "it is not there any more" : answer.because],
  );
  return {
    version: /\bVer (\S+)/.exec(lines.find((line) => / Ver [0-9]/.test(line)) ?? "")?.[1] ?? "",
    groups: new Set((behind(/^The following groups are read: /)[0] ?? "").split(" ")),
    values,
    errors: lines.filter((line) => /\[ERROR\]|^error: /.test(line)),
    exitCodes: said.map(({ exitCode }) => exitCode),
    dataDirectory: behind(/^datadir +/)[0],
    paths: new Map(
      lines.flatMap((line) => {
        const [, name, path] = PATH.exec(line) ?? [];
        return name === undefined ? [] : [[name, path!] as const];
      }),
    ),
    says: new Map(
      OPTIONS_COMPARED.flatMap((option) => {
        const said = lines.find((line) => line.startsWith(`${option} `));
        return said === undefined ? [] : [[option, said.slice(option.length).trim()] as const];
      }),
    ),
    unread: failure,
  };
}
