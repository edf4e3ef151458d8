import { describe, expect, it } from "vitest";
import { TypedPassword } from "../../src/remote/typed-password.ts";
import { Secret } from "../../src/secret.ts";

async function asked(typed: TypedPassword, host: string) {
  const answer = await typed.for(host);
  if (answer.is !== "password") throw new Error(`${host}: ${answer.is}`);
  return answer;
}

describe("a typed password", () => {
  it("is refused for all once one host has refused it", async () => {
    const typed = new TypedPassword(async () => new Secret("a slip"));
    const first = await asked(typed, "a");
    const second = typed.for("b");
    first.answered("refused");
    expect(await second).toEqual({ is: "refused", by: "a" });
  });

  it("is tried by the next host where the first one is lost", async () => {
    const typed = new TypedPassword(async () => new Secret("right"));
    const first = await asked(typed, "a");
    const second = typed.for("b");
    first.answered("unknown");
    expect(await second).toMatchObject({ is: "password" });
  });

  it("that was taken stays so, whatever becomes of that host later", async () => {
    const typed = new TypedPassword(async () => new Secret("right"));
    const first = await asked(typed, "a");
    first.answered("taken");
    first.answered("refused");
    expect(await typed.for("b")).toMatchObject({ is: "password" });
  });

  it("that cannot be asked for lets nobody wait", async () => {
    const typed = new TypedPassword(() => Promise.reject(new Error("the terminal is gone")));
    const waiting = ["a", "b", "c"].map((host) => typed.for(host));
    for (const each of waiting) await expect(each).rejects.toThrow("the terminal is gone");
  });
});
