# shellcheck shell=sh
# probe-service.sh: the question of a heartbeat about a service.
# Needs: service

# hw_probe_service NAME: whether it runs.
hw_probe_service() {
  hw_service_name=$1
  hw_service_find || return
  hw_service_is running || hw_fail "$1 is not running" heartbeat_failed
}
