# shellcheck shell=sh disable=SC2034,SC2154
# Binding the keys, and taking them away. Sourced after lib.sh.

# bound KEY: the binding of a key of the prefix table as list-keys prints it, or nothing.
# Not `list-keys -T prefix KEY`, which prints nothing on 3.7.
bound() {
  printf '%s\n' "$all_keys" | KEY=$1 awk '
    { at = 0; for (i = 1; i < NF; i++) if ($i == "-T") { at = i + 2; break } }
    { key = $at }
    key ~ /^".+"$/ { key = substr(key, 2, length(key) - 2) }
    { sub(/^\\/, "", key) }
    at && key == ENVIRON["KEY"] { print; exit }'
}

# Whether a line of list-keys is a binding of ours.
is_ours() {
  case $1 in
    *@seshplugin_dir*/plugin/key.sh*) return 0 ;;
  esac
  return 1
}

# Keys of an earlier load go first: they may be others now. One that a person has bound since stays theirs.
unbind_keys() {
  all_keys=$(tmux -u list-keys -T prefix)
  set -f
  # shellcheck disable=SC2046 # words
  set -- $(ask '#{@seshplugin_keys}')
  set +f
  while [ $# -ge 2 ]; do
    if is_ours "$(bound "$2")"; then
      tmux -u unbind-key -T "$1" "$(word "$2")"
    fi
    shift 2
  done
}

bind_keys() {
  unbind_keys
  all_keys=$(tmux -u list-keys -T prefix)
  now_bound=
  bind_action '@sesh-key-enter' 'e' sesh-enter 'Go to a sesh'
  bind_action '@sesh-key-next' 'g N' sesh-next 'Go to the next sesh that needs you'
  bind_action '@sesh-key-menu' 'M-e' sesh-menu "What can be done with this pane's sesh"
  if [ "$(ask '#{@seshplugin_keys}')" != "${now_bound# }" ]; then
    tmux -u set-option -s @seshplugin_keys "$(word "${now_bound# }")"
  fi
}

# bind_action OPTION DEFAULT COMMAND NOTE. A key that is somebody else's is taken only when the person asks for it by the
# option, and then what it was is kept for the uninstall.
bind_action() {
  asked=$(ask "#{$1}")
  action=$3 note=$4
  set -f
  # shellcheck disable=SC2086 # words
  set -- ${asked:-$2}
  set +f
  for key; do
    [ "$key" = none ] && continue
    was=$(bound "$key")
    if [ -n "$was" ]; then
      [ -n "$asked" ] || continue
      keep_binding "$key" "$was"
    fi
    if tmux -u bind-key -N "$note" -T prefix "$(word "$key")" "$action" 2>/dev/null; then
      now_bound="$now_bound prefix $key"
    else
      sentence="sesh: tmux knows no key $key ($action)"
    fi
  done
}

# The note of a key, as an argument in double quotes; list-keys leaves it out of the binding. 3.4 prints a backslash
# before a dollar that has none.
note_of() {
  tmux -u list-keys -N -P '' -T prefix | KEY=$1 awk '$1 == ENVIRON["KEY"] { sub(/^ *[^ ]+ +/, ""); print; exit }' |
    sed 's/\\\$/$/g; s/[\\"$]/\\&/g'
}

# What a key was before it was ours, as a command for source-file.
keep_binding() {
  kept=$(ask '#{@seshplugin_replaced}')
  case " $kept " in
    *" $1 "*) return ;;
  esac
  mkdir -p "$state_dir"
  kept_note=$(note_of "$1")
  printf '%s\n' "bind-key${kept_note:+ -N \"$kept_note\"}${2#bind-key}" >>"$state_dir/replaced-keys.conf"
  tmux -u set-option -s @seshplugin_replaced "$(word "${kept:+$kept }$1")"
}
