#!/bin/sh
# count.sh: counts every sesh anew, for the tmux command `sesh-count`. It is quiet: run-shell would put anything that it
# prints before a person's eyes.
dir=$(cd -- "${0%/*}/.." && pwd -P) || exit 0
. "$dir/plugin/lib.sh"
exec </dev/null >/dev/null 2>&1
count_all
exit 0
