#!/usr/bin/env bash
# Compiles the clients that `sbegen --clients` has completed, and the programs in their READMEs, with Debian's toolchains
# and libraries only; compares each codec with the golden vectors, and each book of levels with what it must have.
# Leaves a command for each bot in the folder.
#     Tests/clients/build.sh FOLDER LANGUAGE ...
set -euo pipefail
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
cd "$(dirname "$0")/../../clients"
vectors=("$PWD/vectors.txt" "$PWD/book.txt")

# The program in a README.
program() {
  sed -n "/^\`\`\`$2\$/,/^\`\`\`\$/p" "$1/README.md" | sed '1d;$d' > "$3"
}

cpp() {
  g++ -std=c++17 -O1 -Wall -Wextra -Werror -o "$folder/cpp-vectors" cpp/vectors.cpp
  "$folder/cpp-vectors" "${vectors[@]}"
  g++ -std=c++17 -O1 -Wall -Wextra -Werror -o "$folder/cpp-bot" cpp/bot.cpp -lssl -lcrypto
  program cpp cpp "$folder/first.cpp"
  g++ -std=c++17 -Wall -Wextra -Werror -fsyntax-only -Icpp "$folder/first.cpp"
  echo "$folder/cpp-bot" > "$folder/cpp.command"
}

go() {
  (
    cd go
    export GOCACHE="$folder/go-cache" GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local
    /usr/bin/go vet ./...
    /usr/bin/go test -v . | grep -oE '[0-9]+ vectors|FAIL.*|.*vectors_test.*'
    /usr/bin/go build -o "$folder/go-bot" ./cmd/bot
    program . go "$folder/first.go"
    /usr/bin/go build -o "$folder/go-first" "$folder/first.go"
  )
  echo "$folder/go-bot" > "$folder/go.command"
}

java() {
  javac -Xlint:all,-serial -Werror -d "$folder/java" java/joulebook/*.java
  command java -cp "$folder/java" joulebook.Vectors "${vectors[@]}"
  program java java "$folder/First.java"
  javac -Xlint:all,-serial -Werror -d "$folder/java" -cp "$folder/java" "$folder/First.java"
  echo "java -XX:TieredStopAtLevel=1 -cp $folder/java joulebook.Bot" > "$folder/java.command"
}

rust() {
  cargo test --test vectors -- --nocapture | grep -E 'vectors$|FAILED'
  cargo build
  program rust rust "$folder/first.rs"
  /usr/bin/rustc --edition 2021 -D warnings --emit metadata --out-dir "$folder" -L "dependency=$folder/rust/debug/deps" \
    --extern "joulebook=$folder/rust/debug/libjoulebook.rlib" "$folder/first.rs"
  echo "$folder/rust/debug/bot" > "$folder/rust.command"
}

# Debian's compiler and crates, whatever else is on the PATH.
cargo() {
  RUSTC=/usr/bin/rustc RUSTFLAGS="-D warnings" CARGO_HOME="$folder/cargo" CARGO_TARGET_DIR="$folder/rust" \
    /usr/bin/cargo --quiet --offline --config 'source.crates-io.replace-with="debian"' \
    --config 'source.debian.directory="/usr/share/cargo/registry"' --config "build.jobs=2" \
    "$1" --manifest-path rust/Cargo.toml "${@:2}"
}

for language; do
  printf '%-6s' "$language"
  "$language"
done
