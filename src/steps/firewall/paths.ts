/** Name of meshctl's own table, of the family inet: IPv4 and IPv6. */
export const TABLE = "meshctl";
export const RULES = "/etc/meshctl/firewall.nft";
export const UNIT = "meshctl-firewall.service";
export const UNIT_FILE = "/etc/systemd/system/meshctl-firewall.service";
/** Debian's own unit: to start it, or to reload it, flushes the tables of everybody. */
export const NFTABLES = "nftables.service";
export const DROP_IN = "/etc/systemd/system/nftables.service.d/meshctl.conf";
/** What puts back the table of before, for as long as a change is not confirmed over a new connection. */
export const UNDO = "/run/meshctl/firewall-undo.nft";
export const UNDO_TIMER = "meshctl-firewall-undo.timer";
/** The one program that is asked and that loads. */
export const NFT = "/usr/sbin/nft";
