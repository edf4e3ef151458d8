# shellcheck shell=sh
# Run before everything else of an observation, in the shell that reads it: what comes between sending and the first
# byte of an answer is what the clock stays uncertain by. Prints the record "clock".
date "+clock%t%s.%N"
