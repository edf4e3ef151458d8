import { describe, expect, it } from "vitest";
import { failureIn, sessionIn } from "../../src/remote/openssh/failure.ts";

const DEBUG =
  "OpenSSH_9.2p1 Debian-2, OpenSSL 3.0.19\ndebug1: Reading configuration data /etc/ssh/ssh_config\n";
const MET = `${DEBUG}debug1: Connection established.\n`;
const KEYED = `${MET}debug1: SSH2_MSG_NEWKEYS received\n`;

describe("what ssh says when it makes no connection", () => {
  it.each([
    [
      `${DEBUG}ssh: Could not resolve hostname nowhere: Name or service not known\r\n`,
      "name resolution",
      "nowhere",
    ],
    [
      `${DEBUG}ssh: connect to host 10.0.0.1 port 22: Connection refused\r\n`,
      "connect",
      "Connection refused",
    ],
    [`${DEBUG}ssh: connect to host 10.0.0.1 port 22: Connection timed out\r\n`, "connect", "timed out"],
    [`${MET}Connection timed out during banner exchange\r\n`, "key exchange", "banner exchange"],
    [
      `${MET}Unable to negotiate with 10.0.0.1 port 22: no matching MAC found. Their offer: hmac-md5\r\n`,
      "key exchange",
      "Their offer: hmac-md5",
    ],
    [
      `${MET}@@@@@@@@\r\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n@@@@@@@@\r\nOffending ED25519 key in /k:1\r\nHost key verification failed.\r\n`,
      "host key",
      "Offending ED25519 key in /k:1; Host key verification failed.",
    ],
    [
      `${MET}No ED25519 host key is known for [127.0.0.1]:1 and you have requested strict checking.\r\nHost key verification failed.\r\n`,
      "host key",
      "No ED25519 host key is known",
    ],
    [
      `${KEYED}ops@10.0.0.1: Permission denied (publickey).\r\n`,
      "authentication",
      "Permission denied (publickey)",
    ],
    [
      `${KEYED}Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures\r\n`,
      "authentication",
      "Too many",
    ],
    [`${KEYED}Connection closed by 10.0.0.1 port 22\r\n`, "authentication", "Connection closed"],
    [`${DEBUG}/etc/ssh/ssh_config: line 3: Bad configuration option: x\r\n`, "settings", "line 3"],
    [
      `${DEBUG}channel 0: open failed: connect failed\r\nstdio forwarding failed\r\nConnection closed by UNKNOWN port 65535\r\n`,
      "jump host",
      "stdio forwarding failed",
    ],
    ["", "connect", "it said nothing"],
  ])("%j is told by its stage", (log, stage, said) => {
    expect(failureIn(log)).toMatchObject({ stage, said: expect.stringContaining(said), isDropped: false });
  });

  it.each([
    "kex_exchange_identification: Connection closed by remote host\r\nConnection closed by 10.0.0.1 port 22\r\n",
    "kex_exchange_identification: read: Connection reset by peer\r\n",
    "Connection closed by 10.0.0.1 port 22\r\n",
  ])("%j before keys were exchanged is worth another try", (said) => {
    expect(failureIn(`${MET}${said}`)).toMatchObject({ stage: "key exchange", isDropped: true });
  });

  it("a reset of the connection at once is worth another try", () => {
    const said = `${DEBUG}ssh: connect to host 10.0.0.1 port 22: Connection reset by peer\r\n`;
    expect(failureIn(said)).toMatchObject({ stage: "connect", isDropped: true });
  });

  it("steers no terminal", () => {
    expect(failureIn(`${KEYED}Permission denied \u001b[2J(x)\r\n`).said).toBe("Permission denied  [2J(x)");
  });
});

describe("a session over a master connection", () => {
  it("is told from one that is refused, and from one that is not there yet", () => {
    expect(sessionIn("debug1: mux_client_request_session: master session id: 2\n")).toEqual({ is: "open" });
    expect(
      sessionIn("mux_client_request_session: session request failed: Session open refused by peer\n"),
    ).toEqual({
      is: "refused",
      because: "Session open refused by peer",
    });
    expect(sessionIn("debug1: auto-mux: Trying existing master\n")).toBeUndefined();
  });
});
