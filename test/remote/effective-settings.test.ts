import { homedir } from "node:os";
import { describe, expect, it, vi } from "vitest";
import type { SshSettings } from "../../src/inventory/ssh-settings.ts";
import { localUser } from "../../src/local-user.ts";
import { combine, effectiveSettings } from "../../src/remote/effective-settings.ts";
import { formatProxyJump, parseProxyJump } from "../../src/remote/jump.ts";
import { parseSshG } from "../../src/remote/ssh-config.ts";
import { computeSshConfig } from "../../src/remote/ssh-config-files.ts";

const nothing: SshSettings = {
  host: "kvm-1",
  port: undefined,
  user: undefined,
  identityFiles: undefined,
  knownHostsFiles: undefined,
  hostKeys: undefined,
  privilege: "auto",
  password: undefined,
  sudoPassword: undefined,
  passphrase: undefined,
  connectTimeoutMs: 10_000,
};
const target = (name: string) => ({ name, user: undefined, port: undefined });
const defaults = parseSshG(
  "user me\nhostname localhost\nport 22\nidentityfile ~/.ssh/id_rsa\nstricthostkeychecking ask\n",
);
const effective = (inventory: Partial<SshSettings>, config: string) =>
  combine("kvm-1", { ...nothing, ...inventory }, parseSshG(config), defaults);

describe("settings", () => {
  it("come from the inventory before ssh_config, and from there before the default", () => {
    const config = "user ops\nhostname 10.0.0.1\nport 2222\nidentityfile ~/.ssh/id_rsa";
    expect(effective({ port: 22 }, config)).toMatchObject({
      port: { value: 22, from: "inventory" },
      user: { value: "ops", from: "ssh_config" },
      hostName: { value: "10.0.0.1", from: "ssh_config" },
      identityFiles: { value: [`${homedir()}/.ssh/id_rsa`], from: "default" },
      hostKeys: { value: "strict", from: "default" },
    });
    expect(effective({}, "")).toMatchObject({
      port: { value: 22, from: "default" },
      user: { value: localUser().name, from: "default" },
      hostName: { value: "kvm-1", from: "inventory" },
    });
  });

  it("have files of the user's in the home that the machine knows, as OpenSSH does, whatever $HOME says", () => {
    vi.stubEnv("HOME", "/elsewhere");
    const { identityFiles, knownHostsFiles } = effective(
      {},
      "identityfile ~/.ssh/id_x\nidentityfile %d/y\nuserknownhostsfile ~/.ssh/known_hosts",
    );
    vi.unstubAllEnvs();
    const { home } = localUser();
    expect(identityFiles.value).toEqual([`${home}/.ssh/id_x`, `${home}/y`]);
    expect(knownHostsFiles.value).toContain(`${home}/.ssh/known_hosts`);
  });

  it.each([
    ["ask", "strict"],
    ["true", "strict"],
    ["accept-new", "accept-new"],
    ["false", "accept-new"],
  ])("StrictHostKeyChecking %s means %s", (written, mode) => {
    expect(effective({}, `stricthostkeychecking ${written}`).hostKeys.value).toBe(mode);
    expect(effective({ hostKeys: "ask" }, `stricthostkeychecking ${written}`).hostKeys.value).toBe("ask");
  });

  it("of ssh_config that meshctl does not heed are told, unless they say what it does or what is the default", () => {
    const own = parseSshG("checkhostip yes\nciphers a,b\nupdatehostkeys true\n");
    const notHeeded = (config: string) => combine("kvm-1", nothing, parseSshG(config), own).notHeeded;
    expect(
      notHeeded(
        "checkhostip no\nciphers a\nupdatehostkeys true\nverifyhostkeydns ask\ncertificatefile /a\ncertificatefile /b\n" +
          "passwordauthentication no\npubkeyauthentication true\nproxyusefdpass false\nknownhostscommand none\n",
      ),
    ).toEqual({
      value: [
        "CertificateFile /a",
        "CertificateFile /b",
        "Ciphers a",
        "PasswordAuthentication no",
        "VerifyHostKeyDNS ask",
      ],
      from: "ssh_config",
    });
    expect(notHeeded("ciphers a,b\n")).toEqual({ value: [], from: "default" });
  });

  it.each([
    ["1024", 2048, "default"],
    ["3072", 3072, "ssh_config"],
  ])("RequiredRSASize %s asks for %i bits", (written, value, from) => {
    expect(effective({}, `requiredrsasize ${written}`).requiredRsaBits).toEqual({ value, from });
  });

  it.each([
    ["none", 10_000, undefined],
    ["0", 10_000, undefined],
    ["-1", 10_000, undefined],
    ["soon", 10_000, undefined],
    ["7", 7_000, 7_000],
    // As the files have it: without an ssh client nobody turns it into seconds.
    ["1m30s", 90_000, 90_000],
    ["2H", 7_200_000, 7_200_000],
    ["52w", 2_147_483_647, 2_147_483_647],
  ])("take the time %s, where it is one", (written, connectTimeoutMs, keepaliveMs) => {
    const config = `connecttimeout ${written}\nserveraliveinterval ${written}`;
    expect(effective({ connectTimeoutMs: undefined }, config)).toMatchObject({
      connectTimeoutMs: { value: connectTimeoutMs },
      keepaliveMs: { value: keepaliveMs },
    });
  });

  it("have their tokens, homes and variables expanded", () => {
    process.env.MESHCTL_TEST_KEYS = "/keys";
    const config = [
      "hostname 10.0.0.1",
      "identityfile ~/%h_%r",
      "identityfile ${MESHCTL_TEST_KEYS}/%n",
      "user ops",
      "port 2222",
      "proxycommand nc %h %p %%",
      "userknownhostsfile ~/a /b/%h",
      "identityagent none",
    ].join("\n");
    expect(effective({}, config)).toMatchObject({
      identityFiles: { value: [`${homedir()}/10.0.0.1_ops`, "/keys/kvm-1"], from: "ssh_config" },
      proxyCommand: { value: "nc 10.0.0.1 2222 %" },
      knownHostsFiles: { value: [`${homedir()}/a`, "/b/10.0.0.1"] },
      identityAgent: { value: undefined, from: "ssh_config" },
    });
  });

  it("have no agent where SSH_AUTH_SOCK is set to nothing", () => {
    vi.stubEnv("SSH_AUTH_SOCK", "");
    expect(effective({}, "").identityAgent.value).toBeUndefined();
    expect(effective({}, "identityagent SSH_AUTH_SOCK").identityAgent.value).toBeUndefined();
    vi.unstubAllEnvs();
  });

  it("are read without an ssh client, too", () => {
    const text =
      'Host kvm-*\n  User ops\n  IdentityFile ~/.ssh/a\n  IdentityFile ~/.ssh/b\nMatch exec "touch /tmp/never"\n  Port 1\n';
    expect(computeSshConfig(text, target("kvm-1")).get("user")).toEqual(["ops"]);
    expect(computeSshConfig(text, target("kvm-1")).get("identityfile")).toEqual(["~/.ssh/a", "~/.ssh/b"]);
    expect(computeSshConfig(text, target("kvm-1")).get("port")).toBeUndefined();
    expect(computeSshConfig(text, target("other")).get("user")).not.toEqual(["ops"]);
  });

  it.each([
    "",
    "-oProxyCommand=id",
    "a b",
    "a;id",
    "$(id)",
    "`id`",
    "a\nb",
    "a|b",
    "a'b",
    "a\\",
    "\0",
    "{a,b}",
    "a>b",
  ])("refuse the host name %j, which could become an option or a command", async (host) => {
    await expect(effectiveSettings("kvm-1", { ...nothing, host })).rejects.toMatchObject({
      stage: "settings",
    });
  });

  it.each(["", "-l", "$(id);", "a`b", "a'b", "a\nb", "a|b", "a\\"])("refuse the user %j", async (user) => {
    await expect(effectiveSettings("kvm-1", { ...nothing, user })).rejects.toMatchObject({
      stage: "settings",
    });
  });
});

describe("a ProxyJump", () => {
  it.each([
    ["bastion", [{ host: "bastion", user: undefined, port: undefined }]],
    ["me@bastion:2222", [{ host: "bastion", user: "me", port: 2222 }]],
    ["ssh://me@bastion:2222/", [{ host: "bastion", user: "me", port: 2222 }]],
    ["me@[fd00::1]:2222", [{ host: "fd00::1", user: "me", port: 2222 }]],
    [
      "a,b:22",
      [
        { host: "a", user: undefined, port: undefined },
        { host: "b", user: undefined, port: 22 },
      ],
    ],
  ])("%s is a list of hops", (text, hops) => {
    expect(parseProxyJump(text)).toEqual(hops);
    expect(parseProxyJump(formatProxyJump(hops))).toEqual(hops);
  });

  it.each(["a,,b", "a:b:c", ""])("%j is not understood", (text) => {
    expect(() => parseProxyJump(text)).toThrow(/cannot be understood/);
  });
});
