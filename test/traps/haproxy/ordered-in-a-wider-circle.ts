import { sh, type Trap } from "../trap.ts";

const directory = "/etc/systemd/system";
const because =
  /haproxy\.service is to be started before trap-first\.service, which is started before trap-then\.service, and after it/;

const trap: Trap = {
  title: "three units wait for each other in a circle: the next boot leaves one of them out",
  steps: "haproxy",
  plant:
    sh(`for unit in 'first.service After=haproxy.service\\nBefore=trap-then.service' 'then.service Before=haproxy.service'; do
  printf "[Unit]\\n\${unit#* }\\n[Service]\\nType=oneshot\\nExecStart=true\\n[Install]\\nWantedBy=multi-user.target\\n" \
    >"${directory}/trap-\${unit%% *}"
done
systemctl daemon-reload && systemctl -q enable trap-first trap-then`),
  told: [{ setting: "next start of haproxy.service", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh(
    `systemctl -q disable trap-first trap-then; rm ${directory}/trap-first.service ${directory}/trap-then.service; systemctl daemon-reload`,
  ),
};
export default trap;
