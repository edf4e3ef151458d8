# shellcheck shell=sh
# check.sh DIGEST SECONDS COMMAND: runs the command each second until it ends with 0, and notes for DIGEST what came of it,
# with what it said last. What it failed with is kept apart: the files of before may be put back, which it passed with.

RECORD=/var/lib/meshctl/files-check

main() {
  umask 077
  install -d -m 0700 "${RECORD%/*}" && install -d -m 0755 /run/meshctl && output=$(mktemp /run/meshctl/check.XXXXXX) || exit
  trap 'rm -f -- "$output" "$RECORD-new"' EXIT
  end=$(($(now) + $2))
  while :; do
    left=$((end - $(now)))
    [ "$left" -ge 1 ] || left=1
    timeout -k 1 "$left" sh -c "$3" </dev/null >"$output" 2>&1
    code=$?
    if [ "$code" -eq 0 ]; then
      record "$1" passed "$(last_words)" && rm -f -- "$RECORD-failed"
      exit
    fi
    [ "$(now)" -lt "$end" ] || break
    sleep 1
  done
  case $code in
    124 | 137) how="it did not end within $2 s" ;;
    *) how="it did not pass within $2 s, and ended with $code" ;;
  esac
  said=$(last_words)
  how="$how: ${said:-it said nothing}"
  record "$1" failed "$how"
  printf '%s\n' "$how"
  exit 1
}

# now: seconds since the boot, whatever happens to the clock.
now() {
  read -r uptime _ </proc/uptime
  printf '%s\n' "${uptime%.*}"
}

# last_words: the last line that is not empty, as one of text.
last_words() {
  tail -c 4096 -- "$output" | tr -c '[:print:]\n' ' ' | grep -v '^ *$' | tail -n 1 | cut -c 1-300
}

# record DIGEST OUTCOME WORDS: ahead of the last that are there, for files of before may be put back later.
record() {
  {
    printf '%s %s\n%s\n' "$1" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$3"
    if [ "$2" = passed ] && [ -e "$RECORD-passed" ]; then head -n 8 -- "$RECORD-passed"; fi
  } >"$RECORD-new" && mv -fT -- "$RECORD-new" "$RECORD-$2"
}

main "$@"
