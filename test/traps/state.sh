# shellcheck shell=sh
# What meshctl could change on a host, one thing a line: files with digest, mode and owner; which start of each service
# runs; the kernel's settings. Two equal outputs mean that nothing was touched.

for path in /etc/sysctl.conf /etc/sysctl.d /etc/zookeeper /etc/haproxy /etc/mysql /etc/meshctl /etc/default \
  /etc/systemd/system /var/lib/meshctl/manifest /var/lib/zookeeper/data/myid /var/lib/dpkg/status; do
  find "$path" -follow -type f -exec stat -c '%n %a %U:%G' {} + -exec sha256sum {} + 2>/dev/null
done | sort
for unit in zookeeper haproxy meshctl-watcher meshctl-registrar mariadb mysql; do
  # One that fails is tried again and again, by systemd itself.
  started=down
  if systemctl -q is-active "$unit"; then
    started=$(systemctl show -P InvocationID "$unit")
  fi
  printf '%s %s %s\n' "$unit" "$started" "$(systemctl is-enabled "$unit" 2>&1)"
done
# A reload is a new worker. The watcher's installer makes one as well, whenever backends come and go.
if systemctl -q is-active haproxy; then
  printf 'haproxy, installer %s: ' "$(systemctl show -P ExecMainStartTimestampMonotonic meshctl-haproxy-install)"
  grep -slx haproxy /proc/[0-9]*/comm | tr '\n' ' '
  echo
fi
grep -s '' /proc/sys/net/ipv4/tcp_fin_timeout /proc/sys/net/ipv4/tcp_tw_reuse /proc/sys/net/core/somaxconn \
  /proc/sys/net/ipv4/ip_local_port_range /proc/sys/net/ipv4/ip_local_reserved_ports
