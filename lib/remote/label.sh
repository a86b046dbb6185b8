# shellcheck shell=sh
# label.sh: labels of SELinux, for what is new: what is replaced keeps its own, see hw_copy_attributes.

# hw_label NEW PATH file|dir|symlink: what is to become PATH gets the label that SELinux's policy has for that path;
# under another name it got one by its directory alone. Before it has its place, and its content: a run that is cut
# off leaves none that is wrong. A file system without labels is no fault.
hw_label() {
  hw_label_of "$2" "$3"
  [ -z "$hw_found" ] || chcon -h -- "$hw_found" "$1" || hw_also 'without its SELinux label'
}

# hw_label_of PATH file|dir|symlink: that label into hw_found, if any.
hw_label_of() {
  hw_found=''
  hw_has_selinux || return 0
  hw_found=$(matchpathcon -n -m "$2" "$1") || hw_found=''
  case $hw_found in '<<none>>') hw_found='' ;; esac
}

# hw_label_below PATH: the labels of all that is there, under its last name.
hw_label_below() {
  ! hw_has_selinux || restorecon -R -- "$1" || hw_also 'without its SELinux labels'
}

# hw_has_selinux: whether the kernel goes by such labels. No process where SELinux's programs are not there.
hw_selinux=''
hw_has_selinux() {
  if [ -z "$hw_selinux" ]; then
    hw_selinux=no
    ! command -v selinuxenabled >/dev/null || ! selinuxenabled || hw_selinux=yes
  fi
  [ "$hw_selinux" = yes ]
}
