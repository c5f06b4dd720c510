#!/bin/sh
# rootfs.sh DIR: builds the root file system of the image in the new directory DIR, without a Docker engine, from a checkout that
# `./mvnw -DskipTests package` built. Needs a JDK 25, Linux and glibc; nothing in here names an architecture.
#
#   /opt/caravan/java          a Java runtime with the modules that Caravan needs
#   /opt/caravan/lib           libraries; those that worker and coordinator share are there once
#   /opt/caravan/*.options     the options of the checkout, then those of a container
#   /opt/caravan/*.aot         loaded classes of a start, for faster ones
#   /usr/local/bin/caravan     the launcher, and /bin/sh, which it is written in
#   /etc, /tmp, /models        one user; the place for what is written; a place to mount models
set -eu
umask 022

home="$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")/../.." && pwd)"
. "$home/.mvn/jdk25.sh"
modules=java.base,java.logging,java.management,java.naming,java.net.http,jdk.incubator.vector,jdk.jfr,jdk.management,jdk.unsupported
demo="$home/coordinator/src/main/resources/dev/caravan/coordinator/demo/caravan-demo.gguf"
user=10001

fail() {
  echo "rootfs: $1" >&2
  exit 1
}

[ $# = 1 ] || fail "usage: rootfs.sh DIR"
[ ! -e "$1" ] || fail "$1 exists already; name a new directory"
for part in worker coordinator; do
  [ -f "$home/$part/target/caravan-$part.jar" ] || fail "$part is not built; run ./mvnw -DskipTests package first"
done
mkdir -p "$1"
root="$(CDPATH= cd -- "$1" && pwd)"
app="$root/opt/caravan"

# A start takes less with the jars in a list: the order of a wildcard is the file system's.
class_path() {
  list="$1/lib/caravan-$2.jar"
  for jar in "$app/lib/shared"/*.jar "$app/lib/$2"/*.jar; do
    list="$list:$1${jar#"$app"}"
  done
  echo "$list"
}

libraries() {
  mkdir -p "$app/lib/shared" "$app/lib/worker" "$app/lib/coordinator"
  for part in worker coordinator; do
    cp -p "$home/$part/target/caravan-$part.jar" "$app/lib/"
    cp -p "$home/$part/target/lib"/*.jar "$app/lib/$part/"
  done
  for jar in "$app/lib/worker"/*.jar; do
    twin="$app/lib/coordinator/${jar##*/}"
    if cmp -s "$jar" "$twin"; then
      mv "$jar" "$app/lib/shared/"
      rm "$twin"
    fi
  done
}

# What a container adds: the heap is a quarter of the memory that the launcher names; weights and KV cache are not in it, they lie in mapped
# files and arenas. Network buffers outside of the heap may take as much again. Threads follow the limit of processors by themselves.
options() {
  for part in worker coordinator; do
    { cat "$home/$part.options"; printf '%s\n' -XX:MaxRAMPercentage=25 -XX:+ExitOnOutOfMemoryError; } >"$app/$part.options"
  done
}

# Copies a program or library with all the libraries that it asks for, each to where it lies here.
native() {
  { echo "$1"; ldd "$1" 2>/dev/null | sed -n 's/^[^/]*\(\/[^ ]*\).*/\1/p'; } | while read -r file; do
    case "$file" in
      "$root"/*) ;;
      *)
        if [ ! -e "$root$file" ]; then
          mkdir -p "$root$(dirname "$file")"
          cp -L "$file" "$root$file"
        fi
        ;;
    esac
  done
}

natives() {
  find "$app/java" -type f \( -name '*.so' -o -path '*/bin/*' \) | while read -r file; do
    native "$file"
  done
  # The kernel starts scripts with /bin/sh.
  native /bin/sh
  # glibc before 2.34 looks names up with libraries that nothing is linked with.
  glibc="$(ldd "$app/java/bin/java" | sed -n 's/^[^/]*libc\.so\.6 => \(\/[^ ]*\)\/libc\.so\.6 .*/\1/p')"
  for name in libnss_files.so.2 libnss_dns.so.2 libresolv.so.2; do
    [ ! -e "$glibc/$name" ] || native "$glibc/$name"
  done
}

system() {
  mkdir -p "$root/etc" "$root/tmp" "$root/proc" "$root/sys/fs/cgroup" "$root/dev" "$root/models" "$root/usr/local/bin"
  chmod 1777 "$root/tmp"
  echo "caravan:x:$user:$user:caravan:/tmp:/bin/sh" >"$root/etc/passwd"
  echo "caravan:x:$user:" >"$root/etc/group"
  echo "hosts: files dns" >"$root/etc/nsswitch.conf"
  # Whoever runs the container mounts these two.
  : >"$root/etc/hosts"
  : >"$root/etc/resolv.conf"
  install -m 755 "$home/k8s/image/caravan" "$root/usr/local/bin/caravan"
}

# Becomes $1 with its options as it will be started, from where it lies now; $2: options of the JVM, the rest: main class and arguments.
run() {
  part="$1"
  more="$2"
  shift 2
  exec "$app/java/bin/java" "@$app/$part.options" $more -cp "$(class_path "$app" "$part")" "$@"
}

# Waits until a file has a line that the sed script finds something in, and prints that.
await() {
  tries=0
  while [ $tries -lt 600 ]; do
    found="$(sed -n "$2" "$1" | head -n 1)"
    if [ -n "$found" ]; then
      echo "$found"
      return 0
    fi
    sleep 0.1
    tries=$((tries + 1))
  done
  return 1
}

# Serves one chat and keeps the loaded classes of both sides (JEP 514).
record_start() {
  log="$(mktemp -d)"
  echo '{% for m in messages %}{{ m.content }}{% endfor %}' >"$log/template"
  : >"$log/out"
  : >"$log/err"
  run coordinator "-XX:AOTCacheOutput=$app/coordinator.aot" dev.caravan.coordinator.cli.Main serve --model "$demo" --remote-workers 1 \
    --listen 127.0.0.1:0 --http 127.0.0.1:0 --chat-template "$log/template" >"$log/out" 2>"$log/err" &
  coordinator=$!
  worker=""
  if address="$(await "$log/err" 's/.* --coordinator \([^ ]*\)$/\1/p')"; then
    run worker "-XX:AOTCacheOutput=$app/worker.aot" dev.caravan.worker.rpc.WorkerMain --coordinator "$address" >"$log/worker" 2>&1 &
    worker=$!
    if await "$log/err" '/ready to serve/p' >/dev/null; then
      echo "Once upon a time" | run coordinator "" dev.caravan.coordinator.cli.Main chat --max-tokens 16 \
        --url "$(sed -n 's/^listening on //p' "$log/out")" >"$log/chat" 2>&1 || true
    fi
  fi
  kill $coordinator 2>/dev/null || true
  wait $coordinator $worker 2>/dev/null || true
  for part in worker coordinator; do
    if [ -f "$app/$part.aot" ]; then
      printf '%s\n' "-XX:AOTCache=/opt/caravan/$part.aot" "-Xlog:aot=off" >>"$app/$part.options"
    else
      echo "rootfs: the start of a $part could not be recorded; the image works, and starts slower" >&2
      cat "$log"/* >&2
    fi
  done
  rm -rf "$log"
}

# Written last: recording starts from another place than /opt/caravan.
class_paths() {
  worker_classpath="$(class_path /opt/caravan worker)"
  printf '%s\n' -cp "$worker_classpath" >>"$app/worker.options"
  printf '%s\n' -cp "$(class_path /opt/caravan coordinator)" "-Dcaravan.worker.options=/opt/caravan/worker.options" \
    "-Dcaravan.worker.classpath=$worker_classpath" >>"$app/coordinator.options"
}

"$JAVA_HOME/bin/jlink" --add-modules "$modules" --no-man-pages --no-header-files --output "$app/java" 2>/dev/null || fail "jlink failed"
libraries
options
natives
system
record_start
class_paths
