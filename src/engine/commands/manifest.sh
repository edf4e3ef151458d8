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
    sync "$next" && mv -fT "$next" "$STATE/manifest" && sync "$STATE"
  ) 8>"$STATE/manifest.lock"
}

# remove_file PATH: gone for good, also after a power cut, so that the manifest may forget it.
remove_file() {
  rm -f -- "$1" || return
  [ ! -d "$(dirname "$1")" ] || sync "$(dirname "$1")"
}

# sync_folders PATH: the folders on the way to PATH, from $STATE on, may all be new.
sync_folders() {
  folder=$1
  while [ "$folder" != "$STATE" ]; do
    folder=$(dirname "$folder")
    sync "$folder" || return
  done
}

# manifest_digest PATH: what the manifest says of it, "-" when nothing.
manifest_digest() {
  found_digest=-
  if [ -e "$STATE/manifest" ]; then
    while read -r known_digest known_path; do
      [ "$known_path" != "$1" ] || found_digest=$known_digest
    done <"$STATE/manifest"
  fi
  printf '%s\n' "$found_digest"
}

# digest_of PATH: sha256, "-" when there is no such file.
digest_of() {
  if [ -e "$1" ]; then
    found_sum=$(sha256sum <"$1") && printf '%s\n' "${found_sum%% *}"
  else
    echo -
  fi
}

# keep_for_run RUN STEP PATH DIGEST: to be called before a file gets the content of DIGEST ("-": is removed). Copies
# what is there now into the run's folder, once a run, and adds a line to the run's list:
#   STEP DIGEST-NOW DIGEST-BEFORE DIGEST-IN-THE-MANIFEST-BEFORE PATH
# The first line of a path tells what was there before the run, the last one what the run put there.
keep_for_run() {
  kept="$STATE/runs/$1"
  install -d -m 0700 "$STATE" "$STATE/runs" "$kept" || return
  [ -e "$kept/files" ] || prune_runs "$1"
  kept_before=$(digest_of "$3") && kept_manifest=$(manifest_digest "$3") || return
  if [ "$kept_before" != - ] && [ ! -e "$kept/before$3" ] && ! is_listed "$3"; then
    # Renamed when complete: half a copy must not pass for what was there.
    mkdir -p -- "$(dirname "$kept/before$3")" && cp -pL -- "$3" "$kept/copy" && sync "$kept/copy" &&
      mv -fT -- "$kept/copy" "$kept/before$3" && sync_folders "$kept/before$3" || return
  fi
  printf '%s %s %s %s %s\n' "$2" "$4" "$kept_before" "$kept_manifest" "$3" >>"$kept/files" && sync "$kept/files" &&
    sync_folders "$kept/files"
}

# is_listed PATH: whether the run in $kept has a line of it already.
is_listed() {
  [ -e "$kept/files" ] || return
  while read -r _ _ _ _ known_path; do
    [ "$known_path" != "$1" ] || return 0
  done <"$kept/files"
  return 1
}

# prune_runs RUN: the last 20 runs are kept, and RUN whatever the clock says. Names sort by time.
prune_runs() {
  set -- "$1" "$STATE"/runs/[0-9]*-[0-9]*-*
  present=$1
  shift
  while [ $# -gt 20 ]; do
    [ "$1" = "$STATE/runs/$present" ] || rm -rf -- "$1"
    shift
  done
}
