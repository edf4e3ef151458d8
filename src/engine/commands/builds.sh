# shellcheck shell=sh
# Sent before build-begin.sh and build-await.sh.

BUILDS=/run/meshctl/build

# drop_builds: one build at a time. What another meshctl has begun, or what has failed for a run that was cut off, is ended
# and taken away with what it was told.
drop_builds() {
  [ -d "$BUILDS" ] || return 0
  systemctl stop "meshctl-build-*.service"
  systemctl reset-failed "meshctl-build-*.service" 2>/dev/null
  rm -rf -- "$BUILDS"
}
