#compdef hostwright
# zsh completion for hostwright. In ~/.zshrc, after compinit: source <(hostwright complete zsh)
_hostwright() {
  local line
  local -a typed values shown plain
  # Without their quotes; nothing in them is evaluated. The mark keeps an empty last word, whose quote may still be open.
  typed=("${(@Q)words[2,CURRENT-1]}" "=${(Q)PREFIX}")
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      _files
      return
    fi
    values+=("${line%%$'\t'*}")
    shown+=("${line/$'\t'/  -- }")
  done < <("${(Q)words[1]}" complete words -- "${(@)typed}" 2>/dev/null)
  (( $#values )) || return 1
  plain=("${(@M)values:#*[=:]}")
  if (( $#plain == $#values )); then
    compadd -S '' -l -d shown -a values
  else
    compadd -l -d shown -a values
  fi
}
compdef _hostwright hostwright
