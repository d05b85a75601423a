#!/usr/bin/env bash
# Prints the machine that is measured on: model of the processor, number of cores, second cache of a core.
model=$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)
kib=$(sed -n 's/K$//p' /sys/devices/system/cpu/cpu0/cache/index2/size 2> /dev/null)
if [ -z "$kib" ]; then
  cache="of unknown size"
elif [ $((kib % 1024)) = 0 ]; then
  cache="$((kib / 1024)) MiB"
else
  cache="$kib KiB"
fi
echo "${model:-unknown processor}, $(nproc) cores, L2 $cache a core"
