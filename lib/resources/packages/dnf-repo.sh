# shellcheck shell=sh
# dnf-repo.sh: repositories of dnf and yum: a file each, and a file with the key.
# Needs: package-repo

# hw_dnf_repo NAME TEXT take_over= [sum=] [content=]: `sum` is the key's SHA-256; there is none where the text names its own.
hw_dnf_repo() {
  hw_words 2 'take_over sum content' "$@" || return
  hw_repo_key=
  [ -z "$hw_want_sum" ] || hw_repo_key=/etc/pki/rpm-gpg/RPM-GPG-KEY-$1
  hw_repo "/etc/yum.repos.d/$1.repo" "$2" "$hw_repo_key" "$hw_want_sum" "$hw_want_content"
}

# hw_dnf_repo_absent NAME
hw_dnf_repo_absent() {
  hw_repo_absent "/etc/yum.repos.d/$1.repo" "/etc/pki/rpm-gpg/RPM-GPG-KEY-$1"
}
