#!/bin/sh
# reap.sh WELL-OR-TROUBLED [BIN]: runs sesh-reap from the folder BIN, for the hooks and the tick. Quiet: run-shell would put
# anything it prints, and any exit code but 0, before a person's eyes.
dir=${0%/*}/..
common() {
  dir=$(cd -- "$dir" && pwd -P) || exit 0
  . "$dir/plugin/lib.sh"
}
if [ -n "$2" ] && [ -x "$2/sesh-reap" ]; then
  "$2/sesh-reap" >/dev/null 2>&1
  if [ "$1" = troubled ]; then
    common
    # They had left, and are back.
    case $(ask '#{@seshplugin_trouble}') in
      'sesh: the helpers left '* | 'sesh: there is no '*) trouble '' ;;
    esac
  fi
  exit 0
fi
tmux -u set-environment -ghu SESH_reap
if [ -n "$2" ] && ! [ -x "$2/sesh-list" ]; then
  common
  trouble "sesh: the helpers left $(short "$2"), run $(short "$dir/bin/install")"
fi
exit 0
