# shellcheck shell=sh
# build-begin.sh NAME SECONDS TEXT: begins a build, the script TEXT with what file descriptor 3 holds, as a unit of
# systemd's that goes on when this has ended, for at most so long. What it says waits in its folder for build-await.sh.

main() {
  folder=$BUILDS/$1 unit=meshctl-build-$1.service seconds=$2 text=$3
  # Begun by a run that was cut off: it goes on, or has ended well.
  if [ -e "$folder/begun" ]; then
    case $(systemctl show --value --property=SubState "$unit") in running | exited) return 0 ;; esac
  fi
  drop_builds
  umask 077
  mkdir -p -- "$folder" && cat <&3 >"$folder/input" &&
    # The proxy's URL may hold a password: it is not kept longer than it takes to open it.
    printf 'exec 3<&0 </dev/null\nrm -f -- %s\n%s\n' "$folder/input" "$text" >"$folder/script" || return
  systemd-run --quiet --unit="$unit" \
    --property=RemainAfterExit=yes --property=RuntimeMaxSec="$seconds" \
    --property=StandardInput="file:$folder/input" \
    --property=StandardOutput="file:$folder/output" --property=StandardError="file:$folder/errors" \
    sh "$folder/script" && : >"$folder/begun" || return
}

main "$@"
