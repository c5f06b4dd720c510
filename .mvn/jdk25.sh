# Sourced by mvnw and caravan: sets JAVA_HOME to a JDK 25 or newer, or ends with one clear line.
# Looks at CARAVAN_JAVA_HOME, JAVA_HOME, the java on the PATH, then the usual places.

jdk_major() {
  [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] && [ -f "$1/release" ] || { echo 0; return; }
  sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release"
}

find_jdk25() {
  for candidate in "${CARAVAN_JAVA_HOME:-}" "${JAVA_HOME:-}" "$(dirname "$(dirname "$(readlink -f "$(command -v java 2>/dev/null || echo /none/bin/java)")")")" \
    $(set +f; ls -d /usr/lib/jvm/* /usr/java/* /opt/java/* /opt/jdk* /opt/*/jdk* "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* \
      /Library/Java/JavaVirtualMachines/*/Contents/Home /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home 2>/dev/null); do
    if [ -n "$candidate" ] && [ "$(jdk_major "$candidate")" -ge 25 ] 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
}

JAVA_HOME="$(find_jdk25)"
if [ -z "$JAVA_HOME" ]; then
  echo "caravan: no JDK 25 or newer found; install one (for example Temurin 25) or set JAVA_HOME to it" >&2
  exit 2
fi
export JAVA_HOME
