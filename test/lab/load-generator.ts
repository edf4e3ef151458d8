// load-generator.ts PORT PER_SECOND DURATION_MS: GET requests to 127.0.0.1:PORT, one connection each, sent when they
// are due whatever became of those before, until the time is up or SIGTERM comes. Prints "started", and at the end each
// request as a line of JSON.
import { connect } from "node:net";
import type { LoadedRequest } from "./open-loop.ts";

const GIVE_UP_MS = 12_000;

const [port, perSecond, durationMs] = process.argv.slice(2).map(Number) as [number, number, number];

function request(lateMs: number): Promise<LoadedRequest> {
  const startedAtMs = Date.now();
  const started = performance.now();
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    let answer = "";
    const done = (): void => {
      socket.destroy();
      resolve({ startedAtMs, lateMs, tookMs: performance.now() - started, status: statusOf(answer) });
    };
    socket.setEncoding("latin1");
    socket.setTimeout(GIVE_UP_MS, done);
    socket.on("connect", () => socket.write("GET / HTTP/1.0\r\nHost: mesh\r\n\r\n"));
    socket.on("data", (text: string) => {
      answer += text;
    });
    socket.on("error", done);
    socket.on("close", done);
  });
}

/** 0 when there was no answer, or only a part of one. */
function statusOf(answer: string): number {
  const [head = "", body] = answer.split("\r\n\r\n");
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0);
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  const isWhole = body !== undefined && (length === undefined || body.length === Number(length));
  return isWhole ? status : 0;
}

const requests: Promise<LoadedRequest>[] = [];
const total = Math.round((perSecond * durationMs) / 1000);
const startedAt = performance.now();
let isOver = false;
process.on("SIGTERM", end);
console.log("started");
const timer = setInterval(() => {
  const elapsedMs = performance.now() - startedAt;
  while (requests.length < total) {
    const dueMs = (requests.length * 1000) / perSecond;
    if (dueMs > elapsedMs) return;
    requests.push(request(elapsedMs - dueMs));
  }
  end();
}, 2);

function end(): void {
  clearInterval(timer);
  if (isOver) return;
  isOver = true;
  void Promise.all(requests).then((all) => {
    process.stdout.write(all.map((each) => `${JSON.stringify(each)}\n`).join(""));
  });
}
