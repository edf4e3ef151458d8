# shellcheck shell=sh
# reboot.sh BOOT: reboots the host, if it is still in the boot with this number. What is being installed is not cut off.

DPKG_LOCK=/var/lib/dpkg/lock-frontend

main() {
  read -r boot </proc/sys/kernel/random/boot_id || exit
  if [ "$boot" != "$1" ]; then
    echo "it has been rebooted meanwhile"
    exit 1
  fi
  if [ "$(systemctl is-system-running)" = stopping ]; then
    echo "it is going down already, and nobody knows whether it comes back"
    exit 1
  fi
  holder=$(dpkg_holder)
  if [ -n "$holder" ]; then
    echo "process $holder ($(ps -o comm= -p "$holder")) installs packages there; run this again when it has ended"
    exit 1
  fi
  sync
  systemctl reboot
}

# The process that has dpkg's lock, as the kernel says it; nothing when there is none.
dpkg_holder() {
  inode=$(stat -c %i -- "$DPKG_LOCK" 2>/dev/null) || return 0
  while read -r _ _ _ _ pid place _; do
    if [ "${place##*:}" = "$inode" ] && [ "$(readlink -f -- "$DPKG_LOCK")" = "$(lock_path "$pid")" ]; then
      echo "$pid"
      return
    fi
  done </proc/locks
}

# lock_path PID: dpkg's lock, if the process has it open: inodes of several disks may be equal.
lock_path() {
  for open in /proc/"$1"/fd/*; do
    if [ "$(readlink -- "$open")" = "$DPKG_LOCK" ]; then
      echo "$DPKG_LOCK"
      return
    fi
  done
}

main "$@"
