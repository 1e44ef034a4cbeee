#!/bin/sh
# mend.sh: sets the plugin's hooks again, for the tick and for a client that attaches. It is quiet, as all jobs are.
dir=$(cd -- "${0%/*}/.." && pwd -P) || exit 0
. "$dir/plugin/tmux.sh"
tmux -u source-file "$dir/tmux.conf.d/45-events.conf" >/dev/null 2>&1
exit 0
