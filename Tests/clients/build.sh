#!/usr/bin/env bash
# Compiles the clients that `sbegen --clients` has completed, with Debian's toolchains and libraries only, and
# compares each codec with the golden vectors. Leaves a command for each bot in the folder.
#     Tests/clients/build.sh FOLDER LANGUAGE ...
set -euo pipefail
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
cd "$(dirname "$0")/../../clients"
vectors=$PWD/vectors.txt

cpp() {
  g++ -std=c++17 -O1 -Wall -Wextra -Werror -o "$folder/cpp-vectors" cpp/vectors.cpp
  "$folder/cpp-vectors" "$vectors"
  g++ -std=c++17 -O1 -Wall -Wextra -Werror -o "$folder/cpp-bot" cpp/bot.cpp -lcrypto
  echo "$folder/cpp-bot" > "$folder/cpp.command"
}

for language; do
  printf '%-6s' "$language"
  "$language"
done
