import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

const A = 1;
const CNAME = 5;
const AAAA = 28;
const NXDOMAIN = 3;

/** What the server says of a name: addresses, another name, the code of a failure, or nothing at all. */
type Told = readonly string[] | { readonly alias: string } | { readonly code: number } | "silence";

/**
 * A DNS server with a zone of its own, over datagrams and streams. Addresses come in another order each time. Whoever starts one
 * ends it.
 */
export class DnsServer {
  readonly zone = new Map<string, Told>();
  /** Whether it says of every datagram that the answer does not fit into it. */
  truncates = false;
  /** Questions that were answered, or would have been. */
  asked = 0;
  readonly #datagrams = createSocket("udp4");
  readonly #streams = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      const answer = this.#answer(data.subarray(2), false);
      if (answer === undefined) return;
      socket.end(Buffer.concat([bytesOf(answer.length), answer]));
    });
  });

  private constructor() {
    this.#datagrams.on("message", (question, { port, address }) => {
      const answer = this.#answer(question, this.truncates);
      if (answer !== undefined) this.#datagrams.send(answer, port, address);
    });
  }

  /** With port 0 any that is free. */
  static async start(address: string, port = 0): Promise<DnsServer> {
    const server = new DnsServer();
    server.#streams.listen(port, address);
    await once(server.#streams, "listening");
    server.#datagrams.bind(server.port, address);
    await once(server.#datagrams, "listening");
    return server;
  }

  get port(): number {
    return (this.#streams.address() as { port: number }).port;
  }

  async end(): Promise<void> {
    this.#datagrams.close();
    this.#streams.close();
    await once(this.#streams, "close");
  }

  #answer(question: Buffer, isTruncated: boolean): Buffer | undefined {
    const { name, type, end } = questionIn(question);
    this.asked++;
    const records: Buffer[] = [];
    let at = name;
    let told = this.zone.get(at) ?? { code: NXDOMAIN };
    while (typeof told === "object" && "alias" in told) {
      records.push(record(at, CNAME, nameBytes(told.alias)));
      at = told.alias;
      told = this.zone.get(at) ?? { code: NXDOMAIN };
    }
    if (told === "silence") return undefined;
    const code = "code" in told ? told.code : 0;
    if (!("code" in told)) {
      const turn = this.asked % Math.max(1, told.length);
      for (const address of [...told.slice(turn), ...told.slice(0, turn)]) {
        const [kind, data] = address.includes(":") ? [AAAA, v6(address)] : [A, v4(address)];
        if (kind === type) records.push(record(at, kind, data));
      }
    }
    const answers = isTruncated ? [] : records;
    return Buffer.concat([
      question.subarray(0, 2),
      // An answer, recursion asked for and available; 0x0200 is "truncated".
      bytesOf(0x8180 | code | (isTruncated ? 0x0200 : 0), 1, answers.length, 0, 0),
      question.subarray(12, end),
      ...answers,
    ]);
  }
}

function questionIn(message: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at]!; length > 0; length = message[at]!) {
    labels.push(message.subarray(at + 1, at + 1 + length).toString());
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 };
}

function record(name: string, type: number, data: Buffer): Buffer {
  // Class IN, remembered for no time.
  return Buffer.concat([nameBytes(name), bytesOf(type, 1, 0, 0, data.length), data]);
}

function nameBytes(name: string): Buffer {
  const labels = name.split(".").map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`));
  return Buffer.concat([...labels, Buffer.from([0])]);
}

function bytesOf(...numbers: readonly number[]): Buffer {
  return Buffer.from(numbers.flatMap((number) => [number >> 8, number & 0xff]));
}

function v4(address: string): Buffer {
  return Buffer.from(address.split(".").map(Number));
}

function v6(address: string): Buffer {
  const [head = "", tail = ""] = address.split("::");
  const groups = (text: string) => text.split(":").filter(Boolean);
  const zeros = Array<string>(8 - groups(head).length - groups(tail).length).fill("0");
  return bytesOf(...[...groups(head), ...zeros, ...groups(tail)].map((group) => Number.parseInt(group, 16)));
}
