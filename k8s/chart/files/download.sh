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
  curl --fail --location --no-progress-meter --retry 20 --retry-all-errors --retry-delay 5 --continue-at - --output "$part" "$MODEL_URL"
  if ! checked; then
    rm -f "$part"
    echo "what $MODEL_URL gave has another SHA-256 than $MODEL_SHA256" >&2
    exit 1
  fi
fi
mv "$part" "$MODEL_FILE"
echo "$MODEL_SHA256" >"$MODEL_FILE.sha256"
