import { read } from "../reader/answer.ts";
import type { Reader } from "../reader/reader.ts";

/** Where Ruby looks before its own library. */
const LOCAL = "/usr/local/lib/site_ruby";

/** A file that Ruby loads instead of one of its own. */
export interface ShadowingFile {
  readonly path: string;
  /** Seconds since 1970. */
  readonly changed: number;
}

/** Files of an administrator's by names of Ruby's own. What `gem update --system` brings is RubyGems itself, and meant. */
export async function lookAtShadows(reader: Reader): Promise<readonly ShadowingFile[]> {
  const versions = read(await reader.list(LOCAL, "^\\d[\\d.]*$"), LOCAL) ?? [];
  const paths = await Promise.all(
    versions.map(async ({ name }) => {
      const [mine, own] = await Promise.all(
        [`${LOCAL}/${name}`, `/usr/lib/ruby/${name}`].map((path) => namesIn(reader, path)),
      );
      return mine!.filter((each) => own!.includes(each)).map((each) => `${LOCAL}/${name}/${each}`);
    }),
  );
  return Promise.all(
    paths.flat().map(async (path) => ({ path, changed: read(await reader.stat(path), path)?.changed ?? 0 })),
  );
}

async function namesIn(reader: Reader, directory: string): Promise<readonly string[]> {
  const entries = read(await reader.list(directory, "\\.rb$"), directory) ?? [];
  return entries.map(({ name }) => name).filter((name) => !/^(?:rubygems|bundler|ubygems)\./.test(name));
}

/** What keeps a program of Ruby's that was started then from its next start, or may. */
export function shadowFindings(
  unit: string,
  files: readonly ShadowingFile[],
  startedAt: number | undefined,
): { readonly blocked: readonly string[]; readonly warnings: readonly string[] } {
  const isNew = ({ changed }: ShadowingFile) => startedAt !== undefined && changed > startedAt;
  const said = (path: string) => `Ruby loads ${path} instead of its own file of that name`;
  return {
    blocked: files
      .filter(isNew)
      .map(
        ({ path }) =>
          `${said(path)}, and ${unit} has not been started with it yet: take it away, or restart ${unit} to see`,
      ),
    warnings: files.filter((file) => !isNew(file)).map(({ path }) => `${said(path)}, and ${unit} with it`),
  };
}
