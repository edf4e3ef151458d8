# shellcheck shell=sh
# Sent before the scripts that write files. The manifest is text as sha256sum prints it: digest, two spaces, path.

STATE=/var/lib/meshctl

# record_in_manifest DIGEST PATH; DIGEST "-" forgets the path.
record_in_manifest() {
  install -d -m 0700 "$STATE" || return
  (
    if ! flock -w 10 8; then
      echo "$STATE/manifest.lock is held by another process"
      exit 1
    fi
    # What a power cut left half-written, under the lock.
    rm -f -- "$STATE"/.manifest.??????
    next=$(mktemp "$STATE/.manifest.XXXXXX") || exit
    trap 'rm -f -- "$next"' EXIT
    if [ -e "$STATE/manifest" ]; then
      # A full disk must not leave half a manifest: our own files would look like somebody else's.
      while read -r known_digest known_path; do
        [ "$known_path" = "$2" ] || printf '%s  %s\n' "$known_digest" "$known_path" || exit
      done <"$STATE/manifest" >"$next"
    fi
    [ "$1" = "-" ] || printf '%s  %s\n' "$1" "$2" >>"$next" || exit
    sync "$next" && mv -fT "$next" "$STATE/manifest"
  ) 8>"$STATE/manifest.lock"
}

# keep_for_run RUN PATH: copies what is there now into the run's folder, once a run; remembers what was absent.
keep_for_run() {
  kept="$STATE/runs/$1"
  install -d -m 0700 "$STATE" "$STATE/runs" "$kept" || return
  if [ -e "$kept/before$2" ] || grep -qxF -- "$2" "$kept/absent" 2>/dev/null; then
    return 0
  fi
  if [ -e "$2" ]; then
    mkdir -p -- "$(dirname "$kept/before$2")" && cp -pL -- "$2" "$kept/before$2"
  else
    printf '%s\n' "$2" >>"$kept/absent"
  fi
}
