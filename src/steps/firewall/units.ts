import { NFT, NFTABLES, RULES, TABLE, UNIT } from "./paths.ts";

/**
 * Loads the table at boot, before any address is up, and takes it away when it is stopped. It comes behind Debian's
 * unit, which begins by flushing every table.
 */
export function firewallUnit(): string {
  return `[Unit]
Description=Closes ZooKeeper's ports to all who need them not (meshctl)
Documentation=man:nft(8)
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target shutdown.target
After=${NFTABLES}
Conflicts=shutdown.target
RequiresMountsFor=${RULES}

[Service]
Type=oneshot
RemainAfterExit=yes
StandardInput=null
ProtectSystem=full
ProtectHome=true
ExecStart=${NFT} -f ${RULES}
ExecReload=${NFT} -f ${RULES}
# The prefix: somebody may have flushed it.
ExecStop=-${NFT} delete table inet ${TABLE}

[Install]
WantedBy=sysinit.target
`;
}

/**
 * Beside Debian's unit: what starts or reloads that one flushes meshctl's table, and nothing that another unit may say
 * of it covers both. Without waiting, for a job of a unit behind this one would wait for this one.
 */
export function nftablesDropIn(): string {
  // Debian 11 has it there only, where /usr was never merged.
  const again = `-/bin/systemctl --no-block try-reload-or-restart ${UNIT}`;
  return `# Written by meshctl: its start and its reload flush all tables, and this brings meshctl's own back.
[Service]
ExecStartPost=${again}
ExecReload=${again}
`;
}
