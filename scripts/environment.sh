# Sourced by the other scripts: makes .venv when it is missing or out of date, without calling an installer otherwise.
# Needs $root; $extra is empty or "test".
ready="$root/.venv/ready${extra:+-$extra}"
if [ ! -f "$ready" ] || [ "$(cat "$ready")" != "$(cksum <"$root/pyproject.toml")" ] ||
    { [ -n "${CMAKE_ARGS:-}" ] && [ "$CMAKE_ARGS" != "$(cat "$root/.venv/cmake-args" 2>/dev/null)" ]; }; then
    found=
    for python in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            found=$python
            break
        fi
    done
    if [ -z "$found" ]; then
        echo "localpower needs Python 3.11 or newer, and none was found (set PYTHON to name one)" >&2
        exit 1
    fi
    "$found" "$root/scripts/bootstrap.py" ${extra:+"$extra"}
fi
