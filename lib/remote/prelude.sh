# shellcheck shell=sh
# The prelude: what the controller sends to a host's shell at the start of a session, in this order.
# lib/remote/prelude.ts puts the parts together; nothing is sourced on the host.
hw_ini_awk='the text of ini.awk'
. ./core.sh
. ./path.sh
. ./state.sh
. ./lock.sh
. ./ini.sh
. ./package.sh
. ./service.sh
. ./command.sh
. ./probe.sh
