#!/bin/sh
# shellcheck disable=SC2154 # the facts come in the environment
# notify.sh: tells of an agent that waits or has finished, as @sesh-notify says: bell, message, or a command. The facts
# are in its environment: SESH_NAME, SESH_STATE, SESH_WHY, SESH_PANE and more.
dir=$(cd -- "${0%/*}/.." && pwd -P) || exit 0
. "$dir/plugin/lib.sh"
exec </dev/null >/dev/null 2>&1
pane=$SESH_PANE
case $SESH_STATE in
  waiting) SESH_SENTENCE="$SESH_NAME waits${SESH_WHY:+ ($SESH_WHY)}" ;;
  *) SESH_SENTENCE="$SESH_NAME has finished" ;;
esac
export SESH_SENTENCE
how=$(tmux -u show-options -gqv @sesh-notify)
case $how in
  '' | off) ;;
  # As if the agent rang it: tmux marks the window, or does what a person has set for bells.
  bell) printf '\a' >"$(ask_pane '#{pane_tty}')" ;;
  message)
    # 3.2a takes no client here, and shows it to the one that was used last.
    tmux -u list-clients -F '#{client_name}' | while IFS= read -r client; do
      tmux -u display-message -c "$client" -d 5000 -- "$(word "$(shown "$SESH_SENTENCE")")" || tell "$SESH_SENTENCE"
    done
    ;;
  *) sh -c "$how" ;;
esac
exit 0
