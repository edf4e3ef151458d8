# shellcheck shell=sh
# build.sh OUTPUT DOWNLOADER RUBY NAME:VERSION:SHA256...: compares the checksums of the gems, builds them and writes what
# is needed to run them, as a tar, to OUTPUT. File descriptor 3 holds the proxy's URL on its
# first line (may be empty), and behind it CA certificates and gems, each gem as a line "file NAME-VERSION.gem BASE64".
# Gems that are not there are downloaded, by the Ruby program that DOWNLOADER is the text of. Nothing that came from the network runs as root, but as a user that is made up
# for this build: no other process is his, before or after.

main() {
  output=$1 downloader=$2 ruby=$3
  shift 3
  umask 022
  IFS= read -r proxy <&3
  trap 'rm -rf -- "$work"' EXIT
  trap 'exit 143' TERM INT HUP
  make_work || exit
  cat <&3 >"$work/input"
  exec 3<&-
  found=$(basename "$(readlink -f /usr/bin/ruby)")
  if [ "$found" != "$ruby" ]; then
    echo "the gems are to be built for $ruby and this host has ${found:-no ruby}: name a build_host of the same release"
    exit 1
  fi
  # Of the ids that systemd's list of them (UIDS-GIDS) leaves unused.
  builder=$((1879048192 + $(od -An -N 4 -t u4 /dev/urandom) % 268435456))
  hand_over "$@" || exit
  install -d -m 0755 -o "$builder" -g "$builder" "$work/home" || exit
  chown "$builder:$builder" "$work/gems" "$work/gems/cache" && chmod 0755 "$work" || exit
  grep -v "^file " "$work/input" >"$work/own-certificates"
  if [ -s "$work/own-certificates" ]; then
    cat /etc/ssl/certs/ca-certificates.crt "$work/own-certificates" >"$work/certificates" || exit
  fi
  for gem in "$@"; do
    fetch "$gem" || exit
  done
  for gem in "$@"; do
    compile "$gem" || exit
  done
  pack "$@"
}

# Where it may be built: extensions are compiled and loaded there, and a hardened host executes nothing in /var/tmp.
PLACES="/var/tmp /opt /var/lib"

# make_work: a folder in the first place that programs may be executed in. Sets $work, and $place.
make_work() {
  work=""
  for place in $PLACES; do
    # What a power cut left half-built: one build at a time runs here.
    rm -rf -- "$place"/meshctl-build.??????
  done
  for place in $PLACES; do
    work=$(mktemp -d "$place/meshctl-build.XXXXXX") || continue
    printf '#!/bin/sh\n' >"$work/try" && chmod 0700 "$work/try" && "$work/try" 2>/dev/null && return
    rm -rf -- "$work"
  done
  work=""
  echo "there is no place to build the gems in: of $PLACES each is mounted noexec, read-only or full (findmnt -T /opt tells); name another build_host, or mount -o remount,exec one of them" >&2
  return 1
}

# hand_over NAME:VERSION:SHA256...: the gems that came with the input, before their folder is the builder's.
hand_over() {
  mkdir -m 0755 "$work/gems" "$work/gems/cache" || return
  for gem in "$@"; do
    split "$gem"
    file=$name-$version.gem
    if grep -q "^file $file " "$work/input"; then
      sed -n "s/^file $file //p" "$work/input" | base64 -d >"$work/gems/cache/$file" || return
    fi
  done
}

# unprivileged COMMAND...
unprivileged() {
  HOME="$work/home" setpriv --reuid="$builder" --regid="$builder" --clear-groups --no-new-privs -- "$@" </dev/null
}

# fetch NAME:VERSION:SHA256
fetch() {
  split "$1"
  file=$name-$version.gem
  if [ ! -e "$work/gems/cache/$file" ] && ! download; then
    echo "$file could not be downloaded: check network.proxy and network.ca_file in the inventory, or say with \`gems\` which folder of the machine meshctl runs on holds the .gem files" >&2
    return 1
  fi
  sum=$(unprivileged sha256sum -- "$work/gems/cache/$file") || return
  if [ "${sum%% *}" != "$sha256" ]; then
    echo "$file has the sha256 ${sum%% *} and not $sha256: it is not the gem that was locked, nothing was built" >&2
    return 1
  fi
}

# download: the gem that $name and $version say.
download() {
  (
    # By environment, not by argument: the URL may hold a password, and arguments are everybody's to read.
    if [ -n "$proxy" ]; then
      export http_proxy="$proxy" https_proxy="$proxy"
    fi
    if [ -s "$work/certificates" ]; then
      export SSL_CERT_FILE="$work/certificates"
    fi
    for attempt in 1 2 3; do
      unprivileged ruby -e "$downloader" "$name" "$version" "$work/gems" && exit 0
      [ "$attempt" = 3 ] || sleep 2
    done
    exit 1
  )
}

# compile NAME:VERSION:SHA256
compile() {
  split "$1"
  echo "building $name $version"
  # ZooKeeper's C client of 2012 makes warnings errors, and gcc 16 has a new one. Its configure takes these from here;
  # "-g -O2" is what it takes by itself.
  CFLAGS="-g -O2 -Wno-error=discarded-qualifiers" \
    unprivileged gem install --local --install-dir "$work/gems" --ignore-dependencies --no-document \
    "$work/gems/cache/$name-$version.gem" && return
  # What gem says last is the name of this file, which nobody will find there. Options and backtraces are indented.
  unprivileged find "$work/gems" -name gem_make.out -type f -exec grep -hv '^[[:space:]]*$\|^[[:space:]]' {} + |
    tail -n 11 >&2
  echo "$name-$version.gem did not build: it takes the packages ruby-dev, gcc, make, libc6-dev and patch, and room in $place" >&2
  return 1
}

# What runs: libraries, the programs and zookeeper's Ruby files, with the sum of each file.
pack() {
  mkdir "$work/tree" || return
  for gem in "$@"; do
    split "$gem"
    printf '%s %s %s\n' "$name" "$version" "$sha256" >>"$work/tree/gems.lock"
    built="gems/$name-$version"
    case $name in
      synapse | nerve) wanted="lib bin" ;;
      zookeeper) wanted="lib ext/c_zookeeper.rb ext/extconf.rb ext/generate_gvl_code.rb ext/zookeeper_base.rb" ;;
      *) wanted=lib ;;
    esac
    # Read as the builder: a link that a build left leads to nothing of root's.
    # shellcheck disable=SC2086 # one word each
    mkdir -p "$work/tree/$built" && unprivileged tar -C "$work/gems/$built" -cf "$work/home/$name.tar" $wanted &&
      unprivileged cat "$work/home/$name.tar" >"$work/$name.tar" || return
    # What a build left behind may have put another archive there.
    if tar -tvf "$work/$name.tar" | grep -v '^[-d]'; then
      echo "$name holds more than plain files and directories" >&2
      return 1
    fi
    tar -C "$work/tree/$built" --no-same-owner --no-same-permissions -xf "$work/$name.tar" || return
  done
  chmod -R u=rwX,go=rX "$work/tree" && try || return
  (cd "$work/tree" && find gems gems.lock -type f | LC_ALL=C sort | xargs sha256sum >SHA256SUMS) &&
    mkdir -p -- "$(dirname "$output")" &&
    tar -C "$work/tree" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --format=ustar \
      -cf "$work/tree.tar" gems gems.lock SHA256SUMS &&
    gzip -9n <"$work/tree.tar" >"$output.new" && mv -fT -- "$output.new" "$output"
}

# What was built loads: a program that dies at every start would only say so in the journal of each host.
try() {
  (
    RUBYLIB=$(printf '%s:' "$work"/tree/gems/*/lib "$work"/tree/gems/*/ext)
    export RUBYLIB
    unprivileged ruby -r zk -r synapse -r nerve -e "" && exit
    echo "the gems were built and do not load with $ruby" >&2
    exit 1
  )
}

# split NAME:VERSION:SHA256 into the three
split() {
  name=${1%%:*}
  sha256=${1##*:}
  version=${1#*:}
  version=${version%:*}
}

main "$@"
