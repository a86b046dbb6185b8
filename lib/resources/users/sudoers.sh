# shellcheck shell=sh
# sudoers.sh: files of /etc/sudoers.d.
# Needs: file

# hw_sudoers PATH [sum=] [perms=] [mode=] [user=] [group=] [validate=] [backup=] [in_place=] [take_over=] [large=] [content=]: as hw_file, of a
# file that visudo finds good before it is in use. Beside the others it has a name with a dot until then, which
# sudo does not read.
hw_sudoers() {
  command -v visudo >/dev/null || hw_without visudo sudo || return
  hw_file "$@"
}
