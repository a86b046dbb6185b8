# bash completion for hostwright. In ~/.bashrc: source <(hostwright complete bash)
# Works in bash 3.2 and later, without bash-completion. The line is handed over as it is: nothing in it is evaluated,
# and nothing that hostwright answers.
_hostwright() {
  local answer
  COMPREPLY=()
  while IFS= read -r answer; do
    if [ "$answer" = :files ]; then
      while IFS= read -r answer; do
        COMPREPLY[${#COMPREPLY[@]}]=$answer
      done < <(compgen -f -- "$2")
      compopt -o filenames 2>/dev/null
      return
    fi
    COMPREPLY[${#COMPREPLY[@]}]=$answer
  done < <(COMP_LINE=$COMP_LINE COMP_POINT=$COMP_POINT "$1" complete line -- "$2" 2>/dev/null)
  case ${COMPREPLY[0]-} in *[=:]) compopt -o nospace 2>/dev/null ;; esac
}
complete -F _hostwright hostwright
