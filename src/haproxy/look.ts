import { type Answer, mapAnswer } from "../reader/answer.ts";
import type { Reader } from "../reader/reader.ts";
import { MASTER_SOCKET } from "./paths.ts";
import { type Processes, processesOf } from "./processes.ts";
import { infoBeside, TABLE_COLUMNS, type Table, tableOf } from "./server-state.ts";
import { ADMIN_SOCKET } from "./settings.ts";

/** How the worker's admin socket answers. "lost": nobody listens on it. "silent": it was not read what is there. */
export type AdminSocket =
  | { readonly is: "answered" }
  | { readonly is: "lost" | "silent"; readonly because: string };

/** What the worker tells over its admin socket. */
export interface Worker {
  readonly socket: AdminSocket;
  /** `show info`, keys in lower case. Absent: nobody listens. */
  readonly info: Answer<WorkerInfo>;
  /** `show stat`. Absent: nobody listens. */
  readonly table: Answer<Table>;
}

export type WorkerInfo = ReadonlyMap<string, string>;

/** One round trip. */
export async function lookAtWorker(reader: Reader): Promise<Worker> {
  const [told, file] = await Promise.all([
    reader.groupsOf(TABLE_COLUMNS, "haproxy.stat"),
    reader.stat(ADMIN_SOCKET),
  ]);
  // As connect(2) says it.
  const refusal = file.is === "absent" ? "No such file or directory" : "Connection refused";
  return {
    socket:
      told.is === "value"
        ? { is: "answered" }
        : told.is === "absent"
          ? { is: "lost", because: refusal }
          : { is: "silent", because: told.because },
    // One worker tells both, whenever HAProxy is reloaded.
    info: mapAnswer(told, infoBeside),
    table: mapAnswer(told, tableOf),
  };
}

/** What a worker tells through its master process. Absent: nobody listens for it. */
export async function askMaster(reader: Reader, worker: number): Promise<Answer<WorkerInfo>> {
  return mapAnswer(await reader.groupsOf(2, "haproxy.info_by_master", `${worker}`), infoOf);
}

/** What the master process tells of itself and its workers. Absent: nobody listens for it. */
export async function lookAtProcesses(reader: Reader): Promise<Answer<Processes>> {
  const answer = await reader.answerTo("haproxy.processes");
  if (answer.is !== "value") return answer;
  const processes = processesOf(answer.value);
  if (processes !== undefined) return { is: "value", value: processes };
  return { is: "unreadable", because: `${MASTER_SOCKET} named no master process` };
}

function infoOf(rows: readonly (readonly string[])[]): WorkerInfo {
  return new Map(rows.map(([key, value]) => [key!, value!]));
}
