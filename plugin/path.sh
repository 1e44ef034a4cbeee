#!/bin/sh
# path.sh BIN: asks a login shell for its PATH, once a load and in the background, and keeps it in a private file for what
# the keys start: a tmux that systemd or a desktop has started does not have it. Before that, the helpers of the folder BIN
# write what was missed; after it, they offer or restore what the last server left.
dir=$(cd -- "${0%/*}/.." && pwd -P) || exit 0
. "$dir/plugin/lib.sh"
exec </dev/null 2>/dev/null
umask 077
bin=$1
[ -z "$bin" ] || "$bin/sesh-save" >/dev/null

# ask_shell: the PATH of a login shell that is interactive too, since many people extend it there; given up after five
# seconds. What the shell prints besides does not matter.
ask_shell() {
  shell=$(ask '#{default-shell}')
  "${shell:-${SHELL:-/bin/sh}}" -l -i -c 'env -0' >"$login_path.new" &
  asked=$!
  tries=0
  while kill -0 "$asked" && [ "$tries" -lt 50 ]; do
    sleep 0.1 # why: sh cannot wait for a child with a limit
    tries=$((tries + 1))
  done
  kill -9 "$asked" && : >"$login_path.new"
  tr '\0' '\n' <"$login_path.new" | sed -n 's/^PATH=\(..*\)/\1/p' | tail -n 1
}

# link_helpers: a login shell whose start files set PATH anew, as those of Debian do, drops the folder of the plugin's own
# helpers. It finds links to them in ~/.local/bin, if that is a folder where it looks, or is one once it exists.
link_helpers() {
  case $bin in
    "$dir/bin" | "$data_dir/bin") ;;
    *) return ;;
  esac
  case :$path: in
    *":$bin:"*) return ;;
  esac
  [ "$(ask '#{@sesh-links}')" != off ] || return
  if ! [ -d "$link_dir" ]; then
    (umask 022 && mkdir -p "$link_dir") || return
    path=$(ask_shell)
  fi
  case :$path: in
    *":$link_dir:"*) ;;
    *)
      rmdir "$link_dir"
      return
      ;;
  esac
  for helper in "$bin/tmux-sesh" "$bin"/sesh-* "$bin"/pane-*; do
    # What is there already is a person's own, or ours.
    [ -e "$link_dir/${helper##*/}" ] || ln -s "$helper" "$link_dir/${helper##*/}"
  done
}

# One shell at a time. The plugin may have left meanwhile.
lock=$login_path.lock
if mkdir -p "$cache_dir" && { mkdir "$lock" || { [ -n "$(find "$lock" -prune -mmin +1)" ] && rmdir "$lock" && mkdir "$lock"; }; }; then
  trap 'rm -f "$login_path.new"; rmdir "$lock" "$cache_dir"; exit 0' TERM
  path=$(ask_shell)
  if [ -n "$path" ] && [ -n "$(ask '#{@seshplugin_dir}')" ]; then
    link_helpers
    printf '%s\n' "$path" >"$login_path.new" && mv "$login_path.new" "$login_path"
    # An uninstall first takes the plugin out of the options, and then removes files: what was made since is removed here.
    if [ -z "$(ask '#{@seshplugin_dir}')" ]; then
      rm -f "$login_path"
      unlink_helpers
    fi
  fi
  rm -f "$login_path.new"
  rmdir "$lock" "$cache_dir"
fi

[ -n "$bin" ] || exit 0
use_login_path
errors=$("$bin/sesh-restore" --offer 2>&1 >/dev/null)
case $errors in
  # What is not restored is said in the segment.
  'sesh-restore: '*) trouble "sesh: $(printf '%s\n' "${errors#sesh-restore: }" | sed -n 1p | cut -c 1-120)" ;;
esac
exit 0
