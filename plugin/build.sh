#!/bin/sh
# Builds the helpers with cargo, once, in the background: started by sesh.tmux through run-shell, which waits for nobody.
# The segment says how far it is; a failure is told once, and its log is kept.
dir=$(cd -- "${0%/*}/.." && pwd -P) || exit 0
. "$dir/plugin/lib.sh"
# What is built is of use without the server's answer too.
silent_server=stay
exec </dev/null >/dev/null 2>&1

umask 077
mkdir -p "$state_dir" || {
  trouble "sesh: $(short "$state_dir") cannot be written"
  exit 0
}

# One at a time: a folder is made by one alone. One whose maker is gone is nobody's.
lock=$state_dir/build.lock
if ! mkdir "$lock"; then
  holder=$(cat "$lock/pid")
  if [ -z "$holder" ]; then
    # Made this moment, or its maker died between two steps.
    [ -n "$(find "$lock" -prune -mmin +1)" ] || exit 0
  elif kill -0 "$holder"; then
    exit 0
  fi
  # Moved away, so that of several who saw it one alone takes it over.
  mv "$lock" "$lock.$$" && rm -rf "$lock.$$" && mkdir "$lock" || exit 0
fi
echo $$ >"$lock/pid"
trap 'rm -rf "$lock"' EXIT
trap 'exit 0' HUP INT TERM

from=$(sources)
wanted_bin=$(ask '#{@sesh-bin}')
find_helpers
if [ -n "$bin" ] && ! stale; then
  # Somebody else built them while this waited for its turn.
  trouble ''
  exit 0
fi
had=$bin
[ -n "$had" ] || trouble 'sesh: building the helpers'

# The plugin's own folder, or, where that cannot be written, one in the home.
place=$dir/bin
[ -w "$place" ] || place=$data_dir/bin
find_cargo
all=$(grep -c '^name = ' "$dir/Cargo.lock")
said=0
if {
  PATH=${cargo%/*}:$PATH "$dir/bin/install" --to "$place" --target-dir "$cache_dir/target" 2>&1
  echo "exit $?"
} | {
  : >"$log"
  done_count=0 status=1
  while IFS= read -r line; do
    case $line in
      'exit '*) status=${line#exit } ;;
      *) printf '%s\n' "$line" >>"$log" ;;
    esac
    case $line in
      *Compiling\ *)
        done_count=$((done_count + 1))
        # A word in the segment redraws every client: a few are enough.
        if [ -z "$had" ] && [ $((done_count - said)) -ge 10 ]; then
          said=$done_count
          trouble "sesh: building the helpers ($done_count of $all)"
        fi
        ;;
    esac
  done
  [ "$status" = 0 ]
}; then
  echo "$from" >"$place/.sesh-built"
  rm -f "$state_dir/failed"
  tmux -u set-option -s @seshplugin_bin "$(word "$place")"
  on_path "$place"
  trouble ''
  exit 0
fi
echo "$from" >"$state_dir/failed"
sentence="sesh: the build failed, see $(short "$log")"
[ -n "$had" ] || trouble "$sentence"
tell "$sentence"
