import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import type { Client } from "ssh2";
import { expect, it } from "vitest";
import { hostBlamedFor } from "../../src/remote/blame.ts";
import { Connection } from "../../src/remote/connection.ts";
import type { EffectiveSettings } from "../../src/remote/effective-settings.ts";

it("what a listener of its channels throws is about its host, whenever the channel tells it", async () => {
  const channel = Object.assign(new PassThrough(), { stderr: new PassThrough() });
  const exec = (_: string, done: (error: undefined, opened: unknown) => void) => done(undefined, channel);
  const client = Object.assign(new EventEmitter(), { exec }) as unknown as Client;
  const settings = { host: "a", user: "root" } as unknown as EffectiveSettings;
  const connection = new Connection(settings, client, new PassThrough(), undefined, () => {});
  const opened = await connection.exec();
  for (const stream of [opened, opened.stderr]) {
    const fault = new Error("of ours");
    stream.on("close", () => {
      throw fault;
    });
    expect(() => stream.emit("close")).toThrow(fault);
    expect(hostBlamedFor(fault)).toBe("a");
  }
});
