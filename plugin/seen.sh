#!/bin/sh
# seen.sh PANE-NUMBER ARRIVAL: a second has passed since a person came to that pane. If no person came there again since, the
# pane is counted, and by that it is seen where it is still looked at.
# shellcheck source=plugin/tmux.sh
. "${0%/*}/tmux.sh"
tmux -u set-option -pqu -t "%$1" "#{?#{==:#{@seshsum_arrived},$2},@seshsum_arrived,}" \; \
  set-hook -gu -t "%$1" @sesh_none >/dev/null 2>&1
exit 0
