import { awaitFailedReload, sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title:
    "haproxy.cfg names a certificate that is not there: told to reload, HAProxy goes on with the old worker",
  steps: "haproxy,watcher",
  // As init scripts reload, without a check before it.
  plant: sh(
    `sed -i 's,bind 127.0.0.1:8080.*,bind 127.0.0.1:8080 ssl crt /nowhere.pem,' /etc/haproxy/haproxy.cfg && systemctl kill --kill-who=main -s USR2 haproxy; ${awaitFailedReload}`,
  ),
  told: [
    {
      setting: "last reload",
      verdict: "pending",
      because: /the old worker still serves: .*'\/nowhere\.pem'/,
    },
    {
      step: "watcher",
      setting: "haproxy.cfg",
      verdict: "different",
      because: /user-api bind: bind 127\.0\.0\.1:8080 ssl crt \/nowhere\.pem where bind 127\.0\.0\.1:8080 is/,
    },
  ],
  outcome: { is: "mended" },
};
export default trap;
