# shellcheck shell=sh
# Read-only facts about the host that every step may need, but for the clock (clock.sh).

main() {
  os_id="" os_version="" os_codename="" os_pretty=""
  while IFS='=' read -r key value; do
    value=${value#[\"\']}
    value=${value%[\"\']}
    case $key in
      ID) os_id=$value ;;
      VERSION_ID) os_version=$value ;;
      VERSION_CODENAME) os_codename=$value ;;
      PRETTY_NAME) os_pretty=$value ;;
    esac
  done 2>/dev/null </etc/os-release
  # sid has no codename of its own in os-release; base-files' debian_version tells it from the next stable.
  if [ -z "$os_version" ] && [ "$os_id" = debian ] && [ -r /etc/debian_version ]; then
    read -r debian_version </etc/debian_version
    case $debian_version in */sid) os_codename=sid ;; esac
  fi
  emit os "$os_id" "$os_version" "$os_codename" "$os_pretty"
  emit kernel "$(uname -r)"
  emit architecture "$(dpkg --print-architecture 2>/dev/null)"
  # It prints "none" on bare metal, and nothing where it fails.
  emit virtualization "$(systemd-detect-virt 2>/dev/null)"
  emit cpus "$(nproc)"
  while read -r key value _; do
    if [ "$key" = MemTotal: ]; then
      emit memory_kib "$value"
      break
    fi
  done </proc/meminfo
  # A limit on the whole host, as containers have it; both cgroup versions.
  for limit_file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    if [ -r "$limit_file" ]; then
      read -r limit <"$limit_file"
      emit memory_limit "$limit"
    fi
  done
  read -r boot_id </proc/sys/kernel/random/boot_id
  emit boot_id "$boot_id"
  read -r uptime _ </proc/uptime
  emit uptime "$uptime"
  while read -r word_a word_b word_c _ hard _; do
    if [ "$word_a $word_b $word_c" = "Max open files" ]; then
      emit hard_open_files "$hard"
    fi
  done </proc/1/limits
  ip -o addr show 2>/dev/null | while read -r _ _ family address _; do
    case $family in
      inet | inet6) emit address "${address%%/*}" ;;
    esac
  done
  ss -Hltnp 2>/dev/null | while read -r _ _ _ local _ users; do
    process=${users#*\"}
    [ "$process" = "$users" ] && process=""
    emit listener "$local" "${process%%\"*}"
  done
  if [ -r /var/lib/meshctl/manifest ]; then
    while read -r digest path; do
      emit manifest "$digest" "$path"
    done </var/lib/meshctl/manifest
  fi
  dpkg-query -W -f='package\t${binary:Package}\t${db:Status-Abbrev}\t${Version}\n' 2>/dev/null
}

main "$@"
