#!/bin/sh
# reap.sh well|troubled all|closed [BIN]: runs sesh-reap from the folder BIN, for the hooks and the tick; `closed` has it
# look only at what has no pane any more. Quiet: run-shell would put anything it prints, and any exit code but 0, before
# a person's eyes. A message tells what it has forgotten.
dir=${0%/*}/..
common() {
  dir=$(cd -- "$dir" && pwd -P) || exit 0
  . "$dir/plugin/lib.sh"
}

# reap: a helper that is older than --closed refuses it as a usage error, and looks at everything instead.
reap() {
  if [ "$scope" = closed ]; then
    "$bin/sesh-reap" --closed
    [ $? = 2 ] || return
  fi
  "$bin/sesh-reap"
}

health=$1 scope=$2 bin=$3
if [ -n "$bin" ] && [ -x "$bin/sesh-reap" ]; then
  # What @sesh-forget has forgotten has a line each, so that nothing is forgotten silently.
  if told=$(reap 2>/dev/null) && [ -n "$told" ]; then
    common
    names=$(printf '%s\n' "$told" | sed 's/ is forgotten: .*//' | head -n 4 | paste -s -d , -)
    tell "sesh: @sesh-forget has forgotten $(printf '%s\n' "$told" | wc -l | tr -d ' '): $names"
  fi
  if [ "$health" = troubled ]; then
    common
    # They had left, and are back.
    case $(ask '#{@seshplugin_trouble}') in
      'sesh: the helpers left '* | 'sesh: no helpers in '*) trouble '' ;;
    esac
  fi
  exit 0
fi
. "$dir/plugin/tmux.sh"
tmux -u set-environment -ghu SESH_reap
if [ -n "$bin" ] && ! [ -x "$bin/sesh-list" ]; then
  left=$bin
  common
  trouble "sesh: the helpers left $(short "$left"), $(by_hand)"
fi
exit 0
