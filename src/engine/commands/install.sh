# shellcheck shell=sh
# install.sh PACKAGE...: installs Debian packages without starting their services.
# File descriptor 3 holds the proxy's URL on its first line (may be empty) and CA certificates behind it.

POLICY=/usr/sbin/policy-rc.d
MARK="# meshctl: services start when they are configured"

main() {
  umask 022
  install -d -m 0755 /run/meshctl
  certificates=$(mktemp /run/meshctl/ca.XXXXXX) || exit
  IFS= read -r proxy <&3
  cat <&3 >"$certificates"
  # By environment, not by argument: the URL may hold a password, and arguments are everybody's to read.
  if [ -n "$proxy" ]; then
    export http_proxy="$proxy" https_proxy="$proxy"
  fi
  # An existing policy is the administrator's and stays; one that a cut-off run of ours left is ours to end.
  if [ ! -e "$POLICY" ] || grep -qxF "$MARK" "$POLICY"; then
    printf '#!/bin/sh\n%s\nexit 101\n' "$MARK" >"$POLICY" && chmod 0755 "$POLICY" || exit
    trap 'rm -f -- "$POLICY" "$certificates"' EXIT
  else
    trap 'rm -f -- "$certificates"' EXIT
  fi
  trap 'exit 143' TERM INT HUP
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none
  dpkg --configure -a --force-confdef --force-confold || exit
  if ! fresh_lists; then
    apt update || exit
  fi
  if ! apt install "$@"; then
    apt update && apt install "$@" || exit
  fi
}

# Lists are fresh when one was fetched within a day.
fresh_lists() {
  [ -n "$(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -mtime -1 -print -quit 2>/dev/null)" ]
}

apt() {
  apt_verb=$1
  shift
  set -- -q -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=600 \
    -o Acquire::Retries=2 "$apt_verb" "$@"
  if [ -s "$certificates" ]; then
    set -- -o "Acquire::https::CaInfo=$certificates" "$@"
  fi
  if [ "$apt_verb" = install ]; then
    set -- --no-install-recommends "$@"
  fi
  apt-get "$@" </dev/null
}

main "$@"
