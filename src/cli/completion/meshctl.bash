# Completes meshctl in bash. Type: source <(meshctl completion bash)
_meshctl() {
  local line=${COMP_LINE:0:COMP_POINT} last=${COMP_WORDS[COMP_CWORD]} current= word quote= sign begun= at
  local -a words=()
  # Parted as bash would, and nothing expanded.
  for ((at = 0; at < ${#line}; at++)); do
    sign=${line:at:1}
    if [[ -n $quote && $sign == "$quote" ]]; then
      quote=
    elif [[ $quote != "'" && $sign == \\ ]]; then
      at=$((at + 1))
      current+=${line:at:1} begun=1
    elif [[ -z $quote && $sign == [\'\"] ]]; then
      quote=$sign begun=1
    elif [[ -z $quote && $sign == [[:space:]] ]]; then
      [[ -n $begun ]] && words+=("$current")
      current= begun=
    else
      current+=$sign begun=1
    fi
  done
  words+=("$current")
  # bash replaces only what follows the last of COMP_WORDBREAKS, and nothing of that itself.
  last=${last#[\'\"]}
  [[ $last == [=:@] ]] && last=
  local before=${current%"$last"}
  COMPREPLY=()
  while IFS=$'\t' read -r word _; do
    if [[ $word == :files ]]; then
      compopt -o default 2>/dev/null
    elif [[ $word == :more ]]; then
      compopt -o nospace 2>/dev/null
    else
      COMPREPLY+=("${word#"$before"}")
    fi
  done < <("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null)
}
complete -F _meshctl meshctl
