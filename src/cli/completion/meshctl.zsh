#compdef meshctl
# Completes meshctl in zsh. Type: source <(meshctl completion zsh)
_meshctl() {
  local line name
  local -a found
  local -a space
  for line in "${(@f)$("${words[1]}" complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      '') ;;
      :files) _files; return ;;
      :more) space=(-S '') ;;
      *)
        name=${line%%$'\t'*}
        if [[ $line == *$'\t'* ]]; then
          found+=("${name//:/\\:}:${line#*$'\t'}")
        else
          found+=("${name//:/\\:}")
        fi
        ;;
    esac
  done
  (( $#found )) && _describe meshctl found $space
}
compdef _meshctl meshctl
