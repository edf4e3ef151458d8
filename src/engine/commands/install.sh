# shellcheck shell=sh
# install.sh PACKAGE...: installs Debian packages without starting their services.
# File descriptor 3 holds the proxy's URL on its first line (may be empty) and CA certificates behind it.

POLICY=/usr/sbin/policy-rc.d
MARK="# meshctl: services start when they are configured"
SYSTEM_CERTIFICATES=/etc/ssl/certs/ca-certificates.crt

main() {
  umask 022
  certificates="" is_policy_ours=""
  trap clean_up EXIT
  trap 'exit 143' TERM INT HUP
  IFS= read -r proxy <&3
  take_certificates || exit
  # By environment, not by argument: the URL may hold a password, and arguments are everybody's to read.
  if [ -n "$proxy" ]; then
    export http_proxy="$proxy" https_proxy="$proxy"
  fi
  hold_back_services || exit
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none APT_LISTBUGS_FRONTEND=none
  if ! fresh_lists; then
    update_lists || exit
  fi
  # The second attempt is for lists that are too old, and for a dpkg that was cut off in the middle. Not at once:
  # apt-get waits for whoever holds dpkg's lock, and dpkg itself does not.
  apt install "$@" && exit
  dpkg --configure -a --force-confdef --force-confold
  update_lists && apt install "$@" && exit
  status=$?
  tell_removals "$@"
  # apt-get calls an update that reached nobody a success, and then does not know the package.
  if [ -z "$(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -print -quit 2>/dev/null)" ]; then
    echo "apt-get could fetch no package list: check network.proxy and network.ca_file in the inventory, and the host's package sources" >&2
  fi
  return "$status"
}

clean_up() {
  [ -z "$certificates" ] || rm -f -- "$certificates"
  [ -z "$is_policy_ours" ] || rm -f -- "$POLICY" "$POLICY.meshctl"
}

# What the system trusts, and the network's own authorities with it.
take_certificates() {
  install -d -m 0755 /run/meshctl && certificates=$(mktemp /run/meshctl/ca.XXXXXX) || return
  cat <&3 >"$certificates" || return
  if [ -s "$certificates" ]; then
    [ ! -r "$SYSTEM_CERTIFICATES" ] || cat "$SYSTEM_CERTIFICATES" >>"$certificates" || return
    # apt's downloads run as a user of their own.
    chmod 0644 "$certificates"
  fi
}

# An existing policy is the administrator's and stays. Ours counts only while this shell lives: a run that is killed
# must not leave a host whose services never start again.
hold_back_services() {
  if [ -e "$POLICY" ] && ! grep -qxF "$MARK" "$POLICY"; then
    return 0
  fi
  is_policy_ours=yes
  read -r boot </proc/sys/kernel/random/boot_id
  # Half a script would be a policy of its own.
  printf '#!/bin/sh\n%s\ngrep -qxF %s /proc/sys/kernel/random/boot_id && kill -0 %s 2>/dev/null && exit 101\nexit 0\n' \
    "$MARK" "$boot" "$$" >"$POLICY.meshctl" && chmod 0755 "$POLICY.meshctl" && mv -fT -- "$POLICY.meshctl" "$POLICY"
}

# Lists are fresh when one was fetched within a day.
fresh_lists() {
  [ -n "$(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -mtime -1 -print -quit 2>/dev/null)" ]
}

# apt-get waits for dpkg's lock, but not for that of the lists, which a host's daily update holds for a while.
update_lists() {
  for attempt in 1 2 3; do
    apt update && return
    [ "$attempt" = 3 ] || sleep 10
  done
  return 1
}

# tell_removals PACKAGE...: which packages stand in the way: what the host has is never taken away for what meshctl adds.
tell_removals() {
  removals=$(apt --simulate install "$@" 2>/dev/null | sed -n 's/^Remv \([^ ]*\).*/\1/p' | tr '\n' ' ')
  if [ -n "$removals" ]; then
    echo "installing $* would remove ${removals% }, and meshctl removes no packages: remove them by hand if nothing needs them, then run this again" >&2
    exit "$status"
  fi
}

# apt [--simulate] update|install [PACKAGE]...
apt() {
  apt_remove=--no-remove
  if [ "$1" = --simulate ]; then
    apt_remove=--simulate
    shift
  fi
  apt_verb=$1
  shift
  set -- -q -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=600 \
    -o Acquire::Retries=2 "$apt_verb" "$@"
  if [ -s "$certificates" ]; then
    set -- -o "Acquire::https::CaInfo=$certificates" "$@"
  fi
  if [ "$apt_verb" = install ]; then
    set -- --no-install-recommends "$apt_remove" "$@"
  fi
  apt-get "$@" </dev/null
}

main "$@"
