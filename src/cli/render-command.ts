import { ConfigurationError } from "../errors.ts";
import { load } from "./load.ts";
import type { FileOptions } from "./options.ts";
import { type RenderedText, renderedFiles } from "./rendered-files.ts";
import { paintFor } from "./ui/paint.ts";

export interface RenderFlags extends FileOptions {
  readonly file?: string;
  readonly os: string;
  readonly arch: string;
  /** Bytes. */
  readonly memory: number;
}

/** Prints what would be written on a bare host. Throws ConfigurationError; touches no host. */
export async function renderCommand(name: string, flags: RenderFlags): Promise<void> {
  const machine = { os: { codename: flags.os }, architecture: flags.arch, memoryBytes: flags.memory };
  const files = renderedFiles(name, await load(flags), machine);
  if (flags.file !== undefined) print(fileAt(flags.file, files).text);
  else if (flags.json) print(`${JSON.stringify(files.map(asJson), null, 2)}\n`);
  else {
    print(files.map((file) => `${view(file, flags)}\n`).join(""));
    const memory = `${flags.memory / 2 ** 30} GiB`;
    process.stderr.write(
      `As on a bare host of Debian ${flags.os}, ${flags.arch}, ${memory}: --os, --arch and --memory tell another.\n` +
        `Against what the host has: meshctl plan -l ${name} -v\n`,
    );
  }
}

function fileAt(path: string, files: readonly RenderedText[]): RenderedText {
  const found = files.find((file) => file.path === path);
  if (found !== undefined) return found;
  const paths = files.map((file) => `  ${file.path}`).join("\n");
  throw new ConfigurationError(`--file: meshctl writes no ${path} on this host; it writes\n${paths}`);
}

function asJson({ path, step, mode, owner, notes, text }: RenderedText): object {
  return { path, step, mode, owner, notes, content: text };
}

function view({ path, step, mode, owner, notes, text }: RenderedText, flags: RenderFlags): string {
  const paint = paintFor(process.stdout, flags.color);
  const title = `${paint.bold(`── ${path}`)} ${paint.dim(`${mode} ${owner} · ${step}`)}`;
  return [title, ...notes.map((note) => paint.yellow(`   ! ${note}`)), text].join("\n");
}

function print(text: string): void {
  process.stdout.write(text);
}
