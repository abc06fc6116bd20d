#!/usr/bin/env bash
# Runs once, as root, while the image of the autograder is built: Python, minigrad, and a trial of both.
set -euo pipefail
root="${MINIGRAD_AUTOGRADER:-/autograder}"
home="${MINIGRAD_HOME:-/opt/minigrad}"  # where everybody may read: students' code runs as a user who owns nothing
source="$root/source"
export DEBIAN_FRONTEND=noninteractive
umask 022
chmod -R go= "$source"

versions="@PYTHON@ 3.13 3.12 3.11"  # the one first that the archive was made with
python=
finished='v.releaselevel == "final" and '

works() {
  "$1" -c "import sys, ensurepip, venv; v = sys.version_info; sys.exit(not (${finished}v >= (3, 11)))" &> /dev/null
}

is_there() {
  local version
  for version in $versions; do
    if works "python$version"; then python="python$version"; return; fi
  done
  works python3 && python=python3
}

install() { apt-get -o Acquire::Retries=3 install -y --no-install-recommends "$@"; }

from_the_distribution() {
  local version candidate
  apt-get -o Acquire::Retries=3 update || true
  for version in $versions; do
    candidate="$(apt-cache policy "python$version" | sed -n 's/^ *Candidate: //p')"
    case "$candidate" in
      "" | "(none)") continue ;;
      *~rc* | *~[ab][0-9]*) [ -z "$finished" ] || continue ;;  # as Ubuntu 22.04's own Python 3.11
    esac
    install "python$version" "python$version-venv" && is_there && return
  done
  false
}

from_deadsnakes() {
  grep -qx 'ID=ubuntu' /etc/os-release && install software-properties-common gpg-agent &&
    add-apt-repository -y ppa:deadsnakes/ppa && from_the_distribution
}

from_uv() {
  python3 -m pip --version &> /dev/null || install python3-pip || return
  python3 -m pip install -q --target "$home-uv" uv &&
    export UV_PYTHON_INSTALL_DIR="$home-python" UV_PYTHON_PREFERENCE=only-managed &&
    "$home-uv/bin/uv" python install "${versions%% *}" &&
    python="$("$home-uv/bin/uv" python find --no-project "${versions%% *}")" && works "$python"
}

from_a_release_candidate() { finished= && from_the_distribution; }

for way in is_there from_the_distribution from_deadsnakes from_uv from_a_release_candidate; do
  echo "minigrad: looking for Python 3.11 or newer: ${way//_/ }"
  if "$way"; then break; fi
  python=
done
[ -n "$python" ] || { echo "minigrad: there is no way here to Python 3.11 or newer" >&2; exit 1; }
"$python" -V

"$python" -m venv --clear "$home"
pip() { "$home/bin/python" -m pip install -q --no-cache-dir --disable-pip-version-check "$@"; }
pip -c "$source/pins.txt" "$source"/minigrad_engine-*.whl || {
  echo "minigrad: the versions in pins.txt cannot be had with this Python; taking what can"
  pip "$source"/minigrad_engine-*.whl
}

# The assignment's own solution has to get all points, or no student could.
trial="$(mktemp -d)"
mkdir "$trial/submission" "$trial/results"
ln -s "$source" "$trial/source"
cp "$source"/assignment/* "$trial/submission"
MINIGRAD_AUTOGRADER="$trial" MINIGRAD_HOME="$home" sh "$source/run_autograder"
"$home/bin/python" -I -c '
import json, sys
result = json.load(open(sys.argv[1]))
most = sum(test["max_score"] for test in result.get("tests", []))
print("minigrad: the solution gets", result["score"], "of", most, "points")
sys.exit(not 0 < most == result["score"])
' "$trial/results/results.json"
rm -rf "$trial"
