# shellcheck shell=sh
# The prelude: what the controller sends to a host's shell. lib/remote/prelude.ts puts the parts
# together; nothing is sourced on the host. Where PART.awk stands beside PART.sh, its text is in
# $hw_PART_awk. Every session begins with these:
. ./core.sh
. ./state.sh
# On demand: sent before the first call of one of their functions, with the parts that they need
# (the line `# Needs:` of their head); in this order, one a line.
. ./path.sh
. ./scratch.sh
. ./lock.sh
. ./reboot.sh
. ./write.sh
. ./record.sh
. ./file.sh
. ./tree.sh
. ./copy-tree.sh
. ./link.sh
hw_editor_awk='the text of editor.awk'
. ./editor.sh
hw_dialect_awk='the text of dialect.awk'
hw_ini_awk='the text of ini.awk'
. ./dialect.sh
. ./ini.sh
. ./line.sh
. ./block.sh
. ./env.sh
. ./hosts.sh
. ./edit.sh
. ./fetch.sh
. ./download.sh
. ./archive.sh
. ./git.sh
. ./package.sh
. ./package-rpm.sh
. ./package-apt.sh
. ./package-dnf.sh
. ./package-zypper.sh
. ./package-apk.sh
. ./package-pacman.sh
. ./package-any.sh
. ./package-repo.sh
. ./apt-repo.sh
. ./dnf-repo.sh
. ./text.sh
. ./units.sh
. ./service.sh
. ./systemd-unit.sh
. ./cron.sh
. ./sysctl.sh
. ./hostname.sh
. ./timezone.sh
. ./locale.sh
. ./fstab.sh
. ./mount.sh
. ./swap.sh
. ./kernel-module.sh
. ./accounts.sh
. ./group.sh
. ./user.sh
hw_keys_awk='the text of keys.awk'
. ./keys.sh
. ./sudoers.sh
. ./command.sh
. ./step.sh
. ./action.sh
. ./probe.sh
. ./probe-service.sh
. ./wait.sh
. ./container.sh
. ./receive.sh
. ./fact.sh
. ./facts-network.sh
. ./facts-disks.sh
. ./facts-packages.sh
. ./facts-services.sh
. ./facts-users.sh
