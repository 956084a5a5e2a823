nice ninja -C build/rel -j2 $(for t in "$@"; do echo test_$t; done) 2>&1 | grep -E "error|warning: |FAILED" -A5
for t in "$@"; do time build/rel/tests/test_$t; done
