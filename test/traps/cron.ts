/** A unit that stands for Debian's cron, which a bare host has not. */
export const CRON = `printf '[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n' \\
  >/etc/systemd/system/cron.service
systemctl daemon-reload && systemctl -q enable cron`;
export const NO_CRON =
  "systemctl -q disable cron; rm /etc/systemd/system/cron.service; systemctl daemon-reload";
