set -e
mkdir -p build/t
[ build/t/main.o -nt /work/main/tests/main.cpp ] || g++ -std=c++20 -I/work/main/tests -c /work/main/tests/main.cpp -o build/t/main.o
for t in "$@"; do nice g++ -std=c++20 -O1 -ffp-contract=off -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Itests -I/work/main/tests -Isrc -Iinclude -fopenmp tests/test_$t.cpp build/t/main.o $(find build/rel/CMakeFiles/iqa_objects.dir -name '*.o') -o build/t/test_$t; build/t/test_$t; done
