#!/bin/sh
# What a plugin manager runs, or `run-shell /path/to/sesh.tmux` in tmux.conf: finds the helpers, reads tmux.conf.d, binds
# the keys. Says nothing and waits for nothing: what is wrong stands in the segment and in sesh-doctor.
case $0 in
  */*) folder=${0%/*} ;;
  *) folder=. ;;
esac
dir=$(cd -- "$folder" && pwd -P) || exit 1
. "$dir/plugin/lib.sh"
load
exit 0
