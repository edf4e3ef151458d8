import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "haproxy.cfg names a certificate that is not there, so no reload can succeed",
  steps: "haproxy,watcher",
  plant: sh(
    `sed -i 's,bind 127.0.0.1:8080.*,bind 127.0.0.1:8080 ssl crt /nowhere.pem,' /etc/haproxy/haproxy.cfg; systemctl reload haproxy || true`,
  ),
  told: [{ setting: "haproxy.cfg", verdict: "different", because: /nowhere\.pem|./ }],
  outcome: { is: "mended" },
};
export default trap;
