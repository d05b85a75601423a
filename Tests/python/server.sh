# To be sourced by a script that has set `program`.
#     start_server [options of serve]    starts a server; sets folder (removed at the end), server (pid), port
#     wait_for FILE PATTERN              waits until sed finds the pattern in a file, and prints the match
wait_for() {
  for _ in $(seq 600); do
    found=$(sed -n "$2" "$1")
    [ -n "$found" ] && { echo "$found"; return; }
    sleep 0.1
  done
  echo "nothing came in $1" >&2
  exit 1
}

start_server() {
  folder=$(mktemp -d)
  trap stop_server EXIT
  # Create the file first, because the started program may not have opened it yet.
  : > "$folder/out"
  "$program" serve --data "$folder/data" --listen 127.0.0.1:0 "$@" \
    > "$folder/out" 2> "$folder/err" &
  server=$!
  port=$(wait_for "$folder/out" 's/^listening on 127.0.0.1://p') || {
    cat "$folder/err"
    echo "the server did not start"
    exit 1
  }
}

stop_server() {
  kill $server 2>/dev/null || true
  wait $server 2>/dev/null || true
  rm -rf "$folder"
}
