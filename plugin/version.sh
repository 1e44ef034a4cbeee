# shellcheck shell=sh disable=SC2034 # lib.sh reads them
# The plugin's version, and the oldest helpers that it works with.
version=0.1.0
minimum=0.1.0
