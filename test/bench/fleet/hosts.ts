// A process of its own, so that what simulated hosts cost is not counted to the machine that asks them. Its argument is the
// file of a FleetSpec; it says "ready" when all of them listen, and ends with its standard input.
import { readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import ssh2, { type ServerChannel } from "ssh2";
import { Answers } from "./answers.ts";
import type { FleetSpec, SimulatedHost } from "./spec.ts";

const FLOOD = Buffer.alloc(1024 * 1024, "x");
/** What a host that dies has said of its answer by then. */
const LAST_BYTES = 1000;
/** As reader.pl does: an answer that ends as the mark begins would wait for more. */
const NOTHING = Buffer.alloc(4);

const spec = JSON.parse(readFileSync(process.argv[2]!, "utf8")) as FleetSpec;
const answers = new Map(
  Object.entries(spec.recorded).map(([name, { address, answers }]) => [
    name,
    new Answers(answers, { name, address }),
  ]),
);

await Promise.all(spec.hosts.filter(({ mode }) => mode !== "dead").map(listen));
process.stdout.write("ready\n");
process.stdin.on("end", () => process.exit(0)).resume();

function listen(host: SimulatedHost): Promise<void> {
  const ssh = new ssh2.Server({ hostKeys: [spec.hostKey] }, (client) => {
    client.on("error", () => {});
    client.on("authentication", (attempt) => {
      if (attempt.method === "publickey") attempt.accept();
      else attempt.reject(["publickey"]);
    });
    client.on("session", (accept) =>
      accept().on("exec", (acceptExec) => converse(acceptExec(), host, () => client.end())),
    );
  });
  const server = createServer((socket: Socket) => {
    socket.on("error", () => {});
    if (host.mode === "silent") socket.resume();
    else ssh.injectSocket(socket.setNoDelay(true));
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject).listen(spec.port, host.at, resolve);
  });
}

/** What login.sh, root.sh and start.sh do, one part after the other, and then the reader. */
function converse(channel: ServerChannel, host: SimulatedHost, hangUp: () => void): void {
  let unread: Buffer = Buffer.alloc(0);
  let part: (bytes: Buffer) => number = login;
  let nonce = "";
  let mark = "";
  let scriptBytes = 0;
  let frames = 0;
  channel.on("error", () => {});
  channel.on("data", (chunk: Buffer) => {
    unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk]);
    for (let taken = part(unread); taken > 0; taken = part(unread)) unread = unread.subarray(taken);
  });
  channel.stderr.on("error", () => {});
  channel.on("end", () => {
    if (channel.destroyed || !channel.writable) return;
    if (mark !== "") for (const stream of [channel.stderr, channel]) stream.write(`${mark} END 0\n`);
    channel.exit(0);
    channel.end();
  });

  function login(bytes: Buffer): number {
    const [, header] = lines(bytes, 2) ?? [];
    if (header === undefined) return 0;
    nonce = header.split(" ")[0]!;
    channel.write(`${nonce} READY\n`);
    part = root;
    return lengthOf(bytes, 2);
  }

  function root(bytes: Buffer): number {
    const found = lines(bytes, 3);
    if (found === undefined) return 0;
    const [count, , word] = found[2]!.split(" ");
    mark = word!;
    scriptBytes = Number(count);
    part = script;
    return lengthOf(bytes, 3);
  }

  function script(bytes: Buffer): number {
    if (bytes.length < scriptBytes) return 0;
    const [, packed] = /set -- (\d+)/.exec(bytes.toString("latin1", 0, scriptBytes)) ?? [];
    for (const stream of [channel.stderr, channel]) stream.write(`${mark} BEGIN\n`);
    part = (program) => {
      if (program.length < Number(packed)) return 0;
      part = frame;
      return Number(packed);
    };
    return scriptBytes;
  }

  function frame(bytes: Buffer): number {
    if (bytes.length < 4 || bytes.length < 4 + bytes.readUInt32BE()) return 0;
    const length = bytes.readUInt32BE();
    if (length > 0) {
      frames += 1;
      const asked = Buffer.from(bytes.subarray(4, 4 + length));
      setTimeout(answer, spec.delayMs, asked, frames);
    }
    return 4 + length;
  }

  function answer(asked: Buffer, frame: number): void {
    if (host.mode === "hanging" && frame > 1) return;
    if (host.mode === "lying") {
      channel.write(Answers.encode(4_000_000, ["value", Buffer.from("I was not asked")]));
      return;
    }
    const questions = Answers.questions(asked);
    if (host.mode === "flooding") {
      for (const { id } of questions) channel.write(Answers.encode(id, ["value", FLOOD]));
      return;
    }
    const own = questions.map((question) => answers.get(host.as)!.to(question, host));
    const whole = Buffer.concat([...own, NOTHING]);
    if (host.mode === "dying") channel.write(whole.subarray(0, LAST_BYTES), hangUp);
    else channel.write(whole);
  }
}

/** So many whole lines from the beginning; undefined while they are not there. */
function lines(bytes: Buffer, count: number): readonly string[] | undefined {
  const length = lengthOf(bytes, count);
  return length === 0 ? undefined : bytes.toString("latin1", 0, length).split("\n");
}

function lengthOf(bytes: Buffer, count: number): number {
  let at = 0;
  for (let line = 0; line < count; line++) {
    at = bytes.indexOf("\n", at) + 1;
    if (at === 0) return 0;
  }
  return at;
}
