import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { maskSecrets, revealContent, Secret, showContent } from "../src/secret.ts";

describe("a secret", () => {
  const secret = new Secret("s3cret-one");

  it("shows itself in no kind of text", () => {
    const texts = [
      `${secret}`,
      String(secret),
      JSON.stringify({ secret }),
      inspect(secret),
      inspect({ a: [secret] }),
    ];
    for (const text of texts) expect(text).not.toContain("s3cret-one");
  });

  it("is masked wherever it turns up in text", () => {
    expect(maskSecrets("before s3cret-one after s3cret-one")).toBe("before •••••• after ••••••");
  });

  it("is masked whole when a shorter secret begins it", () => {
    new Secret("s3cret");
    new Secret("s3cret-one-and-more");
    expect(maskSecrets("s3cret-one-and-more s3cret")).toBe("•••••• ••••••");
  });

  it("that is a URL hides its password alone, too, encoded or not", () => {
    new Secret("http://user:p%40ssw0rd@proxy.example:3128");
    expect(maskSecrets("Proxy p%40ssw0rd p@ssw0rd proxy.example")).toBe("Proxy •••••• •••••• proxy.example");
  });

  it.each([
    ["JSON", JSON.stringify({ line: "se\"cr\\et p$wd'x" })],
    ["a URL", `http://u:${encodeURIComponent("se\"cr\\et p$wd'x")}@proxy`],
    ["a shell's quotes", `curl 'se"cr\\et p$wd'\\''x'`],
    ["a shell's backslashes", "curl se\\\"cr\\\\et\\ p\\$wd\\'x"],
    ["base64", Buffer.from("se\"cr\\et p$wd'x").toString("base64")],
    ["a header for a proxy", Buffer.from("ops:se\"cr\\et p$wd'x").toString("base64")],
  ])("is masked in %s", (_form, text) => {
    new Secret("se\"cr\\et p$wd'x");
    new Secret(`http://ops:${encodeURIComponent("se\"cr\\et p$wd'x")}@proxy.example:3128`);
    const masked = maskSecrets(text);
    expect(masked).toContain("••••••");
    expect(masked).not.toMatch(/cr|et|wd|==/);
  });

  it("is in content only for who reveals it", () => {
    const content = ["password=", secret, "\n"];
    expect(revealContent(content)).toBe("password=s3cret-one\n");
    expect(showContent(content)).toBe("password=••••••\n");
  });
});
