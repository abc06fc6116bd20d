#!/bin/sh
# The programs of a machine that is only pretended, for setup.sh: each is a link to this file. $HERE is where they are,
# and its files say what the machine has.
name="${0##*/}"
candidate() { sed -n "s/^$1 //p" "$HERE/candidates"; }

case "$name" in
  apt-get)
    for each; do
      case "$each" in
        python3.*-venv) ;;
        python3.*) ln -sf pretend.sh "$HERE/$each" ;;
      esac
    done
    ;;
  apt-cache) echo "  Candidate: $(candidate "$2")" ;;
  add-apt-repository) [ -e "$HERE/ppa" ] && cat "$HERE/ppa" >> "$HERE/candidates" ;;
  grep) ;; # it is an Ubuntu
  uv)
    case "$*" in
      "python find "*) ln -sf pretend.sh "$HERE/python-of-uv" && echo "$HERE/python-of-uv" ;;
    esac
    ;;
  python3) # an old one
    case "$*" in
      *" --version") ;;
      *" --target "*) [ -e "$HERE/has-uv" ] && mkdir -p "$6/bin" && ln -s "$HERE/pretend.sh" "$6/bin/uv" ;;
      *) exit 1 ;;
    esac
    ;;
  python*)
    case "$1:$2:$(candidate "$name")" in
      -m:venv:*) echo "MADE WITH $name" && exit 9 ;;
      -c:*releaselevel*:*rc*) exit 1 ;;
    esac
    ;;
esac
