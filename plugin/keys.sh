# shellcheck shell=sh disable=SC2034,SC2154
# Binding the keys, and taking them away. Sourced after lib.sh.

# For awk: the table and the key of a line of list-keys, as bind-key takes them.
# shellcheck disable=SC2016 # awk's, not the shell's
read_key='
  { at = 0; for (i = 1; i < NF; i++) if ($i == "-T") { at = i + 2; break } }
  !at { next }
  { in_table = $(at - 1); key = $at }
  key ~ /^".+"$/ { key = substr(key, 2, length(key) - 2) }
  { sub(/^\\/, "", key) }'

# All keys as list-keys prints them, a line each: + where it is ours (or of an earlier version), else -, then its table and
# the key. Not `list-keys -T prefix KEY`, which prints nothing on 3.7.
key_table() {
  tmux -u list-keys | awk "$read_key"'
    { print (/@seshplugin_(key_job\}|dir.*\/plugin\/)key\.sh/ ? "+" : "-") in_table " " key }'
}

# has LINES LINE
has() {
  case "$newline$1$newline" in
    *"$newline$2$newline"*) return 0 ;;
  esac
  return 1
}

# is_table WORD: whether it is the name of a table in an option of keys, and not a key.
is_table() {
  case $(printf '%s' "$1" | tr '[:upper:]' '[:lower:]') in
    ? | [cms]-?* | f[0-9] | f1[0-9] | 0x* | user[0-9]* | kp?* | any) return 1 ;;
    mouse* | wheel* | doubleclick* | secondclick* | tripleclick* | focus* | paste*) return 1 ;;
    up | down | left | right | home | end | ic | insert | dc | delete | npage | pagedown | pgdn) return 1 ;;
    ppage | pageup | pgup | tab | btab | space | bspace | enter | escape | none) return 1 ;;
    *[!a-z0-9_-]*) return 1 ;;
  esac
}

# wants ASKED DEFAULT COMMAND: adds the words of an option, or the default, to $wanted as `COMMAND TABLE KEY`. The name of a
# table stands before its keys; without one it is the prefix table. A key that is bound to another command is taken only when the
# person asks for it, and then what it was is kept for the uninstall.
wants() {
  asked=$1 action=$3 in_table=prefix
  set -f
  # shellcheck disable=SC2086 # words
  set -- ${asked:-$2}
  set +f
  while [ $# -gt 0 ]; do
    key=$1
    shift
    [ "$key" = none ] && continue
    if [ $# -gt 0 ] && is_table "$key"; then
      in_table=$key
      continue
    fi
    if has "$table" "-$in_table $key"; then
      [ -n "$asked" ] || continue
      keep_binding "$in_table" "$key"
    fi
    wanted="$wanted$action $in_table $key$newline"
  done
}

note_for() {
  case $1 in
    sesh-enter) echo 'Go to a sesh' ;;
    sesh-next) echo 'Go to the next sesh that needs you' ;;
    sesh-last) echo 'Go back to where you were before' ;;
    sesh-new) echo "Create a sesh in this pane's folder" ;;
    sesh-adopt) echo 'Adopt this pane as a sesh' ;;
    sesh-work) echo 'Show who works on which item' ;;
    sesh-menu) echo "Open the menu of this pane's sesh" ;;
  esac
}

# bind_keys BOUND ENTER NEXT MENU LAST NEW ADOPT WORK: what an earlier load has bound, and the options. Ours of the earlier
# load go: they may be others now. One that a person has bound since stays theirs.
bind_keys() {
  table=$(key_table)
  wanted='' now_bound=''
  earlier=$1
  wants "$2" 'e' sesh-enter
  wants "$3" 'g N' sesh-next
  wants "$4" 'M-e' sesh-menu
  wants "$5" 'b' sesh-last
  wants "$6" 'a' sesh-new
  wants "$7" 'A' sesh-adopt
  wants "$8" 'W' sesh-work
  unbind "$earlier"
  # All of them in one call; where one of them is no key, one by one.
  set --
  while read -r action in_table key; do
    [ -n "$key" ] || continue
    now_bound="$now_bound $in_table $key"
    set -- "$@" bind-key -N "$(note_for "$action")" -T "$in_table" "$(word "$key")" "$action" ';'
  done <<END
$wanted
END
  if ! tmux -u "$@" set-option -s @seshplugin_keys "$(word "${now_bound# }")" 2>/dev/null; then
    now_bound=
    while read -r action in_table key; do
      [ -n "$key" ] || continue
      if tmux -u bind-key -N "$(note_for "$action")" -T "$in_table" "$(word "$key")" "$action" 2>/dev/null; then
        now_bound="$now_bound $in_table $key"
      else
        sentence="sesh: tmux knows no key $key ($action)"
      fi
    done <<END
$wanted
END
    tmux -u set-option -s @seshplugin_keys "$(word "${now_bound# }")"
  fi
}

# unbind 'TABLE KEY TABLE KEY...': those of them that are still ours.
unbind() {
  set -f
  # shellcheck disable=SC2086 # words
  set -- $1
  set +f
  while [ $# -ge 2 ]; do
    if has "$table" "+$1 $2"; then
      tmux -u unbind-key -T "$1" "$(word "$2")"
    fi
    shift 2
  done
}

# note_of TABLE KEY: its note, as an argument in double quotes; list-keys leaves it out of the binding. 3.4 prints a
# backslash before a dollar that has none, and 3.7 has no notes for other tables than prefix.
note_of() {
  tmux -u list-keys -N -P '' -T "$1" | KEY=$2 awk '$1 == ENVIRON["KEY"] { sub(/^ *[^ ]+ +/, ""); print; exit }' |
    sed 's/\\\$/$/g; s/[\\"$]/\\&/g'
}

# keep_binding TABLE KEY: keeps what a key was before it was ours, as a command for source-file. In @seshplugin_replaced a key
# of another table than prefix has that before it.
keep_binding() {
  kept=$(ask '#{@seshplugin_replaced}')
  kept_name=$2
  [ "$1" = prefix ] || kept_name=$1=$2
  case " $kept " in
    *" $kept_name "*) return ;;
  esac
  kept_line=$(tmux -u list-keys -T "$1" | KEY=$2 awk '
    '"$read_key"'
    key == ENVIRON["KEY"] { print; exit }')
  kept_note=$(note_of "$1" "$2")
  mkdir -p "$state_dir"
  printf '%s\n' "bind-key${kept_note:+ -N \"$kept_note\"}${kept_line#bind-key}" >>"$state_dir/replaced-keys.conf"
  tmux -u set-option -s @seshplugin_replaced "$(word "${kept:+$kept }$kept_name")"
}
