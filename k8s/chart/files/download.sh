# Fetches the model once; what lies there under the final name was checked. Environment: MODEL_URL, MODEL_SHA256, MODEL_FILE.
set -eu
if [ -f "$MODEL_FILE" ] && [ "$(cat "$MODEL_FILE.sha256" 2>/dev/null)" = "$MODEL_SHA256" ]; then
  echo "the model is here already"
  exit 0
fi
part="$MODEL_FILE.$MODEL_SHA256.part"
checked() {
  [ -f "$part" ] && echo "$MODEL_SHA256  $part" | sha256sum -c - >/dev/null 2>&1
}
mkdir -p "$(dirname "$MODEL_FILE")"
if ! checked; then
  tries=0
  until curl --fail --location --no-progress-meter --continue-at - --output "$part" "$MODEL_URL"; do
    status=$?
    tries=$((tries + 1))
    [ $tries -lt 20 ] || exit $status
    if [ $status = 33 ]; then
      echo "the server cannot continue a file: from the start" >&2
      rm -f "$part"
    else
      sleep 5
    fi
  done
  if ! checked; then
    rm -f "$part"
    echo "what $MODEL_URL gave has another SHA-256 than $MODEL_SHA256" >&2
    exit 1
  fi
fi
mv "$part" "$MODEL_FILE"
echo "$MODEL_SHA256" >"$MODEL_FILE.sha256"
