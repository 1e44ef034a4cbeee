#!/bin/sh
# reap.sh [BIN]: runs sesh-reap from the folder BIN, for the hooks and the tick. Quiet: run-shell would put anything it
# prints, and any exit code but 0, before a person's eyes.
dir=${0%/*}/..
if [ -n "$1" ] && [ -x "$1/sesh-reap" ]; then
  "$1/sesh-reap" >/dev/null 2>&1
  exit 0
fi
tmux -u set-environment -ghu SESH_reap
if [ -n "$1" ] && ! [ -x "$1/sesh-list" ]; then
  dir=$(cd -- "$dir" && pwd -P) || exit 0
  . "$dir/plugin/lib.sh"
  trouble "sesh: the helpers left $(short "$1"), run $(short "$dir/bin/install")"
fi
exit 0
