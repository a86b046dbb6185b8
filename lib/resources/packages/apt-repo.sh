# shellcheck shell=sh
# apt-repo.sh: repositories of apt: a deb822 file each, and a keyring of its own.
# Needs: package-repo

# hw_apt_repo NAME TEXT take_over= [sum=] [kind=] [content=]: TEXT is the deb822 stanza without Signed-By. `sum` is the
# SHA-256 of the key, if there is one. `kind` says how that is written, asc (text) or gpg; where the controller
# has not fetched it yet, a key of either kind may be there, and the kind comes with what the step asks for.
hw_apt_repo() {
  hw_words 2 'take_over sum kind content' "$@" || return
  hw_repo_file=/etc/apt/sources.list.d/$1.sources hw_repo_key=
  if [ -z "$hw_want_sum" ]; then
    hw_repo "$hw_repo_file" "$2" ''
    return
  fi
  hw_kind=$hw_want_kind
  if [ -z "$hw_kind" ]; then
    hw_kind=asc
    [ ! -e "/etc/apt/keyrings/$1.gpg" ] || hw_kind=gpg
  fi
  hw_repo_key=/etc/apt/keyrings/$1.$hw_kind
  hw_repo "$hw_repo_file" "$2Signed-By: $hw_repo_key$hw_newline" "$hw_repo_key" "$hw_want_sum" "$hw_want_content" || return
  [ "$hw_status" = changed ] && [ -z "$hw_check" ] || return 0
  # A key that was of the other kind.
  case $hw_kind in asc) hw_repo_key=${hw_repo_key%asc}gpg ;; *) hw_repo_key=${hw_repo_key%gpg}asc ;; esac
  [ -e "$hw_repo_key" ] && hw_is_made "$hw_repo_key" || return 0
  hw_act || return
  rm -f -- "$hw_repo_key" || hw_fail "can't remove $hw_repo_key" || return
  hw_forget_made "$hw_repo_key"
}

# hw_apt_repo_absent NAME
hw_apt_repo_absent() {
  hw_repo_absent "/etc/apt/sources.list.d/$1.sources" "/etc/apt/keyrings/$1.asc" "/etc/apt/keyrings/$1.gpg"
}
