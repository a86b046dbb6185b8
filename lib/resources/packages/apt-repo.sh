# shellcheck shell=sh
# apt-repo.sh: repositories of apt: a deb822 file each, and a keyring of its own.
# Needs: package-repo

# hw_apt_repo NAME TEXT SUM KIND [KIND] [CONTENT]: TEXT is the deb822 stanza without Signed-By. SUM is the
# key's SHA-256, empty where there is none. KIND says how the key is written, asc (text) or gpg; where
# the controller has not fetched it yet, it is empty: then a key of either kind may be there, and with
# what the step asks for comes the kind.
hw_apt_repo() {
  hw_repo_file=/etc/apt/sources.list.d/$1.sources hw_repo_key=
  if [ -z "$3" ]; then
    hw_repo "$hw_repo_file" "$2" ''
    return
  fi
  hw_kind=$4
  if [ -z "$4" ] && [ -n "${5-}" ]; then
    hw_kind=$5
    hw_content=$6
  else
    hw_content=${5-}
  fi
  if [ -z "$hw_kind" ]; then
    hw_kind=asc
    [ ! -e "/etc/apt/keyrings/$1.gpg" ] || hw_kind=gpg
  fi
  hw_repo_key=/etc/apt/keyrings/$1.$hw_kind
  hw_repo "$hw_repo_file" "$2Signed-By: $hw_repo_key$hw_newline" "$hw_repo_key" "$3" "$hw_content" || return
  [ "$hw_status" = changed ] && [ -z "$hw_check" ] || return 0
  # A key that was of the other kind.
  case $hw_kind in asc) hw_repo_key=${hw_repo_key%asc}gpg ;; *) hw_repo_key=${hw_repo_key%gpg}asc ;; esac
  [ ! -e "$hw_repo_key" ] || rm -f -- "$hw_repo_key"
}

# hw_apt_repo_absent NAME
hw_apt_repo_absent() {
  hw_repo_absent "/etc/apt/sources.list.d/$1.sources" "/etc/apt/keyrings/$1.asc" "/etc/apt/keyrings/$1.gpg"
}
