import { describe, expect, it } from "vitest";
import { findDebianArchive, sourceLines } from "./package-source.ts";

const deb822 = `# Debian
Types: deb deb-src
URIs: http://mirror.example/debian/
Suites: bookworm
 bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
`;
const oneLine = `deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian trixie main contrib
deb-src http://mirror.example/debian trixie main
# deb http://old.example/debian buster main
deb http://mirror.example/debian trixie-updates main
deb http://security.example/debian-security trixie-security main
`;

describe("the machine's Debian archive", () => {
  it("is found in deb822 and in one-line sources", () => {
    expect(findDebianArchive([{ name: "debian.sources", text: deb822 }])).toEqual({
      uri: "http://mirror.example/debian",
      securityUri: "http://mirror.example/debian-security",
    });
    expect(findDebianArchive([{ name: "sources.list", text: oneLine }])).toEqual({
      uri: "http://mirror.example/debian",
      securityUri: "http://security.example/debian-security",
    });
  });

  it("is told from other people's repositories, which use the same suite names", () => {
    const other = { name: "a.list", text: "deb https://packages.example/repo bookworm main" };
    expect(findDebianArchive([other])).toBeUndefined();
    expect(findDebianArchive([other, { name: "b.sources", text: deb822 }])?.uri).toBe(
      "http://mirror.example/debian",
    );
  });

  it("is passed over where it is disabled", () => {
    const disabled = { name: "a.sources", text: deb822.replaceAll("Types: deb", "Enabled: no\nTypes: deb") };
    expect(findDebianArchive([disabled])).toBeUndefined();
  });

  it("gives each release its own lines", () => {
    const archive = { uri: "http://a.example/debian", securityUri: "http://a.example/debian-security" };
    expect(sourceLines(archive, "trixie")).toEqual([
      "deb http://a.example/debian trixie main",
      "deb http://a.example/debian-security trixie-security main",
    ]);
    expect(sourceLines(archive, "sid")).toEqual(["deb http://a.example/debian sid main"]);
  });
});
