# shellcheck shell=sh
# hook.sh COMMAND RUN STEP HOST WAVE: runs a command of the user's own, with nothing to read.

main() {
  export MESHCTL_RUN="$2" MESHCTL_STEP="$3" MESHCTL_HOST="$4" MESHCTL_WAVE="$5"
  exec sh -c "$1" </dev/null
}

main "$@"
