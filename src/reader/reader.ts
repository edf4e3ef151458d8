import { type Answer, mapAnswer, NotUnderstood } from "./answer.ts";
import type { Ask, Fields, Question } from "./protocol.ts";
import { sharedValue } from "./shared-values.ts";

/**
 * A path that is there. A link is followed; one that a user other than root made to another's file is unreadable. From
 * where another than root decides about the path it is read as this user.
 */
export interface FileReading {
  /** "regular", "directory", "fifo", "dangling link" … */
  readonly kind: string;
  /** Octal, four digits. */
  readonly mode: string;
  /** "user:group". */
  readonly owner: string;
  readonly size: number;
  readonly realPath: string;
  /** When its content, mode, owner or name was changed last, in whole seconds since 1970: nobody can set that. */
  readonly changed: number;
}

/** What a file of text holds. */
export interface FileContent extends FileReading {
  /** Undefined of what is no regular file, of what is larger than was asked for, and of what is as it is wanted. */
  readonly content: Buffer | undefined;
  /** sha256 in hex, where content is undefined and it is a regular file. */
  readonly sha256: string | undefined;
}

/** The digest in hex and the size of what a file should hold. */
interface WantedContent {
  readonly sha256: string;
  readonly bytes: number;
}

export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

export interface Entry {
  readonly name: string;
  readonly kind: string;
  readonly owner: string;
  /** Of what a link leads to; "" when that is nothing. */
  readonly targetKind: string;
}

/** One line of a file of systemd's. */
export interface UnitSetting {
  /** From 1. */
  readonly line: number;
  /** "Service". */
  readonly section: string;
  readonly key: string;
  /** Of Environment= the names alone, of credentials nothing. */
  readonly value: string;
}

/** What can be executed at a path. */
export interface ProgramReading {
  /** Why it cannot be, as one clause; "" when it can. */
  readonly because: string;
  readonly realPath: string;
  /** Device and inode; "" when there is none. */
  readonly id: string;
}

/** Those of a unit's properties that may be asked for are listed in reader.pl. */
export type UnitProperties = ReadonlyMap<string, readonly string[]>;

export interface ProcessReading {
  readonly pid: number;
  /** In ticks since boot: with the pid it names the process for good. */
  readonly start: string;
  readonly ageSeconds: number;
  /** As ps shows it: "S", "Z" … */
  readonly state: string;
  readonly owner: string;
  /** What was asked for, in that order. */
  readonly parts: readonly string[];
}

export interface InstalledPackages {
  readonly architecture: string;
  /** By name, without the architecture. */
  readonly versions: ReadonlyMap<string, string>;
}

export interface UserReading {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
  /** The user's own group first. */
  readonly groups: readonly string[];
}

/** What is not as its package brought it. */
export interface AlteredFile {
  readonly path: string;
  readonly package: string;
  /** "closed" to all but its owner and his group. */
  readonly is: "absent" | "closed" | "altered";
  readonly mode: string;
  readonly owner: string;
  readonly size: number;
  /** ctime, in seconds since 1970. */
  readonly changed: number;
}

export interface Space {
  readonly blockBytes: number;
  /** Those that a user other than root may take. */
  readonly freeBlocks: number;
  /** 0 where their number is not fixed. */
  readonly inodes: number;
  readonly freeInodes: number;
}

export interface Mount {
  /** "8:1". */
  readonly device: string;
  readonly point: string;
  readonly fileSystem: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** What the kernel lets a user do with a path. */
export interface PathAccess {
  /** The path, or pattern of them, that was asked for. */
  readonly asked: string;
  /** "closed": a directory on the way may not be entered. */
  readonly state: "there" | "absent" | "closed";
  /** Those of "rwx" that he may. */
  readonly may: string;
  /** Of the others: letter → error, "EACCES", "EROFS", "EPERM" … */
  readonly why: ReadonlyMap<string, string>;
  /** The path without links; of what is closed, the directory. */
  readonly path: string;
  readonly kind: string;
  readonly mode: string;
  readonly owner: string;
}

/** Who asks. */
export interface Asker {
  readonly user: string;
  /** "" is the user's own. */
  readonly group: string;
  /** Beside those that the user is in. */
  readonly groups: readonly string[];
}

/** A line of fstab, without options that may hold secrets. */
export interface FstabLine {
  readonly spec: string;
  readonly point: string;
  readonly type: string;
  readonly options: readonly string[];
}

export interface PlaceMount {
  readonly id: string;
  /** Of the mount that it lies on. */
  readonly parent: string;
  readonly point: string;
  readonly fileSystem: string;
  readonly source: string;
  readonly options: readonly string[];
  /** Where in its file system it begins. */
  readonly root: string;
  /** For each line of fstab, whether this is what it mounts. */
  readonly isLine: readonly (boolean | undefined)[];
}

/** Mounts at and above a path, hidden ones too, in the order they were made. */
export interface Place {
  readonly realPath: string;
  readonly fstab: readonly FstabLine[];
  readonly mounts: readonly PlaceMount[];
}

/** A line of tmpfiles.d. */
export interface TmpfilesLine {
  readonly file: string;
  readonly line: number;
  readonly type: string;
  /** The file that is read instead of this one, or "". */
  readonly instead: string;
}

/** A line of tmpfiles.d by which something is deleted or altered. */
export interface CleaningLine {
  readonly file: string;
  readonly line: number;
  /** "D /srv/data 0750 user group 10d". */
  readonly text: string;
}

/** The host's time in milliseconds since 1970, which it told between these two moments, both by performance.now(). */
export interface ClockReading {
  readonly hostMs: number;
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
}

/** When the host booted, and what was changed since that decides how it boots. Times are seconds since 1970. */
export interface BootReading {
  /** By the host's clock as it is now. */
  readonly bootedAt: number;
  /** By its clock as it was then. */
  readonly bootedAtThen: number;
  /** How many changes there are. */
  readonly count: number;
  /** The newest of them, at most 20, the newest first: a path, "package NAME", or "packages". */
  readonly changes: readonly { readonly what: string; readonly at: number }[];
}

interface RegistryNode {
  readonly name: string;
  readonly data: Buffer;
  /** A session in hex, zeros for a node that outlives its maker. */
  readonly owner: string;
}

/** Name → its addresses, or why none is told. */
export type NamesInDns = ReadonlyMap<string, readonly string[] | { readonly because: string }>;

export interface RegistryReading {
  /** The member that answered: ADDRESS:PORT. */
  readonly member: string;
  /** By path; undefined where there is none. */
  readonly children: ReadonlyMap<string, readonly RegistryNode[] | undefined>;
}

export interface DatabaseWords {
  readonly exitCode: number;
  readonly lines: readonly string[];
}

/**
 * Reads one host, and cannot change it: whatever is asked is answered by reader.pl, which knows questions by name. All
 * that is asked in one tick goes in one round trip: ask first, then wait (`Promise.all`).
 */
export class Reader {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** One that asks the host once more; undefined where nothing else would be answered. */
  anew(): Reader | undefined {
    const ask = this.#ask.anew?.();
    return ask && new Reader(ask);
  }

  async stat(path: string): Promise<Answer<FileReading>> {
    return this.#read(["file", path, "stat"], fileReadingOf);
  }

  /**
   * A file whole, up to 256 KiB. For files that meshctl itself writes, and others without secrets. One that holds what is
   * `wanted` is not sent: only its digest comes.
   */
  async file(path: string, wanted?: WantedContent): Promise<Answer<FileContent>> {
    return this.#content("content", path, wanted);
  }

  /** As `file`, up to 3 MiB: for a file that grows with the mesh. */
  async longFile(path: string, wanted?: WantedContent): Promise<Answer<FileContent>> {
    return this.#content("long", path, wanted);
  }

  /** Of a file that holds a secret: its text does not leave the host, its digest does. */
  async secretFile(path: string): Promise<Answer<FileContent>> {
    return this.#content("digest", path);
  }

  async #content(how: string, path: string, wanted?: WantedContent): Promise<Answer<FileContent>> {
    const question = ["file", path, how, wanted?.sha256 ?? "", `${wanted?.bytes ?? ""}`] as const;
    return this.#read(question, (fields) => {
      const content = fields[7];
      return { ...fileReadingOf(fields), content, sha256: text(fields, 4) || undefined };
    });
  }

  /** The text of a small file, for example below /proc. What is no regular file is unreadable. */
  async text(path: string): Promise<Answer<string>> {
    return textOf(await this.file(path), "256 KiB");
  }

  /** As `text`, of a file that grows with the mesh. */
  async longText(path: string): Promise<Answer<string>> {
    return textOf(await this.longFile(path), "3 MiB");
  }

  /** Those lines of a file that match a pattern of Perl's; the others do not leave the host. */
  async lines(
    path: string,
    pattern: string,
  ): Promise<Answer<FileReading & { readonly lines: readonly Line[] }>> {
    return this.#read(["file", path, "lines", pattern], (fields) => ({
      ...fileReadingOf(fields),
      lines: inGroups(fields.slice(7), 2).map(([number, line]) => ({ number: Number(number), text: line! })),
    }));
  }

  /** The settings in a file of systemd's. */
  async settings(path: string): Promise<Answer<FileReading & { readonly settings: readonly UnitSetting[] }>> {
    return this.#read(["file", path, "settings"], (fields) => ({
      ...fileReadingOf(fields),
      settings: inGroups(fields.slice(7), 4).map(([line, section, key, value]) => {
        return { line: Number(line), section: section!, key: key!, value: value! };
      }),
    }));
  }

  /** Whether the kernel could execute what is at a path: the file, and the interpreter that it names. */
  async program(path: string): Promise<Answer<ProgramReading>> {
    return this.#read(["program", path], (fields) => {
      const [because, realPath, id] = strings(fields, 3);
      return { because: because!, realPath: realPath!, id: id! };
    });
  }

  /**
   * Entries of a directory, sorted by their names, hidden ones too; those that match a pattern of Perl's. More than 1000 are
   * unreadable, unless no more than `most` are asked for, whichever they are.
   */
  async list(directory: string, pattern = "", most?: number): Promise<Answer<readonly Entry[]>> {
    return this.#read(["list", directory, pattern, ...(most === undefined ? [] : [`${most}`])], (fields) =>
      inGroups(fields, 4).map(([name, kind, owner, targetKind]) => {
        return { name: name!, kind: kind!, owner: owner!, targetKind: targetKind! };
      }),
    );
  }

  /** As a user of the host, with the groups that a unit gives him. "DIRECTORY/*" is the first file there that he may not read. */
  async may(
    { user, group, groups }: Asker,
    paths: readonly string[],
  ): Promise<Answer<readonly PathAccess[]>> {
    return this.#read(["may", user, group, groups.join(" "), ...paths], (fields) => {
      const found = inGroups(fields, 7);
      if (found.length !== paths.length) throw new NotUnderstood(`${found.length} paths were told of`);
      return found.map(([state, may, why, path, kind, mode, owner], index) => ({
        asked: paths[index]!,
        state: state === "there" || state === "absent" ? state : "closed",
        may: may!,
        why: new Map(why!.split(",").map((each) => each.split("=", 2) as [string, string])),
        path: path!,
        kind: kind!,
        mode: mode!,
        owner: owner!,
      }));
    });
  }

  /** Which mounts a path is on, and what fstab says of them. */
  async place(path: string): Promise<Answer<Place>> {
    return this.#read(["place", path], ([realPath, count, ...fields]) => {
      const lines = countOf(count?.toString() ?? "");
      const fstab = inGroups(fields.slice(0, lines * 4), 4).map(([spec, point, type, options]) => ({
        spec: spec!,
        point: point!,
        type: type!,
        options: options!.split(","),
      }));
      const mounts = inGroups(fields.slice(lines * 4), 8).map((mount) => {
        const [id, parent, point, fileSystem, source, options, root, isLine] = mount;
        return {
          id: id!,
          parent: parent!,
          point: point!,
          fileSystem: fileSystem!,
          source: source!,
          options: options!.split(","),
          root: root!,
          isLine: [...isLine!].map((letter) => (letter === "?" ? undefined : letter === "y")),
        };
      });
      return { realPath: realPath?.toString() ?? "", fstab, mounts };
    });
  }

  /** Lines of tmpfiles.d about a path, also of files that another one of their name hides. */
  async made(path: string): Promise<Answer<readonly TmpfilesLine[]>> {
    return this.#read(["made", path], (fields) =>
      inGroups(fields, 4).map(([file, line, type, instead]) => ({
        file: file!,
        line: Number(line),
        type: type!,
        instead: instead!,
      })),
    );
  }

  /** Lines of tmpfiles.d by which what is at a path, above or in it is deleted or altered at boot, or deleted by its age. */
  async cleans(path: string): Promise<Answer<readonly CleaningLine[]>> {
    return this.#read(["cleans", path], (fields) =>
      inGroups(fields, 3).map(([file, line, text]) => ({ file: file!, line: Number(line), text: text! })),
    );
  }

  async mount(path: string): Promise<Answer<Mount>> {
    return this.#read(["mount", path], (fields) => {
      const [device, point, fileSystem, source, options] = strings(fields, 5);
      return {
        device: device!,
        point: point!,
        fileSystem: fileSystem!,
        source: source!,
        options: options!.split(","),
      };
    });
  }

  async space(path: string): Promise<Answer<Space>> {
    return this.#read(["space", path], (fields) => {
      const [blockBytes, freeBlocks, inodes, freeInodes] = strings(fields, 4).map(Number);
      return { blockBytes: blockBytes!, freeBlocks: freeBlocks!, inodes: inodes!, freeInodes: freeInodes! };
    });
  }

  /** Of the packages whose names match a pattern of Perl's. `unread`: how many files were touched, and are too large to be compared. */
  async alteredFiles(
    pattern: string,
  ): Promise<Answer<{ readonly unread: number; readonly files: readonly AlteredFile[] }>> {
    return this.#read(["packages.altered", pattern], ([unread, ...fields]) => ({
      unread: countOf(unread?.toString() ?? ""),
      files: inGroups(fields, 7).map(([path, name, what, mode, owner, size, changed]) => ({
        ...{
          path: path!,
          package: name!,
          mode: mode!,
          owner: owner!,
          size: Number(size),
          changed: Number(changed),
        },
        is: what === "absent" || what === "closed" ? what : "altered",
      })),
    }));
  }

  async user(name: string): Promise<Answer<UserReading>> {
    return this.#read(["user", name], (fields) => {
      const [user, uid, gid, home, shell, groups] = strings(fields, 6);
      const names = groups!.split(" ");
      return { name: user!, uid: Number(uid), gid: Number(gid), home: home!, shell: shell!, groups: names };
    });
  }

  /** Property → its values; ExecStart and EnvironmentFiles may have several. A unit that is not there has properties too. */
  async unit(name: string, properties: readonly string[]): Promise<Answer<UnitProperties>> {
    return this.#read(["unit", name, ...properties], (fields) => {
      const found = new Map<string, string[]>();
      for (const [property, value] of inGroups(fields, 2))
        found.set(property!, [...(found.get(property!) ?? []), value!]);
      return found;
    });
  }

  /** As `systemctl is-enabled` says; "" when it says nothing. */
  async enabled(unit: string): Promise<Answer<string>> {
    return this.#read(["enabled", unit], (fields) => text(fields, 0));
  }

  /**
   * The process with this id, with "cmdline", "cmdline:PATTERN" and "status:PATTERN" (the arguments or lines that match, parted by NUL), "cgroup",
   * "limits", "comm", "stat", "cwd", "root", "ns/net", "ioprio" ("" where it is not known), "oom_score_adj", "program", "started", "stderr", "environ:NAME", "files:PATTERN". One of which a part cannot be read is unreadable.
   */
  async process(pid: number, parts: readonly string[]): Promise<Answer<ProcessReading>> {
    return this.#read(["process", `${pid}`, ...parts], (fields) => processesOf(fields, parts.length)[0]!);
  }

  /** Every process with this name (comm), or in this control group ("/system.slice/x.service"). */
  async processes(name: string, parts: readonly string[]): Promise<Answer<readonly ProcessReading[]>> {
    return this.#read(["process", name.startsWith("/") ? name : `comm:${name}`, ...parts], (fields) =>
      processesOf(fields, parts.length),
    );
  }

  /** Asked when nothing else is under way, it is as exact as the way to the host is short. */
  async clock(): Promise<Answer<ClockReading>> {
    return this.#read(["clock"], (fields) => {
      const [microseconds, sentAtMs, receivedAtMs] = strings(fields, 3).map(Number);
      return { hostMs: microseconds! / 1000, sentAtMs: sentAtMs!, receivedAtMs: receivedAtMs! };
    });
  }

  /** What was changed since the boot, by the kernel's own time stamps: of what decides any host's boot, and of `paths`. */
  async bootChanges(paths: readonly string[]): Promise<Answer<BootReading>> {
    // The question takes one path at least; this one is looked at anyhow.
    return this.#read(["boot.changes", "/etc/fstab", ...paths], ([booted, then, count, ...changed]) => ({
      ...{ bootedAt: Number(booted), bootedAtThen: Number(then), count: Number(count) },
      changes: inGroups(changed, 2).map(([what, at]) => ({ what: what!, at: Number(at) })),
    }));
  }

  /** Microseconds of some connects, with the error of those that failed. */
  async roundTrip(
    address: string,
    port: number,
  ): Promise<Answer<readonly { readonly microseconds: number; readonly error: string }[]>> {
    return this.#read(["round_trip", address, `${port}`], (fields) =>
      inGroups(fields, 2).map(([microseconds, error]) => ({
        microseconds: Number(microseconds),
        error: error!,
      })),
    );
  }

  /** Microseconds of each of up to ten writes that are on the disk when they return. The only reading that writes. */
  async flush(directory: string): Promise<Answer<readonly number[]>> {
    return this.#read(["flush", directory], (fields) => strings(fields).map(Number));
  }

  /** Children of ZooKeeper's paths, of the first of the members ("ADDRESS:PORT") that answers. */
  async registry(members: readonly string[], paths: readonly string[]): Promise<Answer<RegistryReading>> {
    return this.#read(["registry", ...membersOf(members), ...paths], ([member, ...fields]) => {
      let next = 0;
      const take = (): Buffer => {
        const field = fields[next++];
        if (field === undefined) throw new NotUnderstood("the registry's children are cut short");
        return field;
      };
      const children = paths.map((path): [string, readonly RegistryNode[] | undefined] => {
        const count = take().toString();
        if (count === "absent") return [path, undefined];
        const nodes = Array.from({ length: countOf(count) }, () => {
          const [name, data, owner] = [take(), take(), take()];
          return { name: name.toString(), data, owner: owner.toString() };
        });
        return [path, nodes];
      });
      return { member: member?.toString() ?? "", children: new Map(children) };
    });
  }

  /**
   * What DNS says of names, asked by the watcher's program on the host: addresses, or why there is none. `nameserver` is whom
   * it asks; undefined for those of /etc/resolv.conf.
   */
  async namesInDns(nameserver: string | undefined, names: readonly string[]): Promise<Answer<NamesInDns>> {
    return this.#read(
      ["dns", nameserver ?? "", ...names],
      (fields) =>
        new Map(
          strings(fields).map((line) => {
            const [name = "", is = "", ...addresses] = line.split("\t");
            return [name, is === "=" ? addresses : { because: is }];
          }),
        ),
    );
  }

  /**
   * Who may do what with each path in ZooKeeper, asked with the credentials that the host has, if any. `own` is the digest
   * ("USER:BASE64") that is told as "own". Path → "own:31 world:anyone:1", "absent", or "error -102".
   */
  async registryAcls(
    members: readonly string[],
    paths: readonly string[],
    own: string,
  ): Promise<Answer<ReadonlyMap<string, string>>> {
    return this.#read(["registry.acls", own, ...membersOf(members), ...paths], (fields) => {
      if (fields.length !== paths.length + 1) throw new NotUnderstood("the access lists are cut short");
      return new Map(paths.map((path, at) => [path, fields[at + 1]!.toString()]));
    });
  }

  /** The packages that are installed, with their versions, and the architecture that dpkg is of. */
  async packages(): Promise<Answer<InstalledPackages>> {
    return this.#read(["packages"], (fields) => installedIn(text(fields, 0)));
  }

  /** What a question of reader.pl's answers in one piece. */
  async answerTo(name: TextQuestion, ...values: readonly string[]): Promise<Answer<string>> {
    return this.#read([name, ...values], (fields) => text(fields, 0));
  }

  /** What a question of reader.pl's answers in lists of so many fields. */
  async groupsOf(
    count: number,
    name: ListQuestion,
    ...values: readonly string[]
  ): Promise<Answer<readonly (readonly string[])[]>> {
    return this.#read([name, ...values], (fields) => inGroups(fields, count), `${count}`);
  }

  /** What the database server's own parser makes of its option files: only lines that matter. */
  async databaseOptions(
    server: "mariadb" | "mysql",
    user: string,
    isProtected: boolean,
  ): Promise<Answer<DatabaseWords>> {
    return this.#read(["database.options", server, user, isProtected ? "yes" : "no"], databaseWordsOf);
  }

  /** Whether MySQL knows all its options. */
  async databaseValidation(user: string, isProtected: boolean): Promise<Answer<DatabaseWords>> {
    return this.#read(["database.validation", user, isProtected ? "yes" : "no"], databaseWordsOf);
  }

  /**
   * What a server answers to a client at the socket of its process, or why it refuses; absent where no client is installed.
   * "root" goes by no option file, "own" by root's, "debian" by that of Debian's maintenance account.
   */
  async databaseQuery(account: "root" | "own" | "debian", pid: number): Promise<Answer<DatabaseWords>> {
    return this.#read(["database.query", account, `${pid}`], (fields) => {
      const [exitCode, answer] = strings(fields, 2);
      return { exitCode: Number(exitCode), lines: answer!.split("\n").filter((line) => line !== "") };
    });
  }

  /** `by`: what `make` goes by beside the question. */
  async #read<T>(question: Question, make: (fields: Fields) => T, by = ""): Promise<Answer<T>> {
    const answer = await this.#ask(question);
    try {
      return mapAnswer(answer, (fields) => sharedValue(fields, make, by));
    } catch (error) {
      if (!(error instanceof NotUnderstood)) throw error;
      throw new NotUnderstood(`${question[0]}: ${error.message}`);
    }
  }
}

export type TextQuestion =
  | "sockets.listening"
  | "sockets.at"
  | "sockets.to"
  | "nft.ruleset"
  | "iptables.rules"
  | "addresses"
  | "virtualization"
  | "candidate"
  | "candidate.version"
  | "journal.unit"
  | "journal.output"
  | "journal.invocation"
  | "tree.damage"
  | "haproxy.check"
  | "haproxy.processes"
  | "health";

export type ListQuestion =
  | "boot"
  | "manager"
  | "restarts"
  | "conditions"
  | "database.errors"
  | "nft.table"
  | "sockets.from"
  | "haproxy.stat"
  | "serving"
  | "resolution"
  | "dns"
  | "haproxy.info_by_master"
  | "zookeeper.words"
  | "kernel.writers"
  | "boot.lines";

function textOf(file: Answer<FileContent>, most: string): Answer<string> {
  if (file.is !== "value") return file;
  const { kind, content } = file.value;
  if (content !== undefined) return { is: "value", value: content.toString() };
  const because = kind === "regular" ? `it is larger than ${most}` : `it is a ${kind}`;
  return { is: "unreadable", because };
}

/** No more than an answer has fields for. */
function countOf(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new NotUnderstood("the number of children is none");
  return Number(text);
}

function installedIn(told: string): InstalledPackages {
  const versions = new Map<string, string>();
  let architecture = "";
  for (const line of told.split("\n")) {
    const [name = "", status = "", version = "", ofPackage = ""] = line.split("\t");
    if (!/^[ih]i/.test(status)) continue;
    versions.set(name.split(":", 1)[0]!, version);
    if (name === "dpkg") architecture = ofPackage;
  }
  if (architecture === "") throw new NotUnderstood("dpkg is not among them");
  return { architecture, versions };
}

function fileReadingOf(fields: Fields): FileReading {
  const [kind, mode, owner, size, , realPath, changed] = strings(fields.slice(0, 7), 7);
  return {
    kind: kind!,
    mode: mode!,
    owner: owner!,
    size: Number(size),
    realPath: realPath!,
    changed: Number(changed),
  };
}

function processesOf(fields: Fields, parts: number): readonly ProcessReading[] {
  return inGroups(fields, 5 + parts).map(([pid, start, age, state, owner, ...rest]) => {
    return {
      pid: Number(pid),
      start: start!,
      ageSeconds: Number(age),
      state: state!,
      owner: owner!,
      parts: rest,
    };
  });
}

function databaseWordsOf(fields: Fields): DatabaseWords {
  const [exitCode, ...lines] = strings(fields);
  return { exitCode: Number(exitCode), lines };
}

function text(fields: Fields, at: number): string {
  return fields[at]?.toString() ?? "";
}

function strings(fields: Fields, count = fields.length): readonly string[] {
  if (fields.length !== count) throw new NotUnderstood(`${fields.length} fields came instead of ${count}`);
  return fields.map((field) => field.toString());
}

function inGroups(fields: Fields, count: number): readonly (readonly string[])[] {
  if (fields.length % count !== 0)
    throw new NotUnderstood(`${fields.length} fields came instead of ${count} for each`);
  const all = strings(fields);
  return Array.from({ length: all.length / count }, (_, index) =>
    all.slice(index * count, (index + 1) * count),
  );
}

/** How many members follow, and address and port of each. */
function membersOf(members: readonly string[]): readonly string[] {
  const at = members.flatMap((member) => {
    const colon = member.lastIndexOf(":");
    return [member.slice(0, colon), member.slice(colon + 1)];
  });
  return [`${members.length}`, ...at];
}
